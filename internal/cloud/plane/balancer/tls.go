//go:build linux

package balancer

import "log/slog"

// TLS is how a listener uses TLS with clients.
type TLS struct {
	// Certificates starts with the default certificate. The rest are the listener's
	// certificate list, from which the name in a ClientHello selects.
	Certificates []Certificate `json:"certificates"`
	Policy       string        `json:"policy"` // name of the security policy
	// Protocols are those that an opaque listener negotiates by ALPN, the preferred one first. A
	// client that supports none of them is served without ALPN. Other listeners ignore them.
	Protocols []string `json:"protocols,omitempty"`
}

// Certificate is a server certificate and its key, in PEM.
type Certificate struct {
	ARN   string `json:"arn"`
	Chain string `json:"chain"` // the certificate first, then its issuers'
	Key   Secret `json:"key"`
}

// Secret is a string that only encoding/json can see: the daemon sends it to the
// balancer process, but logs and messages show a placeholder.
type Secret string

const hidden = "(secret)"

// String returns a placeholder.
func (Secret) String() string { return hidden }

// GoString returns a placeholder for %#v.
func (Secret) GoString() string { return hidden }

// LogValue returns a placeholder for log/slog.
func (Secret) LogValue() slog.Value { return slog.StringValue(hidden) }
