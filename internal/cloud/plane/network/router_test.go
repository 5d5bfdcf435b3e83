package network

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRoutesFollowFromTheConfiguration(t *testing.T) {
	everywhere := netip.MustParsePrefix("0.0.0.0/0")
	v := VPC{
		ID: "vpc-1", CIDR: netip.MustParsePrefix("10.0.0.0/16"), Gateway: true,
		Subnets: []Subnet{
			{ID: "subnet-a", CIDR: netip.MustParsePrefix("10.0.1.0/24"), Routes: []Route{
				{
					netip.MustParsePrefix("10.0.0.0/16"),
					Local,
				}, {everywhere, Gateway}, {netip.MustParsePrefix("192.0.2.0/24"), Blackhole},
			}},
			{
				ID:     "subnet-b",
				CIDR:   netip.MustParsePrefix("10.0.2.0/24"),
				Routes: []Route{{netip.MustParsePrefix("10.0.0.0/16"), Local}},
			},
		},
		Interfaces: []Interface{
			{
				ID:       "eni-1",
				SubnetID: "subnet-a",
				Private:  netip.MustParseAddr("10.0.1.10"),
				Public:   netip.MustParseAddr("198.18.1.10"),
			},
			{ID: "eni-2", SubnetID: "subnet-b", Private: netip.MustParseAddr("10.0.2.10")},
		},
	}
	r := &router{
		addresses: addressesOf(DefaultPublicRange),
		attached:  map[string]attachment{"eni-1": {private: netip.MustParseAddr("10.0.1.10"), index: 7}},
	}
	names := strings.NewReplacer(
		fmt.Sprint(subnetMark("subnet-a")),
		"subnet-a",
		fmt.Sprint(subnetMark("subnet-b")),
		"subnet-b",
		"254",
		"main",
		fmt.Sprint(lastResortMetric),
		"worst",
	)
	text := func(up int) string {
		var b strings.Builder
		for _, l := range r.routes(v, up) {
			fmt.Fprintf(&b, "table %d: %s device %d via %s metric %d\n", l.table, l.to, l.device, l.via, l.metric)
		}
		return strings.ReplaceAll(names.Replace(b.String()), "invalid IP", "-")
	}
	want := `table main: 10.0.0.0/16 device 0 via - metric worst
table main: 10.0.1.10/32 device 7 via - metric 0
table subnet-a: 0.0.0.0/0 device 0 via - metric worst
table subnet-a: 0.0.0.0/0 device 3 via 198.18.0.1 metric 0
table subnet-a: 192.0.2.0/24 device 0 via - metric 0
table subnet-b: 0.0.0.0/0 device 0 via - metric worst
`
	if diff := cmp.Diff(want, text(3)); diff != "" {
		t.Error(diff)
	}
	detached := strings.Replace(want, "device 3 via 198.18.0.1", "device 0 via -", 1)
	if diff := cmp.Diff(detached, text(0)); diff != "" {
		t.Error("without a gateway", diff)
	}
}

func TestDevicesAreNamedAfterWhatTheyBelongTo(t *testing.T) {
	for id, want := range map[string]string{
		"eni-0123456789abcdef0": "eni0123456789ab",
		"eni-1":                 "eni" + deviceName("eni", "eni-1")[3:],
	} {
		if got := deviceName("eni", id); got != want || len(got) != maxDeviceName {
			t.Errorf("%s: %s, want %s", id, got, want)
		}
	}
	if deviceName("eni", "eni-1") == deviceName("eni", "eni-2") {
		t.Error("two interfaces share a name")
	}
}

func TestTheEdgeTakesItsAddressesFromTheEndsOfTheRange(t *testing.T) {
	want := "198.18.0.1 198.18.0.2 198.18.0.3 198.19.255.254"
	a := addressesOf(DefaultPublicRange)
	if got := fmt.Sprint(a.edge, a.router, a.host, a.proxies); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestMachinesReachTheOutsideAndNotTheHost(t *testing.T) {
	cfg := PlaneConfig{PublicRange: DefaultPublicRange, HostProxies: map[uint16]string{3128: "127.0.0.1:3128"}}
	host := func() ([]netip.Addr, error) { return []netip.Addr{netip.MustParseAddr("192.0.2.2")}, nil }
	for to, want := range map[string]any{
		"192.0.2.1:443":       "192.0.2.1:443",
		"10.1.2.3:22":         "10.1.2.3:22",
		"198.19.255.254:3128": "127.0.0.1:3128",
		"198.19.255.254:22":   errNoProxy,
		"198.18.0.3:22":       errNotExternal,
		"192.0.2.2:22":        errHost,
		"127.0.0.1:3128":      errNotExternal,
		"169.254.169.254:80":  errNotExternal,
		"224.0.0.1:80":        errNotExternal,
		"0.0.0.0:80":          errNotExternal,
		"255.255.255.255:80":  errNotExternal,
	} {
		address, err := dialAddress(netip.MustParseAddrPort(to), cfg, host)
		if refusal, refused := want.(error); refused != (err != nil) || refused && !errors.Is(err, refusal) ||
			!refused && address != want {
			t.Errorf("%s: %q, %v; want %v", to, address, err, want)
		}
	}
}

func TestAPlaneRefusesAConfigurationThatCannotWork(t *testing.T) {
	good := PlaneConfig{RunDir: "/run/x", Name: "x"}
	for name, change := range map[string]func(*PlaneConfig){
		"folder that is not absolute": func(c *PlaneConfig) { c.RunDir = "x" },
		"no name":                     func(c *PlaneConfig) { c.Name = "" },
		"long name":                   func(c *PlaneConfig) { c.Name = "ninechars" },
		"small range":                 func(c *PlaneConfig) { c.PublicRange = netip.MustParsePrefix("198.18.0.0/25") },
		"range of IPv6":               func(c *PlaneConfig) { c.PublicRange = netip.MustParsePrefix("fd00::/8") },
	} {
		c := good
		change(&c)
		if err := c.setDefaults(); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if err := good.setDefaults(); err != nil || good.PublicRange != DefaultPublicRange {
		t.Errorf("%v, %v", good, err)
	}
}

func TestConfigurationsAreEqualWhenTheyAskForTheSame(t *testing.T) {
	a := func() Config {
		return Config{VPCs: []VPC{{ID: "vpc-1", Interfaces: []Interface{{ID: "eni-1", SecurityGroups: []string{"sg-1"}}}}}}
	}
	b := a()
	b.VPCs[0].Interfaces[0].SecurityGroups[0] = "sg-2"
	if !a().Equal(a()) || a().Equal(b) {
		t.Error("equality does not look into interfaces")
	}
}
