//go:build linux && root

package network

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"aloft.dev/aloft/internal/cloud/plane/firewall"
)

// recorded returns what the plane recorded, as sorted lines without counts, and the records.
func (s *site) recorded() (lines []string, records []firewall.Record) {
	s.Helper()
	recorded, err := s.plane.Recorded()
	if err != nil {
		s.Fatal(err)
	}
	for _, r := range recorded.Records {
		direction, verdict := "in", "rejected"
		if r.Out {
			direction = "out"
		}
		if r.Accepted {
			verdict = "accepted"
		}
		from, to := r.Source.String(), r.Destination.String()
		if port := r.Source.Port(); port > 30000 {
			from = r.Source.Addr().String()
		}
		if port := r.Destination.Port(); port > 30000 {
			to = r.Destination.Addr().String()
		}
		if r.Packets == 0 || r.Bytes < r.Packets*20 || r.First.IsZero() {
			s.Errorf("the record %+v has no packets, bytes or time", r)
		}
		lines = append(lines, fmt.Sprintf("%s %s %d %s>%s %s flags=%d",
			strings.TrimPrefix(r.Interface, "eni-"), direction, r.Protocol, from, to, verdict, r.Flags))
	}
	slices.Sort(lines)
	return lines, recorded.Records
}

func (s *site) assertRecorded(want ...string) []firewall.Record {
	s.Helper()
	got, records := s.recorded()
	slices.Sort(want)
	if !slices.Equal(got, want) {
		s.Errorf("recorded:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	return records
}

func TestRealFlowsAreRecordedWhereTheyAreDecided(t *testing.T) {
	s := newSite(t)
	a, b, c := s.machine("a"), s.machine("b", 3000, 4000), s.machine("c", 3000)
	web := firewall.SecurityGroup{
		ID: "sg-web", Ingress: []firewall.Rule{tcpRule(3000, "0.0.0.0/0")}, Egress: []firewall.Rule{allTraffic(world)},
	}
	quiet := firewall.SecurityGroup{
		ID:      "sg-quiet",
		Ingress: []firewall.Rule{allTraffic(world)}, Egress: []firewall.Rule{tcpRule(3000, "0.0.0.0/0")},
	}
	all := firewall.Recording{Accepted: true, Rejected: true, Flags: true}
	record := func(i Interface, r firewall.Recording) Interface { i.Recording = r; return i }
	v := newVPC("v",
		record(eni("v", "10.0.1.10", a, "sg-quiet"), all), record(eni("v", "10.0.1.11", b, "sg-web"), all),
		record(eni("v", "10.0.2.10", c), firewall.Recording{Rejected: true}),
	)
	v.SecurityGroups = append(v.SecurityGroups, web, quiet)
	s.set(v)
	ids := map[string]string{}
	for i, name := range []string{"a", "b", "c"} {
		ids[name] = strings.TrimPrefix(v.Interfaces[i].ID, "eni-")
	}
	line := func(format string) string {
		return strings.NewReplacer("A ", ids["a"]+" ", "B ", ids["b"]+" ", "C ", ids["c"]+" ").Replace(format)
	}
	_ = s.assertAnswers(a, "10.0.1.11:3000", "b").Close()
	s.assertSilent(a, "10.0.1.11:4000") // a's group refuses it
	s.assertSilent(c, "10.0.1.11:4000") // b's group refuses it
	s.assertAnswers(c, "10.0.1.11:3000", "b")
	records := s.assertRecorded(
		line("A out 6 10.0.1.10>10.0.1.11:3000 accepted flags=3"),
		line("B in 6 10.0.1.10>10.0.1.11:3000 accepted flags=3"),
		line("B out 6 10.0.1.11:3000>10.0.1.10 accepted flags=19"),
		line("A in 6 10.0.1.11:3000>10.0.1.10 accepted flags=19"),
		line("A out 6 10.0.1.10>10.0.1.11:4000 rejected flags=2"),
		line("B in 6 10.0.2.10>10.0.1.11:4000 rejected flags=2"),
		line("B in 6 10.0.2.10>10.0.1.11:3000 accepted flags=2"),
		line("B out 6 10.0.1.11:3000>10.0.2.10 accepted flags=18"),
	)
	s.assertRecorded() // each packet once
	for _, r := range records {
		if r.Destination == netip.MustParseAddrPort("10.0.1.11:4000") && r.Bytes != 60*r.Packets {
			t.Errorf("%d refused SYNs have %d bytes, want 60 each", r.Packets, r.Bytes)
		}
	}

	// A network ACL refuses at its subnet's border. The next daemon knows what the last one did not
	// read, though what is recorded had changed, and what passed while none ran.
	s.assertSilent(a, "10.0.1.11:4000")
	fewer := v
	fewer.Interfaces = slices.Clone(v.Interfaces)
	fewer.Interfaces[2].Recording = firewall.Recording{}
	s.set(fewer)
	s.stop()
	_ = s.assertAnswers(a, "10.0.1.11:3000", "b").Close()
	s.startPlane()
	v.Subnets = slices.Clone(v.Subnets)
	for i := range v.Subnets {
		if v.Subnets[i].ID == v.Interfaces[2].SubnetID {
			out := firewall.ACLRule{Number: 1, Allow: true, Protocol: "-1", CIDR: world}
			v.Subnets[i].ACL = &firewall.ACL{Egress: []firewall.ACLRule{out}}
		}
	}
	s.set(v)
	s.assertSilent(a, "10.0.2.10:3000")
	s.assertRecorded(
		line("A out 6 10.0.1.10>10.0.1.11:4000 rejected flags=2"),
		line("A out 6 10.0.1.10>10.0.1.11:3000 accepted flags=3"),
		line("B in 6 10.0.1.10>10.0.1.11:3000 accepted flags=3"),
		line("B out 6 10.0.1.11:3000>10.0.1.10 accepted flags=19"),
		line("A in 6 10.0.1.11:3000>10.0.1.10 accepted flags=19"),
		line("A out 6 10.0.1.10>10.0.2.10:3000 accepted flags=2"),
		line("C in 6 10.0.1.10>10.0.2.10:3000 rejected flags=0"),
	)
	if changes, err := s.plane.Audit(); len(changes) != 0 || err != nil {
		t.Errorf("audit: got %v, %v; want nothing", changes, err)
	}

	// What was recorded outlives the network.
	s.assertSilent(a, "10.0.2.10:3000")
	s.set()
	s.assertRecorded(
		line("A out 6 10.0.1.10>10.0.2.10:3000 accepted flags=2"),
		line("C in 6 10.0.1.10>10.0.2.10:3000 rejected flags=0"),
	)

	// Nothing is left of it with the last recording.
	s.set(v)
	v.Interfaces = slices.Clone(v.Interfaces)
	for i := range v.Interfaces {
		v.Interfaces[i].Recording = firewall.Recording{}
	}
	s.set(v)
	s.assertSilent(a, "10.0.2.10:3000")
	s.assertRecorded()
}

// More changes than there are tables that wait lose no packet.
func TestRealManyChangesLoseNoRecord(t *testing.T) {
	s := newSite(t)
	a, b := s.machine("a"), s.machine("b", 3000)
	v := newVPC("v", eni("v", "10.0.1.10", a), eni("v", "10.0.1.11", b))
	v.Interfaces[0].Recording = firewall.Recording{Accepted: true}
	const changes = 2*maxKept + 3
	for n := range changes {
		v.Interfaces = slices.Clone(v.Interfaces)
		v.Interfaces[1].Recording = firewall.Recording{Rejected: n%2 == 0}
		s.set(v)
		_ = s.assertAnswers(a, "10.0.1.11:3000", "b").Close()
	}
	recorded, err := s.plane.Recorded()
	if err != nil {
		t.Fatal(err)
	}
	sent, received := 0, 0
	for _, r := range recorded.Records {
		if r.Out {
			sent++
		} else {
			received++
		}
	}
	if sent != changes || received != changes || len(recorded.Skipped) != 0 {
		t.Errorf("%d and %d records of %d flows, %v skipped", sent, received, changes, recorded.Skipped)
	}
}

// A machine that scans ports takes a limited room, which is no other's.
func TestRealScanTakesNoRoomOfOthers(t *testing.T) {
	const scanned, room = 10_000, 8192
	s := newSite(t)
	a, b, c := s.machine("a"), s.machine("b", 3000), s.machine("c")
	v := newVPC("v", eni("v", "10.0.1.10", a, "sg-quiet"), eni("v", "10.0.1.11", b), eni("v", "10.0.2.10", c))
	v.SecurityGroups = append(v.SecurityGroups, firewall.SecurityGroup{ID: "sg-quiet"})
	v.Interfaces[0].Recording = firewall.Recording{Rejected: true}
	v.Interfaces[2].Recording = firewall.Recording{Accepted: true}
	s.set(v)
	err := inNamespace(a, func() error {
		conn, err := net.ListenPacket("udp4", ":0")
		if err != nil {
			return err
		}
		defer func() { _ = conn.Close() }()
		for port := range scanned {
			to := net.UDPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr("10.0.1.11"), uint16(port+1)))
			if _, err := conn.WriteTo([]byte{0}, to); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	s.assertAnswers(c, "10.0.1.11:3000", "b")
	recorded, err := s.plane.Recorded()
	if err != nil {
		t.Fatal(err)
	}
	records := map[string]int{}
	for _, r := range recorded.Records {
		records[r.Interface]++
	}
	scanner, other := v.Interfaces[0].ID, v.Interfaces[2].ID
	if records[scanner] != room || recorded.Skipped[scanner] != scanned-room {
		t.Errorf("%d records of the scanner and %d packets skipped, want %d and %d",
			records[scanner], recorded.Skipped[scanner], room, scanned-room)
	}
	if records[other] != 2 || recorded.Skipped[other] != 0 {
		t.Errorf("%d records of another machine and %d packets skipped, want 2 and 0",
			records[other], recorded.Skipped[other])
	}
}
