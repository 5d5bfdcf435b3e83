//go:build linux

package balancers

import (
	"cmp"
	"slices"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/store"
)

func listenerConfig(r store.Reader, lb *store.LoadBalancer, row *store.Listener) balancer.Listener {
	out := balancer.Listener{
		ARN: row.ARN, Port: uint16(row.Port), Action: actionConfig(row.Actions),
		Headers:  responseHeaders(row.Attributes),
		NoServer: row.Attributes["routing.http.response.server.enabled"] == "false",
		Forwards: transports[row.Protocol], Relays: relays(r, lb, row),
	}
	out.Opaque = row.Protocol == "TLS" || out.Relays != ""
	if row.UsesTLS() {
		out.TLS = &balancer.TLS{Policy: row.SSLPolicy, Protocols: alpnProtocols[row.ALPNPolicy]}
		for _, arn := range row.Certificates {
			if c, ok := certificateConfig(r, arn); ok {
				out.TLS.Certificates = append(out.TLS.Certificates, c)
			}
		}
		out.TLSVersionHeader = row.Attributes["routing.http.request.x_amzn_tls_version.header_name"]
		out.TLSCipherHeader = row.Attributes["routing.http.request.x_amzn_tls_cipher_suite.header_name"]
	}
	for _, rule := range store.RulesByListener.List(r, row.ARN) {
		out.Rules = append(out.Rules, balancer.Rule{
			ARN:        rule.ARN,
			Priority:   int(rule.Priority),
			Conditions: conditionConfigs(rule.Conditions),
			Action:     actionConfig(rule.Actions),
		})
	}
	slices.SortFunc(out.Rules, func(a, b balancer.Rule) int { return cmp.Compare(a.Priority, b.Priority) })
	return out
}

// alpnProtocols are the protocols of ALPN policies, the preferred one first (Network Load Balancer
// guide, ALPN policies).
var alpnProtocols = map[string][]string{
	"HTTP1Only": {"http/1.1", "http/1.0"}, "HTTP2Only": {"h2"},
	"HTTP2Optional": {"http/1.1", "http/1.0", "h2"}, "HTTP2Preferred": {"h2", "http/1.1", "http/1.0"},
}

// certificateConfig returns the certificate of ACM or IAM with the ARN, if it exists.
func certificateConfig(r store.Reader, arn string) (balancer.Certificate, bool) {
	if c, ok := store.Certificates.Get(r, arn); ok {
		return balancer.Certificate{ARN: arn, Chain: c.Body + "\n" + c.Chain, Key: balancer.Secret(c.Key)}, true
	}
	if c, ok := store.ServerCertificateAt(r, arn); ok {
		return balancer.Certificate{
			ARN: arn, Chain: c.Body + "\n" + c.Chain, Key: balancer.Secret(c.PrivateKey),
		}, true
	}
	return balancer.Certificate{}, false
}
