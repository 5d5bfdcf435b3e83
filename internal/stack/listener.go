package stack

import (
	"fmt"
	"strconv"
)

// KindListener is the kind of a load balancer's listener.
const KindListener Kind = "listener"

var listenerKind = properties{
	kind:       KindListener,
	mayReferTo: []Kind{KindLoadBalancer, KindTargetGroup, KindCertificate, KindSecurityGroup, KindListener},
}

// Addresses of the application's listeners.
const (
	AddressListener       = "listener"       // of HTTP
	AddressSecureListener = "listener-https" // of HTTPS, if the application has a domain
)

// Attributes of a listener.
const (
	AttrForwardsTo  AttributeKey = "forwards to"  // target group
	AttrRedirectsTo AttributeKey = "redirects to" // see Redirection
	AttrCertificate AttributeKey = "certificate"
	AttrTLSPolicy   AttributeKey = "TLS policy"
	AttrHSTS        AttributeKey = "HSTS"
)

const (
	// HTTPSPort is the port of the listener for HTTPS.
	HTTPSPort = 443
	// TLSPolicy is the security policy that AWS recommends (Application Load Balancer
	// guide, "Security policies for your Application Load Balancer").
	TLSPolicy = "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09"
	// SameHost stands for the name that a client asked for, in a redirect (Elastic Load
	// Balancing API Reference, RedirectActionConfig).
	SameHost = "#{host}"
	// maxRedirectHost is the longest name that a redirect may lead to.
	maxRedirectHost = 128
)

// Redirection describes where a listener redirects to, as the value of AttrRedirectsTo.
func Redirection(protocol, host, port string) string {
	if host == SameHost {
		return protocol + ":" + port
	}
	return protocol + ":" + port + " of " + host
}

// Listener accepts requests on a port of a load balancer. It forwards them to a target
// group, or redirects them to HTTPS.
type Listener struct {
	LoadBalancer Ref
	Port         int
	TargetGroup  Ref

	// Secure listeners speak HTTPS, with a certificate of the stack or of the user.
	Secure         bool
	Certificate    Ref
	CertificateARN string
	HSTS           bool
	Group          Ref // security group that admits clients to the port

	RedirectTo   Ref    // the listener for HTTPS; zero for a listener that forwards
	RedirectHost string // name to which the listener redirects; SameHost: the one that the client asked for
}

// Kind implements Body.
func (Listener) Kind() Kind { return KindListener }

// Title implements Body.
func (l Listener) Title() string {
	if l.Redirects() {
		return fmt.Sprintf("listener HTTP:%d, redirects to HTTPS", l.Port)
	}
	return fmt.Sprintf("listener %s:%d, forwards to the target group", l.Protocol(), l.Port)
}

// Protocol returns the listener's protocol.
func (l Listener) Protocol() string {
	if l.Secure {
		return "HTTPS"
	}
	return "HTTP"
}

// Redirects reports whether the listener redirects requests.
func (l Listener) Redirects() bool { return l.RedirectTo != Ref{} }

// Attributes implements Body.
func (l Listener) Attributes() []Attribute {
	all := []Attribute{
		fixed(ref(AttrLoadBalancer, l.LoadBalancer)),
		text(AttrPort, l.Port),
		text(AttrProtocol, l.Protocol()),
	}
	if l.Redirects() {
		return append(all, text(AttrRedirectsTo, Redirection("HTTPS", l.RedirectHost, strconv.Itoa(HTTPSPort))))
	}
	all = append(all, ref(AttrForwardsTo, l.TargetGroup))
	if !l.Secure {
		return all
	}
	certificate := ref(AttrCertificate, l.Certificate)
	if l.CertificateARN != "" {
		certificate = text(AttrCertificate, l.CertificateARN)
	}
	hsts := Off
	if l.HSTS {
		hsts = On
	}
	return append(all, certificate, text(AttrTLSPolicy, TLSPolicy), text(AttrHSTS, hsts))
}

// Needs implements Body.
func (l Listener) Needs() []Ref {
	var needs []Ref
	for _, ref := range []Ref{l.RedirectTo, l.Group} {
		if ref != (Ref{}) {
			needs = append(needs, ref)
		}
	}
	return needs
}
