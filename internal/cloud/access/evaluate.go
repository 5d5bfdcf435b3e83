// Package access decides whether policies allow a request, as AWS Identity and Access
// Management does (IAM User Guide, "Policy evaluation logic"). It is pure: callers bring
// the policies and everything about the request.
//
// The package fails closed. A statement that it cannot evaluate, because of an operator
// that it does not know or a variable without a value, allows nothing and denies what it
// otherwise would deny.
package access

import (
	"iter"
	"slices"
	"strings"

	"aloft.dev/aloft/internal/cloud/policydocument"
)

// Request describes what a principal wants to do.
type Request struct {
	Action string // "ec2:RunInstances"
	// Resources are the ARNs of the resources, all of which the policies must allow,
	// or "*" for an action that has none.
	Resources []string
	// Unknown reports that the resources are not known. A statement then allows the
	// request only if it names every resource, and denies it whatever it names.
	Unknown bool
	// Context holds the values of condition keys. Keys are read without regard to case.
	Context map[string][]string
	// Modelled reports whether the context would hold a condition key, given in lower
	// case, if the request had it. A condition with any other key cannot be evaluated.
	// nil: all keys are modelled.
	Modelled func(key string) bool
}

// Decision is the result of an evaluation.
type Decision struct {
	Allowed  bool
	Explicit bool   // a statement denies the request
	Layer    Layer  // what does not allow the request
	Resource string // the first one that is not allowed
}

// Layer is a kind of policy in the words of AWS's messages.
type Layer string

// The layers that a request must pass.
const (
	Identity Layer = "identity-based policy"
	Boundary Layer = "permissions boundary"
	Session  Layer = "session policy"
	Resource Layer = "resource-based policy"
)

// Policies are the policies that apply to a principal. Every layer that is not nil must
// allow a request, and no statement of any layer may deny it (IAM User Guide,
// "Permissions boundaries for IAM entities", "Session policies").
type Policies struct {
	Identity []*policydocument.Document
	Boundary *policydocument.Document
	Session  []*policydocument.Document // any of them may allow a request; nil: there is no such layer
}

// Evaluate decides about a request of a principal with identity policies and a
// permissions boundary, nil for none.
func Evaluate(identity []*policydocument.Document, boundary *policydocument.Document, r Request) Decision {
	return Policies{Identity: identity, Boundary: boundary}.Evaluate(r)
}

// Evaluate decides about a request.
func (p Policies) Evaluate(r Request) Decision {
	facts := newFacts(r)
	if len(r.Resources) == 0 {
		r.Resources = []string{"*"}
	}
	for _, layer := range p.layers() {
		for _, resource := range r.Resources {
			if denies(layer.documents, r, resource, facts) {
				return Decision{Explicit: true, Layer: layer.name, Resource: resource}
			}
		}
	}
	for _, layer := range p.layers() {
		for _, resource := range r.Resources {
			if !allows(layer.documents, r, resource, facts) {
				return Decision{Layer: layer.name, Resource: resource}
			}
		}
	}
	return Decision{Allowed: true}
}

// WithinLimits reports whether the principal may make a request that something other than
// its identity policies allows, such as the trust of a role: no statement denies it, and
// the boundary and the session policy, if there are any, allow it.
func (p Policies) WithinLimits(r Request) bool {
	p.Identity = append(slices.Clip(p.Identity), Everything())
	return p.Evaluate(r).Allowed
}

// Everything returns a document that allows every request.
func Everything() *policydocument.Document {
	return &policydocument.Document{Statements: []policydocument.Statement{
		{Allow: true, Actions: []string{"*"}, Resources: []string{"*"}},
	}}
}

type layer struct {
	name      Layer
	documents []*policydocument.Document
}

func (p Policies) layers() []layer {
	layers := []layer{{Identity, p.Identity}}
	if p.Boundary != nil {
		layers = append(layers, layer{Boundary, []*policydocument.Document{p.Boundary}})
	}
	if p.Session != nil {
		layers = append(layers, layer{Session, p.Session})
	}
	return layers
}

func denies(documents []*policydocument.Document, r Request, resource string, f facts) bool {
	return applies(documents, false, r, resource, f)
}

func allows(documents []*policydocument.Document, r Request, resource string, f facts) bool {
	return applies(documents, true, r, resource, f)
}

// applies reports whether a statement with the effect applies to the request.
func applies(documents []*policydocument.Document, allow bool, r Request, resource string, f facts) bool {
	for range matches(documents, allow, r, resource, f) {
		return true
	}
	return false
}

// Match is a statement that applies to a request.
type Match struct {
	Document  int // index of its document
	Statement int // its index there
}

// Matches returns the statements with an effect that apply to a request for one resource.
func Matches(documents []*policydocument.Document, allow bool, r Request) []Match {
	resource := "*"
	if len(r.Resources) > 0 {
		resource = r.Resources[0]
	}
	return slices.Collect(matches(documents, allow, r, resource, newFacts(r)))
}

// matches yields the statements with an effect that apply to a request.
func matches(documents []*policydocument.Document, allow bool, r Request, resource string, f facts) iter.Seq[Match] {
	return func(yield func(Match) bool) {
		for i, d := range documents {
			scope := f.in(d)
			for j := range d.Statements {
				s := &d.Statements[j]
				if s.Allow == allow && matchesAction(s, r.Action) && matchesResource(s, r, resource, scope) &&
					scope.meets(s) && !yield(Match{i, j}) {
					return
				}
			}
		}
	}
}

// matchesAction reports whether a statement is about an action. A statement without
// actions is about none.
func matchesAction(s *policydocument.Statement, action string) bool {
	matches := func(pattern string) bool { return likeAction(pattern, action) }
	if len(s.NotActions) > 0 {
		return !slices.ContainsFunc(s.NotActions, matches)
	}
	return slices.ContainsFunc(s.Actions, matches)
}

// likeAction reports whether a pattern matches an action, without regard to case. Most
// patterns are for other services, and cost no more than a comparison.
func likeAction(wanted, action string) bool {
	i := strings.IndexAny(wanted, "*?")
	switch {
	case i < 0:
		return strings.EqualFold(wanted, action)
	case i > len(action) || !strings.EqualFold(wanted[:i], action[:i]):
		return false
	}
	return compile(strings.ToLower(wanted[i:])).matches(strings.ToLower(action[i:]))
}

// matchesResource reports whether a statement is about a resource.
func matchesResource(s *policydocument.Statement, r Request, resource string, scope scope) bool {
	if r.Unknown {
		if !s.Allow {
			return true
		}
		resource = "*"
	}
	if len(s.NotResources) > 0 {
		if r.Unknown && s.Allow {
			return false
		}
		return !slices.ContainsFunc(s.NotResources, func(text string) bool {
			p, ok := scope.expand(text)
			if !ok {
				return s.Allow // an allowance must not grow because a variable has no value
			}
			return p.matchesARN(resource)
		})
	}
	return slices.ContainsFunc(s.Resources, func(text string) bool {
		p, ok := scope.expand(text)
		return ok && p.matchesARN(resource)
	})
}
