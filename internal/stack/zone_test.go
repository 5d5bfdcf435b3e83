package stack_test

import (
	"slices"
	"strings"
	"testing"

	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/spec"
	"aloft.dev/aloft/internal/stack"
)

// zoneSpec returns the spec of three subnets with instance types.
func zoneSpec(t *testing.T, types ...string) *spec.Spec {
	t.Helper()
	const text = "app: shop\nstart: node .\nsource: {git: https://example.com/shop}\n"
	s, err := spec.Parse([]byte(text), spec.FileName, ".")
	if err != nil {
		t.Fatal(err)
	}
	s.Machines.Types = types
	return s
}

// offers returns the zones us-east-1a, us-east-1b and so on, each with the types that it
// offers: "t3.micro t2.micro".
func offers(each ...string) []stack.Zone {
	var all []stack.Zone
	for i, types := range each {
		all = append(all, stack.Zone{Name: "us-east-1" + string(rune('a'+i)), Offers: strings.Fields(types)})
	}
	return all
}

// problemText returns the summaries and hints of an error.
func problemText(err error) string {
	var out strings.Builder
	for _, d := range diag.From(err) {
		out.WriteString(d.Summary + "\n" + d.Hint + "\n")
	}
	return out.String()
}

// chosen returns the letters of the subnets' zones.
func chosen(t *testing.T, s *spec.Spec, facts stack.Facts) string {
	t.Helper()
	built, err := stack.Build(s, facts)
	if err != nil {
		t.Fatal(err)
	}
	var letters string
	for _, r := range built.Resources {
		if body, ok := r.Body.(stack.Subnet); ok {
			letters += strings.TrimPrefix(body.Zone, "us-east-1")
		}
	}
	return letters
}

func TestZonesAreChosenAmongThoseThatOfferTheTypes(t *testing.T) {
	one, both := "t3.micro", "t3.micro t3.small"
	single, list, named := zoneSpec(t, "t3.micro"), zoneSpec(t, "t3.micro", "t3.small"), zoneSpec(t, "t3.micro")
	named.Network.Subnets[1].Zone = "us-east-1a"
	for name, c := range map[string]struct {
		spec  *spec.Spec
		facts stack.Facts
		want  string
	}{
		"in order":              {single, stack.Facts{Zones: offers(one, one, one, one)}, "abc"},
		"a zone lacks it":       {single, stack.Facts{Zones: offers(one, "", one, one)}, "acd"},
		"all before the first":  {list, stack.Facts{Zones: offers(one, both, both)}, "bca"},
		"all before the second": {list, stack.Facts{Zones: offers("t3.small", both, both)}, "bca"},
		"named":                 {named, stack.Facts{Zones: offers(one, one, one)}, "bac"},
		"standing": {single, stack.Facts{
			Zones:   offers(one, one, one, one),
			Subnets: map[string]string{"subnet-1": "us-east-1d", "subnet-3": "us-east-1a"},
		}, "dba"},
		"standing in a zone that is unavailable": {single, stack.Facts{
			Zones: offers(one, one, one), Subnets: map[string]string{"subnet-2": "us-east-1f"},
		}, "afb"},
	} {
		if got := chosen(t, c.spec, c.facts); got != c.want {
			t.Errorf("%s: zones %s, want %s", name, got, c.want)
		}
	}
}

func TestZonesWithoutTheTypesAreRejectedWithAlternatives(t *testing.T) {
	wide, narrow := "t3.micro t3.small t3a.micro t2.micro", "t3.small t3a.micro"
	named, missing := zoneSpec(t, "t3.micro"), zoneSpec(t, "t3.micro")
	named.Network.Subnets[0].Zone = "us-east-1c"
	missing.Network.Subnets[0].Zone = "us-east-1z"
	for name, c := range map[string]struct {
		spec  *spec.Spec
		facts stack.Facts
		want  []string
	}{
		"too few zones": {zoneSpec(t, "t3.micro"), stack.Facts{Zones: offers(wide, wide)}, []string{
			"3 subnets need a zone each, and us-east-1 has 2: us-east-1a, us-east-1b", "fewer subnets",
		}},
		"too few offer it": {zoneSpec(t, "t3.micro"), stack.Facts{Zones: offers(wide, narrow, wide)}, []string{
			"3 subnets need a zone each that offers t3.micro, and us-east-1 has 2: us-east-1a, us-east-1c",
			"such as t3a.micro, t3.small; or fewer subnets or another region",
		}},
		"named zone lacks it": {named, stack.Facts{Zones: offers(wide, wide, narrow, wide)}, []string{
			"network.subnets[0].zone: us-east-1c does not offer t3.micro",
			"such as t3a.micro, t3.small; or another zone (us-east-1a, us-east-1b, us-east-1d)",
		}},
		"no such zone": {missing, stack.Facts{Zones: offers(wide, wide, wide)}, []string{
			"there is no zone us-east-1z", "can be used: us-east-1a, us-east-1b, us-east-1c",
		}},
		"a standing subnet's zone lacks it": {
			zoneSpec(t, "m7i.large"),
			stack.Facts{Zones: offers(wide, wide, wide+" m7i.large", wide+" m7i.large"), Subnets: map[string]string{
				"subnet-1": "us-east-1a", "subnet-2": "us-east-1c", "subnet-3": "us-east-1d",
			}},
			[]string{
				"us-east-1a, where subnet-1 is, does not offer m7i.large", "such as t3.micro, t3a.micro, t2.micro",
			},
		},
	} {
		_, err := stack.Build(c.spec, c.facts)
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		text := problemText(err)
		for _, want := range c.want {
			if !strings.Contains(text, want) {
				t.Errorf("%s: %q is not in\n%s", name, want, text)
			}
		}
	}
}

func TestOnlyMachinesThatServeStayInTheirZone(t *testing.T) {
	s := zoneSpec(t, "t3.micro", "t3.small")
	facts := stack.Facts{Zones: offers("t3.micro", "t3.micro", "t3.micro"), Release: "r2", Phase: stack.PhaseBuild}
	zonesOf := func(address string) (letters string) {
		built, err := stack.Build(s, facts)
		if err != nil {
			t.Fatal(err)
		}
		r, ok := built.Get(address)
		if !ok {
			t.Fatalf("there is no %s", address)
		}
		for _, p := range r.Body.(stack.Server).Places {
			letters += strings.TrimPrefix(p.Zone, "us-east-1")
		}
		return letters
	}
	if got := zonesOf(stack.AddressBuilder); got != "abc" {
		t.Errorf("the builder may be in %s", got)
	}
	facts.Phase = stack.PhaseServe
	if got := zonesOf("server-2"); got != "b" {
		t.Errorf("a server may be in %s", got)
	}
	s.Machines.Fallback = spec.FallbackZone
	if got := zonesOf("server-2"); got != "bca" {
		t.Errorf("a server that may fall back may be in %s", got)
	}
	built, err := stack.Build(s, facts)
	if err != nil {
		t.Fatal(err)
	}
	inOrder(t, "fallback", built)
	server, _ := built.Get("server-2")
	if !slices.ContainsFunc(server.References(), func(r stack.Ref) bool { return r.Address == "subnet-1" }) {
		t.Error("a server does not wait for the subnets that it may fall back to")
	}
}
