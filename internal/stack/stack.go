// Package stack is what an application needs of the cloud: resources as plain
// data, with references to what is not known yet. It is derived from a spec by
// a pure function, so that it can be printed and tested without a cloud.
package stack

import (
	"fmt"
	"strings"
)

// Tags that Aloft puts on everything it makes. What does not carry TagApp with
// the application's name is never touched.
const (
	TagApp         = "aloft:app"         // the application
	TagAddress     = "aloft:address"     // place in the graph
	TagRelease     = "aloft:release"     // release that a machine serves, or that an image holds
	TagBuilds      = "aloft:builds"      // release that is being made on a machine
	TagFingerprint = "aloft:fingerprint" // SHA-256 of a key pair's public key
	TagName        = "Name"
)

// Ref names an attribute of another resource that is known once that resource
// stands: its id, its ARN or its name.
type Ref struct{ Address, Attribute string }

// String gives the ref as people read it: "vpc.id".
func (r Ref) String() string { return r.Address + "." + r.Attribute }

// Term is one value of an attribute: a text, followed by what Ref refers to.
type Term struct {
	Text string
	Ref  Ref
}

// String gives the term as people read it: "tcp 3000 from security-group-web.id".
func (t Term) String() string {
	if t.Ref.Address == "" {
		return t.Text
	}
	return t.Text + t.Ref.String()
}

// Attribute is one thing about a resource that can be compared with the cloud.
type Attribute struct {
	Name  string
	Terms []Term // a set; most have one
	Fixed bool   // cannot be changed in place
	// Also are values that are as good as the one of Terms: something else in the
	// cloud changes it between them.
	Also []string
}

// Body is what is particular to a kind of resource.
type Body interface {
	Kind() Kind
	// Title describes the resource to a person: "subnet 10.0.1.0/24 in us-east-1a".
	Title() string
	// Attributes are what is compared with the cloud.
	Attributes() []Attribute
	// Needs are further references: what must stand before this can.
	Needs() []Ref
}

// Resource is one thing that the cloud is to hold.
type Resource struct {
	Address string // place in the graph: "subnet-1"
	Name    string // its Name tag, and its name where AWS has names
	Step    string // step of the process that Aloft automates
	Body    Body
}

// References are the refs of the resource, from attributes and needs, each once.
func (r Resource) References() []Ref {
	var refs []Ref
	seen := map[Ref]bool{}
	add := func(ref Ref) {
		if ref.Address != "" && !seen[ref] {
			seen[ref] = true
			refs = append(refs, ref)
		}
	}
	for _, a := range r.Body.Attributes() {
		for _, t := range a.Terms {
			add(t.Ref)
		}
	}
	for _, ref := range r.Body.Needs() {
		add(ref)
	}
	return refs
}

// Stack is all that an application needs, each resource after those that it
// refers to.
type Stack struct {
	App       string
	Region    string
	Release   string
	Phase     Phase
	Resources []Resource
}

// Part tells that the stack has only what transient machines need. What it
// does not have is left alone, and what machines serve on is taken as it
// stands.
func (s *Stack) Part() bool { return s.Phase == PhaseBuild || s.Phase == PhaseProve }

// Get finds a resource by its address.
func (s *Stack) Get(address string) (Resource, bool) {
	for _, r := range s.Resources {
		if r.Address == address {
			return r, true
		}
	}
	return Resource{}, false
}

// String prints the stack, for people and for golden tests.
func (s *Stack) String() string {
	var out strings.Builder
	_, _ = fmt.Fprintf(&out, "%s in %s, release %s\n", s.App, s.Region, s.Release)
	if s.Phase != PhaseFirst {
		_, _ = fmt.Fprintf(&out, "phase %s\n", s.Phase)
	}
	for _, r := range s.Resources {
		_, _ = fmt.Fprintf(&out, "\n%s (step %s): %s\n", r.Address, r.Step, r.Body.Title())
		_, _ = fmt.Fprintf(&out, "  name: %s\n", r.Name)
		for _, a := range r.Body.Attributes() {
			fixed := ""
			if a.Fixed {
				fixed = " (fixed)"
			}
			texts := make([]string, len(a.Terms))
			for i, t := range a.Terms {
				texts[i] = t.String()
			}
			also := ""
			if len(a.Also) > 0 {
				also = " (or " + strings.Join(a.Also, ", ") + ")"
			}
			_, _ = fmt.Fprintf(&out, "  %s%s: %s%s\n", a.Name, fixed, strings.Join(texts, ", "), also)
		}
		for _, ref := range r.Body.Needs() {
			_, _ = fmt.Fprintf(&out, "  needs: %s\n", ref)
		}
	}
	return out.String()
}

// text, ref, refs and fixed make the attributes of most resources.
func text(name string, value any) Attribute {
	return Attribute{Name: name, Terms: []Term{{Text: fmt.Sprint(value)}}}
}

func ref(name string, to Ref) Attribute {
	return Attribute{Name: name, Terms: []Term{{Ref: to}}}
}

func fixed(a Attribute) Attribute {
	a.Fixed = true
	return a
}

func refs(name string, to []Ref) Attribute {
	a := Attribute{Name: name}
	for _, r := range to {
		a.Terms = append(a.Terms, Term{Ref: r})
	}
	return a
}
