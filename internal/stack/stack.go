// Package stack derives the AWS resources that an application needs from its
// spec. Resources are plain data with references to values that are known only
// after creation, so a stack can be printed and tested without a cloud.
package stack

import (
	"fmt"
	"strings"
)

// Tags of the resources that Aloft creates. Aloft never touches a resource whose
// TagApp is not the application's name.
const (
	TagApp         = "aloft:app"         // the application
	TagAddress     = "aloft:address"     // address in the stack
	TagRelease     = "aloft:release"     // release that an instance runs or an image contains
	TagBuilds      = "aloft:builds"      // release that is being built on an instance
	TagBase        = "aloft:base"        // base image that a release's image was built on
	TagBaseName    = "aloft:base-name"   // name by which the spec asked for it: "debian-12"
	TagFingerprint = "aloft:fingerprint" // SHA-256 of a key pair's public key
	TagHostKey     = "aloft:host-key"    // an instance's SSH host key, as a line of an authorized_keys file
	TagPrivate     = "aloft:private"     // an instance that has no public address
	TagName        = "Name"
)

// Ref refers to a property of another resource that is known once that resource
// has been created: its id, its ARN or its name.
type Ref struct{ Address, Property string }

// String returns the reference in the form "vpc.id".
func (r Ref) String() string { return r.Address + "." + r.Property }

func id(address string) Ref  { return Ref{address, "id"} }
func arn(address string) Ref { return Ref{address, "arn"} }

// Body is the part of a resource that is specific to its kind.
type Body interface {
	Kind() Kind
	// Title describes the resource to people: "subnet 10.0.1.0/24 in us-east-1a".
	Title() string
	// Attributes returns what is compared with the cloud.
	Attributes() []Attribute
	// Needs returns references beyond those in the attributes: resources that have
	// to exist before this one.
	Needs() []Ref
}

// Resource is one desired resource.
type Resource struct {
	Address string            // "subnet-1"
	Name    string            // its Name tag, and its name in AWS if its kind has names
	Step    string            // step of the manual process that Aloft automates
	Tags    map[string]string // that the spec asks for, besides Aloft's own
	Body    Body

	// Existing is the resource that takes this one's place and existed before the application: others
	// refer to it, and it is never changed, tagged or deleted. It is nil for all others.
	Existing *Existing
}

// Existing is a resource that does not belong to the application.
type Existing struct {
	ID      string
	DNSName string // of an endpoint
}

// References returns the references of the resource, from its attributes and its
// needs, without duplicates. What exists needs nothing.
func (r Resource) References() []Ref {
	if r.Existing != nil {
		return nil
	}
	var refs []Ref
	seen := map[Ref]bool{}
	add := func(ref Ref) {
		if ref.Address != "" && !seen[ref] {
			seen[ref] = true
			refs = append(refs, ref)
		}
	}
	for _, a := range r.Attributes() {
		for _, t := range a.Terms {
			add(t.Ref)
		}
	}
	for _, ref := range r.Body.Needs() {
		add(ref)
	}
	return refs
}

// Stack lists the resources that an application needs. Each resource comes after
// those it refers to.
type Stack struct {
	App       string
	Region    string
	Release   string
	Phase     Phase
	Resources []Resource
}

// Partial reports whether the stack only adds what the builder or the candidate
// needs. Resources that it does not list are left alone, and so are listed ones
// that servers depend on.
func (s *Stack) Partial() bool { return s.Phase == PhaseBuild || s.Phase == PhaseProve }

// Get returns the resource with the given address.
func (s *Stack) Get(address string) (Resource, bool) {
	for _, r := range s.Resources {
		if r.Address == address {
			return r, true
		}
	}
	return Resource{}, false
}

// String prints the stack for people and for golden tests.
func (s *Stack) String() string {
	var out strings.Builder
	_, _ = fmt.Fprintf(&out, "%s in %s, release %s\n", s.App, s.Region, s.Release)
	if s.Phase != PhaseFirst {
		_, _ = fmt.Fprintf(&out, "phase %s\n", s.Phase)
	}
	for _, r := range s.Resources {
		if r.Existing != nil {
			_, _ = fmt.Fprintf(&out, "\n%s: %s exists\n", r.Address, r.Existing.ID)
			continue
		}
		_, _ = fmt.Fprintf(&out, "\n%s (step %s): %s\n", r.Address, r.Step, r.Body.Title())
		_, _ = fmt.Fprintf(&out, "  name: %s\n", r.Name)
		for _, a := range r.Attributes() {
			if a.Optional && len(a.Terms) == 0 {
				continue
			}
			_, _ = fmt.Fprintf(&out, "  %s\n", a)
		}
		for _, ref := range r.Body.Needs() {
			_, _ = fmt.Fprintf(&out, "  needs: %s\n", ref)
		}
	}
	return out.String()
}
