//go:build linux

package firewall

import (
	"net/netip"
	"testing"
	"time"
)

func flowTo(port int) Flow {
	to := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(port >> 24), byte(port >> 16)}), uint16(port))
	return Flow{Interface: "eni-1", Out: true, Accepted: true, Destination: to, Protocol: 6}
}

func TestMergedRecordsOfAFlowAreOne(t *testing.T) {
	at := time.Unix(1000, 0)
	var all Recorded
	all.Merge(Recorded{Records: []Record{
		{Flow: flowTo(1), Flags: 2, Packets: 1, Bytes: 60, First: at.Add(5), Last: at.Add(10)},
		{Flow: flowTo(2), Packets: 3, First: at, Last: at.Add(10)},
	}})
	all.Merge(Recorded{
		Records: []Record{{Flow: flowTo(1), Flags: 1, Packets: 2, Bytes: 80, First: at, Last: at.Add(20)}},
		Skipped: map[string]uint64{"eni-2": 4},
	})
	want := Record{Flow: flowTo(1), Flags: 3, Packets: 3, Bytes: 140, First: at, Last: at.Add(20)}
	if len(all.Records) != 2 || all.Records[0] != want || all.Skipped["eni-2"] != 4 {
		t.Errorf("got %+v, want %+v first", all, want)
	}
}

func TestWhatIsRecordedHasALimit(t *testing.T) {
	var all Recorded
	for n := range maxRecorded + 1000 {
		all.Merge(Recorded{Records: []Record{{Flow: flowTo(n), Packets: 2}}})
	}
	all.Merge(Recorded{Records: []Record{{Flow: flowTo(0), Packets: 2}}}) // of a known flow
	if len(all.Records) != maxRecorded || all.Skipped["eni-1"] != 2000 || all.Records[0].Packets != 4 {
		t.Errorf("%d records, %d packets skipped, %d packets of the first flow; want %d, 2000, 4",
			len(all.Records), all.Skipped["eni-1"], all.Records[0].Packets, maxRecorded)
	}
}
