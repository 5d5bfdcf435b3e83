//go:build linux

// Package route decides what happens to a request: which of a listener's rules applies,
// and which target serves it.
package route

import (
	"cmp"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/plane/balancer/http1"
)

// Rules are a listener's compiled rules. They do not change.
type Rules struct {
	rules    []*rule // the lowest priority first
	fallback *Action
}

type rule struct {
	conditions []condition
	action     *Action
}

// Action is a balancer.Action with its target groups resolved.
type Action struct {
	Priority      int // of the rule; 0: the default rule
	FixedResponse *balancer.FixedResponse
	Redirect      *balancer.Redirect

	rule    string // ARN; empty: the default rule
	pools   []*Pool
	weights []int           // of the pools
	total   int             // of the weights
	roll    func(n int) int // a random number below n
	sealer  *sealer         // nil: no part of the action is sticky
	sticky  time.Duration   // how long a client stays with a pool; 0: it does not
	token   token           // names the action in cookies
	https   bool            // the listener's clients use TLS
}

// Compile compiles a listener's rules. pool returns the pool of a target group, or
// nil if it does not know the group; no request is forwarded to such a group.
func Compile(lb *balancer.LoadBalancer, l *balancer.Listener, pool func(arn string) *Pool) Rules {
	r := Rules{fallback: compileAction(lb, l.ARN, l.Action, pool)}
	r.fallback.https = l.TLS != nil
	for _, conf := range l.Rules {
		a := compileAction(lb, conf.ARN, conf.Action, pool)
		a.rule, a.Priority, a.https = conf.ARN, conf.Priority, l.TLS != nil
		r.rules = append(r.rules, &rule{conditions: compileConditions(conf.Conditions), action: a})
	}
	slices.SortStableFunc(r.rules, func(a, b *rule) int { return cmp.Compare(a.action.Priority, b.action.Priority) })
	return r
}

// compileAction compiles the action of the rule or listener with that ARN.
func compileAction(lb *balancer.LoadBalancer, arn string, a balancer.Action, pool func(string) *Pool) *Action {
	c := &Action{FixedResponse: a.FixedResponse, Redirect: a.Redirect, roll: rand.IntN, sticky: a.Sticky}
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
		c.sealer, c.token = newSealer(lb.CookieKey), tokenOf(arn)
	}
	return c
}

// Action returns the action for a request from the address: that of the first rule
// whose conditions are all met, or else the default action (Application Load
// Balancer guide, Listener rules).
func (r *Rules) Action(req *http1.Request, from netip.Addr) *Action {
	for _, rule := range r.rules {
		if rule.matches(req, from) {
			return rule.action
		}
	}
	return r.fallback
}

func (r *rule) matches(req *http1.Request, from netip.Addr) bool {
	for _, c := range r.conditions {
		if !c.met(req, from) {
			return false
		}
	}
	return true
}
