package resource

import (
	"testing"

	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

func TestKindsAreThoseOfTheStackInTheSameOrder(t *testing.T) {
	for i, k := range kinds {
		if rank := k.name.Rank(); rank != i {
			t.Errorf("%s has rank %d in the stack, and is at %d", k.name, rank, i)
		}
		operable := k.create != nil && k.remove != nil
		if k.find == nil || operable != (k.name != stack.KindMember) {
			t.Errorf("%s lacks an operation", k.name)
		}
	}
}

// body is a body of any kind.
type body struct{ kind stack.Kind }

func (b body) Kind() stack.Kind            { return b.kind }
func (body) Title() string                 { return "" }
func (body) Attributes() []stack.Attribute { return nil }
func (body) Needs() []stack.Ref            { return nil }

func TestMissingOperationsAreErrors(t *testing.T) {
	p := provisioner(&vpcCloud{})
	for _, kind := range []stack.Kind{stack.KindMember, "unknown"} {
		r, f := stack.Resource{Address: "x", Body: body{kind}}, plan.Found{Address: "x", Kind: kind}
		if _, err := p.Create(t.Context(), r, nil); err == nil {
			t.Errorf("created a resource of kind %s", kind)
		}
		if err := p.Update(t.Context(), r, f); err == nil {
			t.Errorf("updated a resource of kind %s", kind)
		}
		if err := p.Delete(t.Context(), f); err == nil {
			t.Errorf("deleted a resource of kind %s", kind)
		}
	}
}
