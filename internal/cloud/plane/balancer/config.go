// Package balancer is the data plane of Application Load Balancers: in every
// zone a node that accepts connections at its own address inside the VPC,
// checks the health of the targets and passes requests on to them.
//
// It runs as a process of its own (RunProcess), so that traffic goes on while
// the daemon is away. The daemon starts or adopts that process and sets what it
// should do through a Client.
package balancer

import (
	"net/netip"
	"time"
)

// Config is everything that the balancer should do. It is set whole; setting
// the same again changes nothing.
type Config struct {
	LoadBalancers []LoadBalancer `json:"load_balancers"`
	TargetGroups  []TargetGroup  `json:"target_groups"`
}

// LoadBalancer is one Application Load Balancer.
type LoadBalancer struct {
	ARN           string        `json:"arn"`
	DNSName       string        `json:"dns_name"` // known to the loopback front
	Nodes         []Node        `json:"nodes"`
	Listeners     []Listener    `json:"listeners"`
	IdleTimeout   time.Duration `json:"idle_timeout"`
	ForwardedFor  string        `json:"forwarded_for"`  // "append", "preserve" or "remove" X-Forwarded-For
	ForwardedPort bool          `json:"forwarded_port"` // X-Forwarded-For tells the client's port too
	DropInvalid   bool          `json:"drop_invalid"`   // header fields with names of other than letters, digits and hyphens

	// KeepAlive is how long a client's connection lives: the first request that
	// comes later is the last one on it (client_keep_alive.seconds, 60 s to 7 d).
	KeepAlive time.Duration `json:"keep_alive"`
	// Desync is "monitor", "defensive" or "strictest": what becomes of requests
	// that two readers could take for different ones (routing.http.desync_mitigation_mode).
	Desync string `json:"desync"`
	// PreserveHost leaves the Host header as the client wrote it; else a node may
	// take a port away that is the scheme's own (routing.http.preserve_host_header.enabled).
	PreserveHost bool `json:"preserve_host"`
	// CookieKey is the secret from which the keys of stickiness cookies are made.
	// All nodes share it, so that a client may come back by another zone.
	CookieKey string `json:"cookie_key"`
	// LogDir is the folder that takes the place of bucket and prefix of the access
	// logs; empty: there are none (access_logs.s3.enabled).
	LogDir string `json:"log_dir"`
	// NoHTTP2 keeps clients of HTTPS listeners to HTTP/1.1 (routing.http2.enabled is false).
	NoHTTP2 bool `json:"no_http2,omitempty"`
	// TLSHeaders tells targets of HTTPS listeners which version and cipher the client
	// uses (routing.http.x_amzn_tls_version_and_cipher_suite.enabled).
	TLSHeaders bool `json:"tls_headers,omitempty"`
}

// Node is a load balancer's presence in one zone.
type Node struct {
	ID        string     `json:"id"`
	Zone      string     `json:"zone"`
	Namespace string     `json:"namespace"` // path of the network namespace; empty: the process's own
	Address   netip.Addr `json:"address"`   // inside the VPC
	Public    netip.Addr `json:"public"`    // as the internet knows it; zero for internal load balancers
}

// Listener is a port on which all nodes accept HTTP, or HTTPS.
type Listener struct {
	ARN    string `json:"arn"`
	Port   uint16 `json:"port"`
	TLS    *TLS   `json:"tls,omitempty"`   // nil: clients speak plain HTTP
	Action Action `json:"action"`          // of requests that no rule matches
	Rules  []Rule `json:"rules,omitempty"` // in the order of their priorities

	// Headers are set in every response to a client, in place of what a target
	// sent under the same name (Application Load Balancer guide, Add response headers).
	Headers map[string]string `json:"headers,omitempty"`
	// NoServer keeps "Server: awselb/2.0" out of the load balancer's own answers
	// (routing.http.response.server.enabled is false; Application Load Balancer
	// guide, HTTP header modification: Disable headers).
	NoServer bool `json:"no_server,omitempty"`

	// Names of the headers of LoadBalancer.TLSHeaders; empty: AWS's own
	// (routing.http.request.x_amzn_tls_version.header_name and
	// …x_amzn_tls_cipher_suite.header_name).
	TLSVersionHeader string `json:"tls_version_header,omitempty"`
	TLSCipherHeader  string `json:"tls_cipher_header,omitempty"`
}

// Rule is what becomes of the requests that meet all its conditions.
type Rule struct {
	ARN        string      `json:"arn"`
	Priority   int         `json:"priority"` // the lowest first
	Conditions []Condition `json:"conditions"`
	Action     Action      `json:"action"`
}

// Condition is met when one of its values matches (Application Load Balancer
// guide, Condition types for listener rules).
type Condition struct {
	Field   string   `json:"field"`             // "host-header", "path-pattern", "http-header", "http-request-method", "query-string", "source-ip"
	Header  string   `json:"header,omitempty"`  // name of the field, for http-header
	Values  []string `json:"values,omitempty"`  // with the wildcards * and ?, but for methods and CIDR blocks
	Regexes []string `json:"regexes,omitempty"` // for host-header, path-pattern and http-header
	Pairs   []Pair   `json:"pairs,omitempty"`   // for query-string
}

// Pair is a parameter of a query string, with wildcards. Without a key, the
// value alone is looked for.
type Pair struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// Action is what becomes of a request: exactly one of Forward, Redirect and
// FixedResponse is set.
type Action struct {
	Forward       []Share        `json:"forward,omitempty"`
	Sticky        time.Duration  `json:"sticky,omitempty"` // how long a client stays with a target group; 0: not
	Redirect      *Redirect      `json:"redirect,omitempty"`
	FixedResponse *FixedResponse `json:"fixed_response,omitempty"`
}

// Share is the part of the requests that goes to a target group.
type Share struct {
	TargetGroup string `json:"target_group"` // its ARN
	Weight      int    `json:"weight"`
}

// Redirect sends the client elsewhere. Its texts may hold #{protocol}, #{host},
// #{port}, #{path} and #{query} (Application Load Balancer guide, Redirect actions).
type Redirect struct {
	Protocol string `json:"protocol"`
	Host     string `json:"host"`
	Port     string `json:"port"`
	Path     string `json:"path"`
	Query    string `json:"query"`
	Code     int    `json:"code"` // 301 or 302
}

// FixedResponse is answered without any target.
type FixedResponse struct {
	Code        int    `json:"code"`
	ContentType string `json:"content_type"`
	Body        string `json:"body"`
}

// TargetGroup is a set of targets and how to tell the healthy ones. One group
// serves at most one load balancer.
type TargetGroup struct {
	ARN     string      `json:"arn"`
	TLS     bool        `json:"tls"` // targets speak HTTPS; their certificates are not verified, as on AWS
	Check   HealthCheck `json:"check"`
	Targets []Target    `json:"targets"`

	Algorithm string        `json:"algorithm"`  // "round_robin", "least_outstanding_requests", "weighted_random"; empty: the first
	SlowStart time.Duration `json:"slow_start"` // how long a new target's share grows; 0: it is full at once
	ZoneOnly  bool          `json:"zone_only"`  // cross-zone load balancing is off: a node uses its own zone's targets alone
	Sticky    *Stickiness   `json:"sticky,omitempty"`
	FailOpen  Minimum       `json:"fail_open"` // below it, a node sends requests to unhealthy targets too
	Failover  Minimum       `json:"failover"`  // below it, a node's address leaves the load balancer's name
}

// Stickiness keeps a client with the target that served it first (Application
// Load Balancer guide, Sticky sessions).
type Stickiness struct {
	Cookie string        `json:"cookie"` // name of the application's cookie; empty: the load balancer's own cookie alone
	For    time.Duration `json:"for"`    // since the client's last request
}

// Minimum is how many targets have to be healthy: both the number and the part.
type Minimum struct {
	Count   int `json:"count"`   // 0: no matter
	Percent int `json:"percent"` // of the registered ones; 0: no matter
}

// Below tells whether too few of the registered targets are healthy.
func (m Minimum) Below(healthy, registered int) bool {
	return healthy < m.Count || healthy*100 < registered*m.Percent
}

// HealthCheck is the question put to every target of a group by every node.
type HealthCheck struct {
	TLS                bool          `json:"tls"`
	Port               uint16        `json:"port"` // 0: the port on which the target takes traffic
	Path               string        `json:"path"`
	Interval           time.Duration `json:"interval"`
	Timeout            time.Duration `json:"timeout"`
	HealthyThreshold   int           `json:"healthy_threshold"`
	UnhealthyThreshold int           `json:"unhealthy_threshold"`
	Matcher            Matcher       `json:"matcher"`
}

// Matcher is the set of status codes that mean a passed check.
type Matcher []CodeRange

// CodeRange is a range of status codes, both ends included.
type CodeRange struct {
	First int `json:"first"`
	Last  int `json:"last"`
}

// Has tells whether the code means a passed check.
func (m Matcher) Has(code int) bool {
	for _, r := range m {
		if r.First <= code && code <= r.Last {
			return true
		}
	}
	return false
}

// Target is one registration in a group.
type Target struct {
	ID       string     `json:"id"` // instance id or address, as registered
	Address  netip.Addr `json:"address"`
	Port     uint16     `json:"port"`
	Zone     string     `json:"zone"`     // "all" or empty: every zone's
	Draining bool       `json:"draining"` // takes no new requests; those in flight go on
}

// TargetKey identifies a registration.
type TargetKey struct {
	TargetGroup string `json:"target_group"`
	ID          string `json:"id"`
	Port        uint16 `json:"port"`
}

func (t Target) addrPort() netip.AddrPort { return netip.AddrPortFrom(t.Address, t.Port) }
