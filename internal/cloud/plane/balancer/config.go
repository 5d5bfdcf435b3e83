//go:build linux

// Package balancer is the daemon's view of its load balancers: what they are
// configured to do, what they report, and a client of the process that serves them.
// Of Network Load Balancers the process checks the targets, and the kernel forwards
// the flows.
//
// That process (package process) runs apart from the daemon, so that traffic
// continues while the daemon restarts. The daemon starts or adopts it and
// configures it through a Client.
package balancer

import (
	"net/netip"
	"time"
)

// Config is the balancer's whole configuration. Setting the same configuration
// again changes nothing.
type Config struct {
	LoadBalancers []LoadBalancer `json:"load_balancers"`
	TargetGroups  []TargetGroup  `json:"target_groups"`
	// Neighbours are served by others. Only the loopback front knows them.
	Neighbours []Neighbour `json:"neighbours,omitempty"`
}

// Neighbour is a name that shares a port of the host's loopback with load balancers. The front
// forwards the connections of clients that name it, which use TLS, to a server on the loopback.
type Neighbour struct {
	DNSName string         `json:"dns_name"`
	Port    uint16         `json:"port"`
	To      netip.AddrPort `json:"to"`
}

// LoadBalancer is one Application Load Balancer or Network Load Balancer.
type LoadBalancer struct {
	ARN           string        `json:"arn"`
	DNSName       string        `json:"dns_name"`          // the loopback front answers to it
	Aliases       []string      `json:"aliases,omitempty"` // names in hosted zones; "*.b" for all below b
	Nodes         []Node        `json:"nodes"`
	Listeners     []Listener    `json:"listeners"`
	IdleTimeout   time.Duration `json:"idle_timeout"`
	ForwardedFor  string        `json:"forwarded_for"`  // X-Forwarded-For: "append", "preserve" or "remove"
	ForwardedPort bool          `json:"forwarded_port"` // X-Forwarded-For includes the client's port
	// DropInvalid drops header fields whose names have characters other than
	// letters, digits and hyphens (routing.http.drop_invalid_header_fields.enabled).
	DropInvalid bool `json:"drop_invalid"`

	// KeepAlive is how long a client may keep its connection. The first request
	// after that is the connection's last (client_keep_alive.seconds, 60 s to 7 d).
	KeepAlive time.Duration `json:"keep_alive"`
	// Desync is the desync mitigation mode, "monitor", "defensive" or "strictest". It
	// decides on requests that two parsers could read differently
	// (routing.http.desync_mitigation_mode).
	Desync string `json:"desync"`
	// PreserveHost passes the client's Host header on unchanged. Otherwise a node adds
	// or removes the port (routing.http.preserve_host_header.enabled).
	PreserveHost bool `json:"preserve_host"`
	// CookieKey is the secret from which the keys of stickiness cookies are derived.
	// All nodes share it, so a client may return through another zone.
	CookieKey string `json:"cookie_key"`
	// LogDir is the folder of the access logs, in place of a bucket and prefix. If it is
	// empty, access logs are off (access_logs.s3.enabled).
	LogDir string `json:"log_dir"`
	// NoHTTP2 limits clients of HTTPS listeners to HTTP/1.1 (routing.http2.enabled is false).
	NoHTTP2 bool `json:"no_http2,omitempty"`
	// TLSHeaders adds the client's TLS version and cipher to requests
	// (routing.http.x_amzn_tls_version_and_cipher_suite.enabled).
	TLSHeaders bool `json:"tls_headers,omitempty"`
}

// Node is a load balancer's presence in one zone.
type Node struct {
	ID        string     `json:"id"`
	Zone      string     `json:"zone"`
	Namespace string     `json:"namespace"`     // path of the network namespace; empty: the process's own
	Address   netip.Addr `json:"address"`       // inside the VPC
	Public    netip.Addr `json:"public"`        // on the internet; invalid for internal load balancers
	IPv6      netip.Addr `json:"ipv6,omitzero"` // inside the VPC, and on the internet; invalid: none
}

// Listener is a port on which every node accepts HTTP, HTTPS or TLS, or forwards flows.
type Listener struct {
	ARN  string `json:"arn"`
	Port uint16 `json:"port"`
	// Forwards has "tcp", "udp" or both if the kernel forwards the flows of these protocols to
	// the targets; empty: nodes accept requests.
	Forwards []string `json:"forwards,omitempty"`
	// Relays is the family of clients whose TCP connections nodes accept and pass on nevertheless,
	// because targets have addresses of the other family; empty: none.
	Relays ClientFamily `json:"relays,omitempty"`
	// Opaque makes a node pass on what it receives or decrypts, whatever it is, to one target for
	// each connection. That is so for TLS listeners of Network Load Balancers and for Relays.
	Opaque bool   `json:"opaque,omitempty"`
	TLS    *TLS   `json:"tls,omitempty"`   // nil: clients use plain HTTP
	Action Action `json:"action"`          // for requests that no rule matches
	Rules  []Rule `json:"rules,omitempty"` // in order of priority

	// Headers are set in every response to a client and replace the target's fields of
	// the same names (Application Load Balancer guide, Add response headers).
	Headers map[string]string `json:"headers,omitempty"`
	// NoServer omits "Server: awselb/2.0" from the load balancer's own responses
	// (routing.http.response.server.enabled is false; Application Load Balancer
	// guide, HTTP header modification: Disable headers).
	NoServer bool `json:"no_server,omitempty"`

	// TLSVersionHeader and TLSCipherHeader rename the headers that
	// LoadBalancer.TLSHeaders adds. If empty, the names are AWS's own
	// (routing.http.request.x_amzn_tls_version.header_name and
	// …x_amzn_tls_cipher_suite.header_name).
	TLSVersionHeader string `json:"tls_version_header,omitempty"`
	TLSCipherHeader  string `json:"tls_cipher_header,omitempty"`
}

// ClientFamily is a version of the Internet Protocol by which clients reach a node.
type ClientFamily string

// The families.
const (
	OverIPv4 ClientFamily = "ipv4"
	OverIPv6 ClientFamily = "ipv6"
)

// Accepts reports whether nodes accept connections to an address of theirs at the listener.
func (l Listener) Accepts(to netip.Addr) bool {
	family := OverIPv6
	if to.Is4() {
		family = OverIPv4
	}
	return len(l.Forwards) == 0 || l.Relays == family
}

// Rule applies its action to requests that meet all of its conditions.
type Rule struct {
	ARN        string      `json:"arn"`
	Priority   int         `json:"priority"` // the lowest is evaluated first
	Conditions []Condition `json:"conditions"`
	Action     Action      `json:"action"`
}

// Condition is met when one of its values matches (Application Load Balancer
// guide, Condition types for listener rules).
type Condition struct {
	// Field is "host-header", "path-pattern", "http-header", "http-request-method",
	// "query-string" or "source-ip".
	Field string `json:"field"`
	// Header is the name of the header field, for http-header.
	Header string `json:"header,omitempty"`
	// Values may contain the wildcards * and ?, except methods and CIDR blocks.
	Values  []string `json:"values,omitempty"`
	Regexes []string `json:"regexes,omitempty"` // for host-header, path-pattern and http-header
	Pairs   []Pair   `json:"pairs,omitempty"`   // for query-string
}

// Pair is a parameter of a query string. Both parts may contain wildcards. An
// empty key matches any parameter with that value.
type Pair struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// Action is how a request is handled. Exactly one of Forward, Redirect and
// FixedResponse is set.
type Action struct {
	Forward []Share `json:"forward,omitempty"`
	// Sticky is how long a client stays with the target group it was forwarded to; 0
	// means that it does not.
	Sticky        time.Duration  `json:"sticky,omitempty"`
	Redirect      *Redirect      `json:"redirect,omitempty"`
	FixedResponse *FixedResponse `json:"fixed_response,omitempty"`
}

// Share is a target group's share of an action's requests.
type Share struct {
	TargetGroup string `json:"target_group"` // its ARN
	Weight      int    `json:"weight"`
}

// Redirect sends the client to another URL. Its strings may contain #{protocol},
// #{host}, #{port}, #{path} and #{query} (Application Load Balancer guide,
// Redirect actions).
type Redirect struct {
	Protocol string `json:"protocol"`
	Host     string `json:"host"`
	Port     string `json:"port"`
	Path     string `json:"path"`
	Query    string `json:"query"`
	Code     int    `json:"code"` // 301 or 302
}

// FixedResponse is a response that needs no target.
type FixedResponse struct {
	Code        int    `json:"code"`
	ContentType string `json:"content_type"`
	Body        string `json:"body"`
}

// TargetGroup is a set of targets and their health check. A group serves at most
// one load balancer.
type TargetGroup struct {
	ARN     string      `json:"arn"`
	TLS     bool        `json:"tls"` // targets serve HTTPS or TLS; like AWS, nodes do not verify their certificates
	Version Version     `json:"version,omitempty"`
	Check   HealthCheck `json:"check"`
	Targets []Target    `json:"targets"`

	// Algorithm is "round_robin", "least_outstanding_requests" or "weighted_random".
	// Empty means round robin.
	Algorithm string        `json:"algorithm"`
	SlowStart time.Duration `json:"slow_start"` // how long a new target's share grows; 0: it is full at once
	ZoneOnly  bool          `json:"zone_only"`  // cross-zone load balancing is off: a node uses its own zone's targets
	Sticky    *Stickiness   `json:"sticky,omitempty"`
	FailOpen  Minimum       `json:"fail_open"` // below it, a node also sends requests to unhealthy targets
	Failover  Minimum       `json:"failover"`  // below it, a node's address leaves the load balancer's DNS name
	// LeaveEmptyZones makes the address of a node that has none of the targets leave the name too.
	LeaveEmptyZones bool  `json:"leave_empty_zones,omitempty"`
	Flows           Flows `json:"flows,omitzero"`
}

// Flows configures how connections of an opaque listener reach the targets of a group.
type Flows struct {
	// Impersonate gives connections to targets the client's address (preserve_client_ip.enabled).
	Impersonate bool `json:"impersonate,omitempty"`
	// EndDeregistered ends connections to targets whose deregistration is over
	// (deregistration_delay.connection_termination.enabled).
	EndDeregistered bool `json:"end_deregistered,omitempty"`
	// EndUnhealthy ends connections to targets that become unhealthy
	// (target_health_state.unhealthy.connection_termination.enabled).
	EndUnhealthy bool `json:"end_unhealthy,omitempty"`
}

// Version is the version of HTTP that targets use.
type Version string

// The versions. Targets of GRPC use HTTP/2 too; clients may only POST to them.
const (
	HTTP1 Version = ""
	HTTP2 Version = "HTTP2"
	GRPC  Version = "GRPC"
)

// Stickiness keeps a client with the target that served it first (Application
// Load Balancer guide, Sticky sessions).
type Stickiness struct {
	Cookie string        `json:"cookie"` // the application's cookie; empty: the load balancer's own cookie decides
	For    time.Duration `json:"for"`    // since the client's last request
}

// Minimum is how many targets must be healthy. Both conditions apply.
type Minimum struct {
	Count   int `json:"count"`   // 0: no minimum
	Percent int `json:"percent"` // of the registered targets; 0: no minimum
}

// Below reports whether too few of the registered targets are healthy.
func (m Minimum) Below(healthy, registered int) bool {
	return healthy < m.Count || healthy*100 < registered*m.Percent
}

// HealthCheck is the check that every node makes of every target in a group.
type HealthCheck struct {
	Connect bool `json:"connect,omitempty"` // a TCP connection passes; nothing is sent
	// HostPort is the port in the Host header of a request, which then names the node's address;
	// 0: the header names the target's (Network Load Balancer guide, Health checks).
	HostPort           uint16        `json:"host_port,omitempty"`
	TLS                bool          `json:"tls"`
	Version            Version       `json:"version,omitempty"`
	Port               uint16        `json:"port"` // 0: the port that receives traffic
	Path               string        `json:"path"`
	Interval           time.Duration `json:"interval"`
	Timeout            time.Duration `json:"timeout"`
	HealthyThreshold   int           `json:"healthy_threshold"`
	UnhealthyThreshold int           `json:"unhealthy_threshold"`
	Matcher            Matcher       `json:"matcher"`
}

// Matcher is the set of status codes that pass a check: of HTTP, or of gRPC with that version.
type Matcher []CodeRange

// CodeRange is a range of status codes, both ends included.
type CodeRange struct {
	First int `json:"first"`
	Last  int `json:"last"`
}

// Has reports whether a check with that status code passes.
func (m Matcher) Has(code int) bool {
	for _, r := range m {
		if r.First <= code && code <= r.Last {
			return true
		}
	}
	return false
}

// Target is a target registered with a group.
type Target struct {
	ID       string     `json:"id"` // instance ID or IP address, as registered
	Address  netip.Addr `json:"address"`
	Port     uint16     `json:"port"`
	Zone     string     `json:"zone"`     // "all" or empty: every zone
	Draining bool       `json:"draining"` // receives no new requests, but finishes those in flight
}

// Serves reports whether a node in the zone sends to the target if cross-zone load
// balancing is off.
func (t Target) Serves(zone string) bool { return t.Zone == zone || t.Zone == "" || t.Zone == "all" }

// AddrPort returns the address at which the target receives requests.
func (t Target) AddrPort() netip.AddrPort { return netip.AddrPortFrom(t.Address, t.Port) }

// TargetKey identifies a registration.
type TargetKey struct {
	TargetGroup string `json:"target_group"`
	ID          string `json:"id"`
	Port        uint16 `json:"port"`
}
