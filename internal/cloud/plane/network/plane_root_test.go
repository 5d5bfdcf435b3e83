//go:build linux && root

package network

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/firewall"
)

func TestRealSubnetsReachEachOther(t *testing.T) {
	s := newSite(t)
	a, b, c := s.machine("a", 3000), s.machine("b", 3000), s.machine("c", 3000)
	s.set(newVPC("v", eni("v", "10.0.1.10", a), eni("v", "10.0.1.11", b), eni("v", "10.0.2.10", c)))
	s.assertAnswers(a, "10.0.1.11:3000", "b to 10.0.1.10")
	s.assertAnswers(a, "10.0.2.10:3000", "c to 10.0.1.10")
	s.assertAnswers(c, "10.0.1.10:3000", "a to 10.0.2.10")
	s.assertRefused(a, "10.0.2.10:3001")
	s.assertSilent(a, "10.0.2.99:3000")
	s.assertSilent(a, "10.0.2.1:80")
}

func TestRealSetOfAHundredInterfaces(t *testing.T) {
	s := newSite(t)
	interfaces := make([]Interface, 0, 100)
	for n := range 100 {
		interfaces = append(interfaces, eni("v", fmt.Sprintf("10.0.1.%d", n+10), s.machine(fmt.Sprint("m", n))))
	}
	config := Config{VPCs: []VPC{withGateway(newVPC("v", interfaces...))}}
	start := time.Now()
	if err := s.plane.Set(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	created := time.Since(start)
	start = time.Now()
	if err := s.plane.Set(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	again := time.Since(start)
	start = time.Now()
	if err := s.plane.Set(t.Context(), Config{}); err != nil {
		t.Fatal(err)
	}
	t.Logf("Set took %v, again %v, and %v to remove all", created, again, time.Since(start))
}

func TestRealLocalCloudsAreIsolated(t *testing.T) {
	s := newSite(t)
	other := newSite(t, func(c *PlaneConfig) { c.PublicRange = netip.MustParsePrefix("198.51.100.0/24") })
	a, b := s.machine("a", 3000), other.machine("b", 3000)
	s.set(withGateway(newVPC("v", withPublicIP(eni("v", "10.0.1.10", a), "203.0.113.20"))))
	other.set(withGateway(newVPC("v", withPublicIP(eni("v", "10.0.1.10", b), "198.51.100.20"))))
	s.assertAnswers(hostNamespace, "203.0.113.20:3000", "a")
	s.assertAnswers(hostNamespace, "198.51.100.20:3000", "b")
	if _, err := New(PlaneConfig{
		RunDir: "/run/aloft-none", Name: "none", PublicRange: netip.MustParsePrefix("203.0.113.0/24"),
	}); !errors.As(err, new(*ConflictError)) {
		t.Errorf("a range in use: got error %v, want a ConflictError", err)
	}
	if err := other.plane.Remove(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.assertAnswers(hostNamespace, "203.0.113.20:3000", "a")
}

func TestRealPreflight(t *testing.T) {
	cfg := PlaneConfig{RunDir: "/run/aloft-none", Name: "none", PublicRange: netip.MustParsePrefix("203.0.113.0/24")}
	if found := Preflight(cfg); len(found) != 0 {
		t.Errorf("usable host: got %v, want no problem", found)
	}
	s := newSite(t)
	s.set()
	found := Preflight(cfg)
	if len(found) != 1 || !strings.Contains(found[0].What, "203.0.113.0/24") {
		t.Errorf("range in use: got %v, want that one problem", found)
	}
}

func TestRealVPCWithAThousandAddressesAndRules(t *testing.T) {
	s := newSite(t)
	a, b := s.machine("a"), s.machine("b", 3000)
	large := firewall.SecurityGroup{ID: "sg-large", Egress: []firewall.Rule{allTraffic(world)}}
	for n := range 600 {
		large.Ingress = append(large.Ingress, tcpRule(4000+n, "192.0.2.0/24"))
	}
	member := firewall.Rule{Protocol: "tcp", FromPort: 3000, ToPort: 3000, SecurityGroup: "sg-large"}
	large.Ingress = append(large.Ingress, member)
	v := newVPC("v", eni("v", "10.0.1.10", a, "sg-large"), eni("v", "10.0.2.10", b, "sg-large"))
	v.SecurityGroups = append(v.SecurityGroups, large)
	for n := range 1000 {
		v.Interfaces = append(v.Interfaces, eni("v", fmt.Sprintf("10.0.%d.%d", 1+n%2, 20+n%200), "", "sg-large"))
	}
	start := time.Now()
	s.set(v)
	t.Logf("Set took %v", time.Since(start))
	s.assertAnswers(a, "10.0.2.10:3000", "b")
	s.assertSilent(a, "10.0.2.10:4000")
}
