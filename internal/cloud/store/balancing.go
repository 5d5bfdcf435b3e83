package store

import (
	"strconv"
	"time"
)

// LoadBalancer is an Application Load Balancer.
type LoadBalancer struct {
	ARN, Region, Name string
	DNSName           string
	Scheme            string // "internet-facing", "internal"
	VPCID             string
	GroupIDs          []string
	Nodes             []Node // one a zone
	IPAddressType     string
	Attributes        map[string]string
	CookieKey         string // secret: makes the keys of stickiness cookies
	Created           time.Time
	Tags              Tags
	State             string // observed: "provisioning", "active", "failed"
	StateReason       string
}

func (r *LoadBalancer) region() string { return r.Region }

// Node is the load balancer's presence in one zone.
type Node struct{ Zone, SubnetID, InterfaceID string }

// TargetGroup is where a load balancer sends requests.
type TargetGroup struct {
	ARN, Region, Name string
	Protocol          string
	ProtocolVersion   string
	Port              int32
	VPCID             string
	TargetType        string // "instance", "ip"
	IPAddressType     string
	HealthCheck       HealthCheck
	Attributes        map[string]string
	Tags              Tags
}

func (r *TargetGroup) region() string { return r.Region }

// HealthCheck is how a target group tells healthy targets from others.
// Interval and Timeout are in seconds.
type HealthCheck struct {
	Enabled            bool
	Protocol, Port     string // Port: "traffic-port" or a number
	Path               string
	Interval, Timeout  int32
	Healthy, Unhealthy int32
	Matcher            string // "200", "200-299", "200,202"
}

// Listener is a port of a load balancer.
type Listener struct {
	ARN, Region, LoadBalancerARN string
	Port                         int32
	Protocol                     string
	SSLPolicy                    string
	Certificates                 []string // ARNs; the default one, then the certificate list
	Actions                      []Action // default actions
	Attributes                   map[string]string
	Tags                         Tags
}

func (r *Listener) region() string { return r.Region }

// Certificate is a server's certificate that a user has imported, as PEM.
type Certificate struct {
	ARN, Region string
	Body        string // the certificate itself
	Chain       string // of its issuers; may be empty
	Key         string // secret: no API tells it
	Created     time.Time
	Imported    time.Time
	Tags        Tags
}

func (r *Certificate) region() string { return r.Region }

// Rule is what a listener does with the requests that meet all conditions. The
// default rule has no row: it is the listener's own actions.
type Rule struct {
	ARN, Region, ListenerARN string
	Priority                 int32
	Conditions               []Condition
	Actions                  []Action
	Tags                     Tags
}

func (r *Rule) region() string { return r.Region }

// Condition is met when one of its values matches.
type Condition struct {
	Field   string   // "host-header", "path-pattern", "http-header", "http-request-method", "query-string", "source-ip"
	Header  string   // name of the header field, for http-header
	Values  []string // for all but query-string
	Regexes []string // in place of values
	Pairs   []QueryPair
}

// QueryPair is a parameter of a query string; the key may be empty.
type QueryPair struct{ Key, Value string }

// Action is what a listener does with a request.
type Action struct {
	Type              string // "forward", "redirect", "fixed-response"
	Order             int32
	Forward           []WeightedTargetGroup
	Stickiness        bool
	StickinessSeconds int32
	Redirect          *Redirect
	FixedResponse     *FixedResponse
}

// WeightedTargetGroup is a share of a forward action.
type WeightedTargetGroup struct {
	ARN    string
	Weight int32
}

// Redirect is the target of a redirect action, with ELB's placeholders.
type Redirect struct{ Protocol, Host, Port, Path, Query, StatusCode string }

// FixedResponse is the answer of a fixed-response action.
type FixedResponse struct{ StatusCode, ContentType, Body string }

// Target is one registration in a target group.
type Target struct {
	TargetGroupARN, Region string
	ID                     string // instance id or address
	Port                   int32
	Zone                   string
	Registered             time.Time
	DeregisteredAt         time.Time // zero: registered; else draining since then

	// Observed by the balancer.
	State, Reason, Description string
}

func (r *Target) region() string { return r.Region }

// Key identifies the registration: the same target may serve on several ports
// and in several groups, each with a health of its own.
func (r *Target) Key() string {
	return r.TargetGroupARN + "|" + r.ID + "|" + strconv.Itoa(int(r.Port))
}
