package apply

import (
	"fmt"
	"slices"
	"testing"

	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/spec"
	"aloft.dev/aloft/internal/stack"
)

// withDomain returns the stack of an application with one name, or none if it is "".
func withDomain(t *testing.T, name string) *stack.Stack {
	t.Helper()
	domain := ""
	if name != "" {
		domain = fmt.Sprintf("domain: %s\n", name)
	}
	s, err := spec.Parse([]byte("app: shop\nstart: x\n"+domain), "aloft.yaml", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	built, err := stack.Build(s, stack.Facts{
		Zones: zonesOffering("t3.micro"), Release: "r1", Phase: stack.PhaseServe,
		HostedZones: map[string]string{name: "Z1"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return built
}

// HTTP redirects to a name only while the name leads to the load balancer.
func TestRedirectsLeadToNamesThatExist(t *testing.T) {
	const before, after = "a.example.com", "b.example.com"
	for _, test := range []struct{ from, to string }{{"", after}, {before, after}, {before, ""}} {
		want := withDomain(t, test.to)
		ran := order(t, want, plan.Diff(want, existing(withDomain(t, test.from))))
		at := func(task string) int {
			i := slices.Index(ran, task)
			if i < 0 {
				t.Fatalf("%v: %s does not run: %q", test, task, ran)
			}
			return i
		}
		listener := at(stack.AddressListener)
		if test.to != "" && listener < at(stack.RecordAddress(test.to)) {
			t.Errorf("%v: the listener redirects before the name exists: %q", test, ran)
		}
		if test.from != "" && listener > at(stack.RecordAddress(test.from)+" delete") {
			t.Errorf("%v: the name is deleted before the listener stops redirecting to it: %q", test, ran)
		}
	}
}
