package balancer

import (
	"cmp"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/balancer/http1"
)

// plan is what a node does with the requests that arrive at one port. It is
// replaced whole.
type plan struct {
	lb       *LoadBalancer
	listener *Listener
	rules    []*compiledRule // the lowest priority first
	fallback *compiledAction
	secure   *secure // nil: clients speak plain HTTP

	// Names of the headers that tell targets of TLS; empty: nothing is told.
	tlsVersion, tlsCipher string
}

type compiledRule struct {
	conditions []condition
	action     *compiledAction
}

// compiledAction is an Action with its target groups found.
type compiledAction struct {
	rule     string // ARN; empty: the listener's default rule
	priority int    // of the rule; 0: the default rule
	fixed    *FixedResponse
	redirect *Redirect
	pools    []*pool
	weights  []int           // of the pools
	total    int             // of the weights
	roll     func(n int) int // a random number below n
	sealer   *sealer         // nil: nothing here is sticky
	sticky   time.Duration   // how long a client stays with a pool; 0: not
	place    token           // names the action in cookies
	https    bool            // the listener's clients speak TLS
}

// newPlan is what a node does at the listener's port. pool is asked for every
// target group that is forwarded to; it returns nil for one that it does not know.
func newPlan(lb *LoadBalancer, l *Listener, pool func(group string) *pool) *plan {
	p := &plan{lb: lb, listener: l, fallback: compile(lb, l.ARN, l.Action, pool)}
	p.fallback.https = l.TLS != nil
	if lb.TLSHeaders && l.TLS != nil {
		p.tlsVersion = cmp.Or(l.TLSVersionHeader, "X-Amzn-Tls-Version")
		p.tlsCipher = cmp.Or(l.TLSCipherHeader, "X-Amzn-Tls-Cipher-Suite")
	}
	for _, r := range l.Rules {
		a := compile(lb, r.ARN, r.Action, pool)
		a.rule, a.priority, a.https = r.ARN, r.Priority, l.TLS != nil
		p.rules = append(p.rules, &compiledRule{conditions: compileConditions(r.Conditions), action: a})
	}
	slices.SortStableFunc(
		p.rules,
		func(a, b *compiledRule) int { return cmp.Compare(a.action.priority, b.action.priority) },
	)
	return p
}

func compile(lb *LoadBalancer, of string, a Action, pool func(group string) *pool) *compiledAction {
	c := &compiledAction{fixed: a.FixedResponse, redirect: a.Redirect, roll: rand.IntN, sticky: a.Sticky}
	sticky := a.Sticky > 0
	for _, share := range a.Forward {
		p := pool(share.TargetGroup)
		if p == nil {
			continue
		}
		c.pools, c.weights = append(c.pools, p), append(c.weights, share.Weight)
		c.total += share.Weight
		sticky = sticky || p.group.Sticky != nil
	}
	if sticky {
		c.sealer, c.place = newSealer(lb.CookieKey), tokenOf(of)
	}
	return c
}

// action is what becomes of a request that came from the address: that of the
// first rule whose conditions are all met, else the default one (Application
// Load Balancer guide, Listener rules).
func (p *plan) action(r *http1.Request, from netip.Addr) *compiledAction {
	for _, rule := range p.rules {
		if rule.matches(r, from) {
			return rule.action
		}
	}
	return p.fallback
}

func (c *compiledRule) matches(r *http1.Request, from netip.Addr) bool {
	for _, condition := range c.conditions {
		if !condition.met(r, from) {
			return false
		}
	}
	return true
}
