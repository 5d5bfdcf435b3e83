//go:build linux && root

package network

import (
	"slices"
	"testing"

	"aloft.dev/aloft/internal/cloud/plane/firewall"
)

func TestRealFlowsOfIPv6AreRecorded(t *testing.T) {
	needIPv6(t)
	s := newSite(t)
	a, b := s.machine("a"), s.machine("b", 3000)
	v := withIPv6(newVPC("v", with6(eni("v", "10.0.1.10", a), a6), with6(eni("v", "10.0.2.10", b), b6)), "1")
	v.Interfaces[0].Recording = firewall.Recording{Accepted: true, Rejected: true}
	v.Interfaces[1].Recording = firewall.Recording{Accepted: true, Flags: true}
	s.set(v)
	s.assertAnswers(a, "["+b6+"]:3000", "b")
	got, _ := s.recorded()
	got = slices.DeleteFunc(got, func(line string) bool { return line[:3] == "fe8" })
	want := []string{
		"v10.0.1.10 in 6 [" + b6 + "]:3000>" + a6 + " accepted flags=0",
		"v10.0.1.10 out 6 " + a6 + ">[" + b6 + "]:3000 accepted flags=0",
		"v10.0.2.10 in 6 " + a6 + ">[" + b6 + "]:3000 accepted flags=2",
		"v10.0.2.10 out 6 [" + b6 + "]:3000>" + a6 + " accepted flags=18",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
}
