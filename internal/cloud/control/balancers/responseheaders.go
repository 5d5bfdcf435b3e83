//go:build linux

package balancers

// headerNames are the response headers that a listener can set, by the attribute that
// sets them (Application Load Balancer guide, HTTP header modification: Add response
// headers).
var headerNames = map[string]string{
	"access_control_allow_credentials": "Access-Control-Allow-Credentials",
	"access_control_allow_headers":     "Access-Control-Allow-Headers",
	"access_control_allow_methods":     "Access-Control-Allow-Methods",
	"access_control_allow_origin":      "Access-Control-Allow-Origin",
	"access_control_expose_headers":    "Access-Control-Expose-Headers",
	"access_control_max_age":           "Access-Control-Max-Age",
	"content_security_policy":          "Content-Security-Policy",
	"strict_transport_security":        "Strict-Transport-Security",
	"x_content_type_options":           "X-Content-Type-Options",
	"x_frame_options":                  "X-Frame-Options",
}

// responseHeaders returns the headers that a listener's attributes set, or nil.
func responseHeaders(attributes map[string]string) map[string]string {
	var out map[string]string
	for key, name := range headerNames {
		value := attributes["routing.http.response."+key+".header_value"]
		if value == "" {
			continue
		}
		if out == nil {
			out = map[string]string{}
		}
		out[name] = value
	}
	return out
}
