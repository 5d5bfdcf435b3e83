package balancers

import (
	"cmp"
	"slices"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/store"
)

func listener(r store.Reader, row *store.Listener) balancer.Listener {
	out := balancer.Listener{
		ARN: row.ARN, Port: uint16(row.Port), Action: action(row.Actions),
		Headers: headers(row.Attributes), NoServer: row.Attributes["routing.http.response.server.enabled"] == "false",
	}
	if row.Protocol == "HTTPS" {
		out.TLS = &balancer.TLS{Policy: row.SSLPolicy}
		for _, arn := range row.Certificates {
			if c, ok := store.Certificates.Get(r, arn); ok {
				out.TLS.Certificates = append(out.TLS.Certificates, certificate(c))
			}
		}
		out.TLSVersionHeader = row.Attributes["routing.http.request.x_amzn_tls_version.header_name"]
		out.TLSCipherHeader = row.Attributes["routing.http.request.x_amzn_tls_cipher_suite.header_name"]
	}
	for _, rule := range store.Rules.By(r, "listener", row.ARN) {
		out.Rules = append(out.Rules, balancer.Rule{
			ARN:        rule.ARN,
			Priority:   int(rule.Priority),
			Conditions: conditions(rule.Conditions),
			Action:     action(rule.Actions),
		})
	}
	slices.SortFunc(out.Rules, func(a, b balancer.Rule) int { return cmp.Compare(a.Priority, b.Priority) })
	return out
}

func certificate(row *store.Certificate) balancer.Certificate {
	return balancer.Certificate{ARN: row.ARN, Chain: row.Body + "\n" + row.Chain, Key: balancer.Secret(row.Key)}
}

func conditions(rows []store.Condition) []balancer.Condition {
	var out []balancer.Condition
	for _, c := range rows {
		d := balancer.Condition{Field: c.Field, Header: c.Header, Values: c.Values, Regexes: c.Regexes}
		for _, p := range c.Pairs {
			d.Pairs = append(d.Pairs, balancer.Pair{Key: p.Key, Value: p.Value})
		}
		out = append(out, d)
	}
	return out
}

// responseHeaders are the headers that a listener may set, by its attributes
// (Application Load Balancer guide, HTTP header modification: Add response
// headers).
var responseHeaders = map[string]string{
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

// headers are those that the listener sets; nil: none.
func headers(attributes map[string]string) map[string]string {
	var out map[string]string
	for key, name := range responseHeaders {
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
