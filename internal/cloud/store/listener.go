package store

// Tables of this file.
var (
	Listeners               = newTable("listeners", func(r *Listener) string { return r.ARN }, (*Listener).region)
	ListenersByLoadBalancer = Listeners.indexBy("load_balancer", func(r *Listener) string { return r.LoadBalancerARN })
	Rules                   = newTable("rules", func(r *Rule) string { return r.ARN }, (*Rule).region)
	RulesByListener         = Rules.indexBy("listener", func(r *Rule) string { return r.ListenerARN })
)

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
