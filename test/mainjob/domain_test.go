//go:build linux

package mainjob

import (
	"slices"
	"strings"
	"testing"

	"aloft.dev/aloft/internal/apply"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/spec"
	"aloft.dev/aloft/test/simulation"
)

// domains is an application whose names change.
type domains struct {
	*simulation.Cloud
	t   *testing.T
	dir string
}

// up deploys the application with names, and returns its status.
func (d domains) up(change func(*spec.Spec), names ...string) *apply.Status {
	d.t.Helper()
	deployment := d.deployment(change, names...)
	status := simulation.Up(d.t, deployment)
	simulation.PlanIsEmpty(d.t, deployment)
	return status
}

func (d domains) deployment(change func(*spec.Spec), names ...string) *apply.Deployment {
	d.t.Helper()
	s := simulation.Tutorial(d.t)
	if s.Domain = names; len(names) > 0 {
		s.LoadBalancer.Port = 80
	}
	if change != nil {
		change(s)
	}
	b := &simulation.Builder{ReleaseName: "r1"}
	return simulation.Deployment(d.t, d.Client(d.t, nil), s, b, d.dir)
}

// listeners describes the listeners: "HTTP redirect".
func (d domains) listeners() string {
	var all []string
	for _, l := range store.Listeners.List(d.Store.View()) {
		all = append(all, l.Protocol+" "+l.Actions[0].Type)
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

// aliases returns the names that lead to the load balancer.
func (d domains) aliases() string {
	var all []string
	for _, set := range store.RecordSets.List(d.Store.View()) {
		if set.Alias != nil {
			all = append(all, set.Name)
		}
	}
	return strings.Join(all, " ")
}

// certificates returns the names of the certificates.
func (d domains) certificates() string {
	var all []string
	for _, c := range store.Certificates.List(d.Store.View()) {
		all = append(all, strings.Join(c.Request.Names, "+"))
	}
	return strings.Join(all, ", ")
}

func TestADomainIsAddedChangedAndRemoved(t *testing.T) {
	c := simulation.New(t)
	c.HostedZone(t, "example.com")
	d := domains{c, t, t.TempDir()}
	d.up(func(s *spec.Spec) { s.LoadBalancer.Port = 80 })
	if got := d.listeners(); got != "HTTP forward" {
		t.Fatalf("without a domain: %s", got)
	}
	check := func(what, names string, status *apply.Status) {
		t.Helper()
		if got, want := d.listeners(), "HTTP redirect, HTTPS forward"; got != want {
			t.Errorf("%s: listeners are %s, want %s", what, got, want)
		}
		if got := d.certificates(); got != strings.ReplaceAll(names, " ", "+") {
			t.Errorf("%s: certificates are for %s, want %s", what, got, names)
		}
		var want []string
		for name := range strings.FieldsSeq(names) {
			want = append(want, name+".")
		}
		if got := strings.Fields(d.aliases()); !slices.Equal(got, want) {
			t.Errorf("%s: aliases are %q, want %q", what, got, want)
		}
		if url := "https://" + strings.Fields(names)[0]; status.URL != url {
			t.Errorf("%s: URL is %s, want %s", what, status.URL, url)
		}
	}
	check("added", "api.example.com", d.up(nil, "api.example.com"))
	check("one more", "api.example.com www.example.com", d.up(nil, "api.example.com", "www.example.com"))
	check("changed", "shop.example.com", d.up(func(s *spec.Spec) { s.HSTS = true }, "shop.example.com"))
	for _, l := range store.Listeners.List(c.Store.View()) {
		// The default certificate may also be in the list.
		if l.Protocol == "HTTPS" && (len(slices.Compact(slices.Clone(l.Certificates))) != 1 ||
			l.Attributes["routing.http.response.strict_transport_security.header_value"] != "max-age=31536000") {
			t.Errorf("the listener has certificates %q and attributes %v", l.Certificates, l.Attributes)
		}
	}
	status := d.up(func(s *spec.Spec) { s.LoadBalancer.Port = 80 })
	if d.listeners() != "HTTP forward" || d.certificates() != "" || d.aliases() != "" ||
		!strings.HasPrefix(status.URL, "http://") {
		t.Errorf("removed: %s, %s, %s, %s", d.listeners(), d.certificates(), d.aliases(), status.URL)
	}
	d.up(nil, "api.example.com")
	if err := d.deployment(nil, "api.example.com").Down(t.Context(), apply.DownOptions{Images: true}); err != nil {
		t.Fatal(err)
	}
	simulation.NothingLeft(t, c)
	if zones := store.HostedZones.List(c.Store.View()); len(zones) != 1 {
		t.Errorf("there are %d hosted zones: down deletes none", len(zones))
	}
}

func TestANameThatLeadsElsewhereIsNotTaken(t *testing.T) {
	c := simulation.New(t)
	zone := strings.TrimPrefix(c.HostedZone(t, "example.com"), "/hostedzone/")
	if err := c.Store.Update(func(tx *store.Tx) error {
		store.RecordSets.Put(tx, &store.RecordSet{
			ZoneID: zone, Name: "api.example.com.", Type: "A", TTL: 60, Values: []string{"192.0.2.1"},
		})
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	_, err := domains{c, t, t.TempDir()}.deployment(nil, "api.example.com").Up(t.Context())
	if err == nil || !strings.Contains(err.Error(), "leads elsewhere") {
		t.Errorf("got %v", err)
	}
	if n := len(store.VPCs.List(c.Store.View())); n > 1 {
		t.Errorf("the run has created a VPC")
	}
}
