//go:build linux && root

package network

import (
	"os/exec"
	"strings"
	"testing"
)

// inNamespaceOf runs a command in a network namespace and returns what it prints.
func (s *site) inNamespaceOf(path string, command ...string) string {
	s.Helper()
	args := append([]string{"--net=" + path, "--"}, command...)
	out, err := exec.CommandContext(s.Context(), "nsenter", args...).CombinedOutput()
	if err != nil {
		s.Fatalf("%s: %v\n%s", strings.Join(command, " "), err, out)
	}
	return string(out)
}

// What another program breaks is reported once, and the next Set repairs it.
func TestRealDamageIsFoundAndRepaired(t *testing.T) {
	s := newSite(t)
	a, b := s.machine("a", 3000), s.machine("b", 3000)
	v := withGateway(newVPC(
		"v", withPublicIP(eni("v", "10.0.1.10", a), "203.0.113.20"), eni("v", "10.0.2.10", b),
	))
	s.set(v)
	router, edge := s.plane.routerPath("v"), s.plane.edgePath()
	device := deviceName("eni", v.Interfaces[0].ID)
	works := func() {
		t.Helper()
		s.assertAnswers(b, "10.0.1.10:3000", "a")
		s.assertAnswers(hostNamespace, "203.0.113.20:3000", "a")
	}
	works()
	for _, c := range []struct {
		damage, in string
		change     string // part of what Audit returns
	}{
		{"true", router, ""},
		{"ip link delete " + device, router, "v: the device of " + v.Interfaces[0].ID + " is gone"},
		{"nft flush ruleset", router, "v: its firewall was changed"},
		{"nft delete table ip " + nftTable, router, "v: its firewall was changed"},
		{"nft add table ip other", router, "v: its firewall was changed"},
		{"ip route delete 10.0.1.10/32", router, "v: 1 routes were changed"},
		{"ip route replace blackhole 10.0.1.10/32", router, "v: 1 routes were changed"},
		{"ip rule delete priority 40000", router, "v: 1 routing rules were changed"},
		{"ip link delete " + uplink, router, "v: the device of its internet gateway is gone"},
		{"nft flush ruleset", edge, "the edge: its firewall was changed"},
		{"ip route delete 203.0.113.20/32", edge, "the edge: 1 routes were changed"},
		{"ip link delete " + edgeHostDevice, edge, "the edge: its connection with the host is gone"},
		{"ip route delete 203.0.113.0/24 metric 1", hostNamespace, "the edge: the host's routes were changed"},
	} {
		s.inNamespaceOf(c.in, strings.Fields(c.damage)...)
		changes, err := s.plane.Audit()
		if found := strings.Join(changes, "\n"); err != nil || !strings.Contains(found, c.change) ||
			(c.change == "") != (found == "") {
			t.Errorf("%s: %v\n%s", c.damage, err, found)
		}
		s.set(v)
		works()
		if changes, err := s.plane.Audit(); err != nil || len(changes) > 0 {
			t.Errorf("after the repair of %s: %v, %q", c.damage, err, changes)
		}
	}
}
