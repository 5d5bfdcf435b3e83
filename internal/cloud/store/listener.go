package store

import "aloft.dev/aloft/internal/cloud/identity"

// The keys are ARNs.
var (
	Listeners               = newTable("listeners", func(r *Listener) string { return r.ARN }, (*Listener).region)
	ListenersByLoadBalancer = Listeners.indexBy(
		"load_balancer",
		func(r *Listener) string { return r.LoadBalancerARN },
	)
	Rules           = newTable("rules", func(r *Rule) string { return r.ARN }, (*Rule).region)
	RulesByListener = Rules.indexBy("listener", func(r *Rule) string { return r.ListenerARN })
)

// Listener accepts connections on one port of a load balancer.
type Listener struct {
	ARN, LoadBalancerARN string
	Region               identity.Region
	Port                 int32
	Protocol             string
	SSLPolicy            string
	ALPNPolicy           string   // of a TLS listener; empty: "None"
	Certificates         []string // ARNs: the default certificate, then the certificate list
	Actions              []Action // default actions
	Attributes           map[string]string
	Tags                 Tags
}

// UsesTLS reports whether the listener ends its clients' TLS.
func (r *Listener) UsesTLS() bool { return r.Protocol == "HTTPS" || r.Protocol == "TLS" }

func (r *Listener) region() identity.Region { return r.Region }

// Rule assigns actions to the requests that meet all its conditions. The default
// rule has no row: its actions are the listener's.
type Rule struct {
	ARN, ListenerARN string
	Region           identity.Region
	Priority         int32
	Conditions       []Condition
	Actions          []Action
	Tags             Tags
}

func (r *Rule) region() identity.Region { return r.Region }

// Condition is met if one of its values matches.
type Condition struct {
	Field   string   // "host-header", "path-pattern", "http-header", "http-request-method", "query-string", "source-ip"
	Header  string   // name of the header field, for http-header
	Values  []string // of all conditions except query-string
	Regexes []string // instead of Values
	Pairs   []QueryPair
}

// QueryPair is a parameter of a query string. Key may be empty: any key matches.
type QueryPair struct{ Key, Value string }

// Action is one of a listener's or rule's actions.
type Action struct {
	Type              string // "forward", "redirect", "fixed-response", "authenticate-oidc", "authenticate-cognito"
	Order             int32
	Forward           []WeightedTargetGroup
	Stickiness        bool
	StickinessSeconds int32
	Redirect          *Redirect
	FixedResponse     *FixedResponse
	Authentication    *Authentication
}

// Authentication is how an action authenticates clients: with an OpenID Connect provider, or with a user
// pool of Amazon Cognito.
type Authentication struct {
	Issuer, AuthorizationEndpoint, TokenEndpoint, UserInfoEndpoint, ClientID string
	UserPool, UserPoolClient, UserPoolDomain                                 string // "": a provider
	Cookie, Scope                                                            string
	Seconds                                                                  int64 // of a session
	Parameters                                                               map[string]string
	Unauthenticated                                                          string // "deny", "allow", "authenticate"
}

// WeightedTargetGroup is a target group's share of a forward action.
type WeightedTargetGroup struct {
	ARN    string
	Weight int32
}

// Redirect is the destination of a redirect action. Its fields can contain ELB's
// placeholders.
type Redirect struct{ Protocol, Host, Port, Path, Query, StatusCode string }

// FixedResponse is the response of a fixed-response action.
type FixedResponse struct{ StatusCode, ContentType, Body string }
