package flowlog

import (
	"net/netip"
	"testing"
	"time"
)

var (
	eni = Interface{
		ID: "eni-1", Account: "000000000000", VPC: "vpc-1", Subnet: "subnet-1", Instance: "i-1",
		Region: "us-east-1", ZoneID: "use1-az1",
		Addresses: []netip.Addr{
			netip.MustParseAddr("10.0.1.5"), netip.MustParseAddr("2001:db8::5"), netip.MustParseAddr("10.0.1.6"),
		},
	}
	window = Window{time.Unix(1418530010, 0), time.Unix(1418530070, 0)}
)

func flow(from, to string, change func(*Flow)) Flow {
	f := Flow{
		Source: netip.MustParseAddrPort(from), Destination: netip.MustParseAddrPort(to), Protocol: 6,
		Packets: 20, Bytes: 4249, Accepted: true,
	}
	change(&f)
	return f
}

func TestRecordsHaveTheFieldsOfTheirFormat(t *testing.T) {
	out := func(f *Flow) { f.Out, f.Path = true, InternetGateway }
	const later = "${version} ${vpc-id} ${subnet-id} ${instance-id} ${srcaddr} ${dstaddr} ${tcp-flags} ${type} " +
		"${pkt-srcaddr} ${pkt-dstaddr} ${region} ${az-id} ${sublocation-id} ${pkt-dst-aws-service} " +
		"${flow-direction} ${traffic-path}"
	for _, test := range []struct {
		name, format string
		flow         Flow
		want         string
	}{
		{"incoming", DefaultFormat, flow("192.0.2.9:20641", "10.0.1.5:22", func(*Flow) {}),
			"2 000000000000 eni-1 192.0.2.9 10.0.1.5 20641 22 6 20 4249 1418530010 1418530070 ACCEPT OK"},
		{"rejected", DefaultFormat, flow("192.0.2.9:1", "10.0.1.6:3389", func(f *Flow) { f.Accepted = false }),
			"2 000000000000 eni-1 192.0.2.9 10.0.1.6 1 3389 6 20 4249 1418530010 1418530070 REJECT OK"},
		{"IPv6 without ports", DefaultFormat, flow("[2001:db8::5]:0", "[2001:db8::9]:0", func(f *Flow) {
			f.Out, f.Protocol = true, 58
		}), "2 000000000000 eni-1 2001:db8::5 2001:db8::9 0 0 58 20 4249 1418530010 1418530070 ACCEPT OK"},
		{"all versions", later, flow("10.0.1.5:1", "203.0.113.5:443", func(f *Flow) { out(f); f.Flags = 19 }),
			"5 vpc-1 subnet-1 i-1 10.0.1.5 203.0.113.5 19 IPv4 10.0.1.5 203.0.113.5 us-east-1 use1-az1 - - egress 8"},
		{"through the interface", later, flow("10.0.9.9:1", "203.0.113.5:443", func(*Flow) {}),
			"5 vpc-1 subnet-1 i-1 10.0.9.9 10.0.1.5 0 IPv4 10.0.9.9 203.0.113.5 us-east-1 use1-az1 - - ingress -"},
		{"through the interface, out", "${srcaddr} ${pkt-srcaddr} ${version}",
			flow("10.0.9.9:1", "203.0.113.5:443", out), "10.0.1.5 10.0.9.9 3"},
		{"never a value", "${ecs-task-id} ${reject-reason} ${version}", flow("10.0.9.9:1", "10.0.1.5:1", out), "- - 8"},
	} {
		format, err := ParseFormat(test.format)
		if err != nil {
			t.Fatal(err)
		}
		if got := format.Record(eni, window, test.flow); got != test.want {
			t.Errorf("%s:\n got %s\nwant %s", test.name, got, test.want)
		}
	}
}

func TestRecordsWithoutTraffic(t *testing.T) {
	format, err := ParseFormat(DefaultFormat)
	if err != nil {
		t.Fatal(err)
	}
	for skipped, want := range map[bool]string{
		false: "2 000000000000 eni-1 - - - - - - - 1418530010 1418530070 - NODATA",
		true:  "2 000000000000 eni-1 - - - - - - - 1418530010 1418530070 - SKIPDATA",
	} {
		if got := format.Empty(eni, window, skipped); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestFormatsThatAreNone(t *testing.T) {
	for _, text := range []string{
		"", "version", "${version}${start}", "${version}  ${start}", "${version} ", "${nothing}", "${Version}",
		"${encryption-status}",
	} {
		if _, err := ParseFormat(text); err == nil {
			t.Errorf("%q was parsed", text)
		}
	}
}
