//go:build linux

package mainjob

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aloft.dev/aloft/internal/apply"
	"aloft.dev/aloft/internal/cloud/api/ec2"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/event"
	"aloft.dev/aloft/internal/spec"
	"aloft.dev/aloft/test/simulation"
)

// scarce is a cloud in which some pools, such as "us-east-1a t3.micro", lack capacity.
// It records the launches that are requested and the notes of runs.
type scarce struct {
	*simulation.Cloud
	keys string

	mu       sync.Mutex
	launches []string // instance types in the order of the requests
	notes    []string
}

func newScarce(t *testing.T, pools map[string]ec2.Capacity) *scarce {
	t.Helper()
	c := &scarce{Cloud: simulation.New(t), keys: t.TempDir()}
	c.set(pools)
	return c
}

func (c *scarce) set(pools map[string]ec2.Capacity) {
	hook := func(zone, instanceType string) ec2.Capacity { return pools[zone+" "+instanceType] }
	c.Capacity.Store(&hook)
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// record records the instance type of each RunInstances request.
func (c *scarce) record(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		if form, err := url.ParseQuery(string(body)); err == nil && form.Get("Action") == "RunInstances" &&
			!simulation.IsDryRun(body) {
			c.mu.Lock()
			c.launches = append(c.launches, form.Get("InstanceType"))
			c.mu.Unlock()
		}
		return next.RoundTrip(r)
	})
}

func (c *scarce) note(e event.Event) {
	if e.Kind == event.Note {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.notes = append(c.notes, e.Address+" "+e.Message)
	}
}

// deployment returns a deployment of a spec that records launches and notes.
func (c *scarce) deployment(t *testing.T, s *spec.Spec, release string) *apply.Deployment {
	t.Helper()
	d, err := apply.New(apply.Config{
		Spec: s, Client: c.Client(t, c.record), Builder: &simulation.Builder{ReleaseName: release}, KeyDir: c.keys,
		Poll: 200 * time.Millisecond, Events: c.note,
		SourceAddress: func(context.Context, netip.Addr) ([]netip.Prefix, error) {
			return []netip.Prefix{netip.MustParsePrefix("198.18.0.9/32")}, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// typed returns the tutorial with instance types.
func typed(t *testing.T, fallback string, types ...string) *spec.Spec {
	t.Helper()
	s := simulation.Tutorial(t)
	s.Machines.Types, s.Machines.Fallback = types, fallback
	return s
}

// servers describes the servers of a status: "server-1 t3.micro us-east-1a".
func servers(s *apply.Status) []string {
	var all []string
	for _, m := range s.Machines {
		all = append(all, m.Name+" "+m.Type+" "+m.Zone)
	}
	slices.Sort(all)
	return all
}

func wantServers(t *testing.T, s *apply.Status, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, servers(s)); diff != "" {
		t.Error(diff)
	}
}

func TestServerFallsBackToTheNextTypeAndStays(t *testing.T) {
	c := newScarce(t, map[string]ec2.Capacity{"us-east-1b t3.micro": ec2.Insufficient})
	d := c.deployment(t, typed(t, "", "t3.micro", "t3.small"), "r1")
	want := []string{"server-1 t3.micro us-east-1a", "server-2 t3.small us-east-1b", "server-3 t3.micro us-east-1c"}
	status := simulation.Up(t, d)
	wantServers(t, status, want...)
	if status.Machines[1].Fallback != "t3.small, not t3.micro" || status.Machines[0].Fallback != "" {
		t.Errorf("the status says %+v", status.Machines)
	}
	if !slices.Contains(c.notes, "server-2 is launched as t3.small in us-east-1b, because there is no room for "+
		"t3.micro in us-east-1b") {
		t.Errorf("notes %q", c.notes)
	}
	simulation.PlanIsEmpty(t, d)
	c.set(nil)
	before := len(c.launches)
	wantServers(t, simulation.Up(t, d), want...)
	if len(c.launches) != before {
		t.Errorf("a server of a listed type was replaced when its preferred type had room again: %v", c.launches)
	}
}

func TestServerMovesToAnotherZoneOnlyIfTheSpecAllowsIt(t *testing.T) {
	full := map[string]ec2.Capacity{"us-east-1b t3.micro": ec2.Insufficient, "us-east-1b t3.small": ec2.Insufficient}
	c := newScarce(t, full)
	_, err := c.deployment(t, typed(t, "", "t3.micro", "t3.small"), "r1").Up(t.Context())
	list := diag.From(err)
	if len(list) != 1 || list[0].Where != "server-2" ||
		list[0].Summary != "us-east-1b has no capacity for t3.micro now; "+
			"us-east-1b has no capacity for t3.small now" ||
		!strings.Contains(list[0].Hint, "machines.fallback: zone") ||
		!strings.Contains(list[0].Detail, "InsufficientInstanceCapacity: We currently do not have sufficient") {
		t.Errorf("got %+v", list)
	}
	d := c.deployment(t, typed(t, spec.FallbackZone, "t3.micro", "t3.small"), "r1")
	status := simulation.Up(t, d)
	wantServers(t, status,
		"server-1 t3.micro us-east-1a", "server-2 t3.micro us-east-1c", "server-3 t3.micro us-east-1c")
	if got := status.Machines[1].Fallback; got != "us-east-1c, not us-east-1b" {
		t.Errorf("the status says %q", got)
	}
	simulation.PlanIsEmpty(t, d)
	c.set(nil)
	simulation.PlanIsEmpty(t, d)
}

func TestLackOfCapacityIsAskedOnceAndRemembered(t *testing.T) {
	full := map[string]ec2.Capacity{}
	for _, zone := range []string{"a", "b", "c"} {
		full["us-east-1"+zone+" t3.micro"] = ec2.Insufficient
	}
	c := newScarce(t, full)
	s := typed(t, "", "t3.micro", "t3.small")
	s.Machines.Count = 6
	status := simulation.Up(t, c.deployment(t, s, "r1"))
	if len(status.Machines) != 6 {
		t.Errorf("servers %v", servers(status))
	}
	micro := 0
	for _, launched := range c.launches {
		if launched == "t3.micro" {
			micro++
		}
	}
	// The answer to server-1 is known before the others are launched, so server-4 does not
	// ask its zone again. The others are launched at the same time, and may all ask.
	if micro > 5 {
		t.Errorf("t3.micro was requested %d times: %v", micro, c.launches)
	}
}

func TestFailedLaunchEndsTheRunWithoutRepeating(t *testing.T) {
	c := newScarce(t, map[string]ec2.Capacity{"us-east-1a t3.micro": ec2.Insufficient})
	_, err := c.deployment(t, typed(t, "", "t3.micro"), "r1").Up(t.Context())
	if list := diag.From(err); len(list) != 1 || list[0].Where != "server-1" || list[0].Hint == "" {
		t.Errorf("got %+v", list)
	}
	if len(c.launches) != 1 {
		t.Errorf("launched %d times", len(c.launches))
	}
}

func TestBuilderAndCandidateMayBeInAnyZone(t *testing.T) {
	c := newScarce(t, nil)
	s := typed(t, "", "t3.micro", "t3.small")
	simulation.Up(t, c.deployment(t, s, "r1"))
	c.set(map[string]ec2.Capacity{"us-east-1a t3.micro": ec2.Insufficient, "us-east-1a t3.small": ec2.NotOffered})
	// The builder and the candidate find room in the next zone; server-1 does not.
	_, err := c.deployment(t, s, "r2").Up(t.Context())
	var names []string
	for _, note := range c.notes {
		if name, text, _ := strings.Cut(note, " "); strings.Contains(text, "t3.micro in us-east-1b, because") {
			names = append(names, name)
		}
	}
	if !slices.Equal(names, []string{"builder", "candidate"}) {
		t.Errorf("notes %q", c.notes)
	}
	if text := simulation.RolledBack(t, err); !strings.Contains(text, "us-east-1a has no capacity for t3.micro") {
		t.Error(text)
	}
}

func TestSubnetsAreInZonesThatOfferTheType(t *testing.T) {
	c := newScarce(t, map[string]ec2.Capacity{"us-east-1a t3.micro": ec2.NotOffered})
	d := c.deployment(t, typed(t, "", "t3.micro"), "r1")
	wantServers(t, simulation.Up(t, d),
		"server-1 t3.micro us-east-1b", "server-2 t3.micro us-east-1c", "server-3 t3.micro us-east-1d")
	c.set(nil) // the zone begins to offer the type
	simulation.PlanIsEmpty(t, d)
}

func TestTooFewZonesAreAnErrorBeforeAnythingChanges(t *testing.T) {
	none := map[string]ec2.Capacity{}
	for _, zone := range []string{"a", "c", "d", "f"} {
		none["us-east-1"+zone+" t3.micro"] = ec2.NotOffered
	}
	c := newScarce(t, none)
	_, err := c.deployment(t, typed(t, "", "t3.micro"), "r1").Up(t.Context())
	list := diag.From(err)
	if len(list) != 1 || !strings.Contains(list[0].Summary,
		"3 subnets need a zone each that offers t3.micro, and us-east-1 has 2: us-east-1b, us-east-1e") ||
		!strings.Contains(list[0].Hint, "t2.micro") {
		t.Errorf("got %+v", list)
	}
	simulation.NothingLeft(t, c.Cloud)
}
