//go:build linux

package network

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aloft.dev/aloft/internal/cloud/plane/firewall"
)

func TestRouterRoutes(t *testing.T) {
	local := Route{Destination: netip.MustParsePrefix("10.0.0.0/16"), Via: Local}
	toInternet := Route{Destination: everywhere, Via: Gateway}
	blackhole := Route{Destination: netip.MustParsePrefix("192.0.2.0/24"), Via: Blackhole}
	private, public := netip.MustParseAddr("10.0.1.10"), netip.MustParseAddr("198.18.1.10")
	second, checked := netip.MustParseAddr("10.0.1.11"), netip.MustParseAddr("10.0.2.10")
	to := func(prefix, eni string) Route {
		return Route{Destination: netip.MustParsePrefix(prefix), Via: ToInterface, Interface: eni}
	}
	v := VPC{
		ID: "vpc-1", CIDRs: []netip.Prefix{local.Destination}, Gateway: true,
		Subnets: []Subnet{
			{
				ID: "subnet-a", CIDR: netip.MustParsePrefix("10.0.1.0/24"),
				Routes: []Route{local, toInternet, blackhole},
			},
			{ID: "subnet-b", CIDR: netip.MustParsePrefix("10.0.2.0/24"), Routes: []Route{
				local, to("10.0.2.0/24", "eni-1"), to("10.0.1.0/24", "eni-1"), to("10.0.0.0/16", "eni-2"),
				to("192.0.2.0/25", "eni-1"), to("198.51.100.0/24", "eni-2"), to("203.0.113.0/24", "eni-gone"),
			}},
		},
		Interfaces: []Interface{
			{ID: "eni-1", SubnetID: "subnet-a", Private: private, Public: public},
			{ID: "eni-2", SubnetID: "subnet-b", Private: checked},
		},
	}
	r := &router{
		namespace: &namespace{},
		addresses: allAddresses([]netip.Prefix{DefaultPublicRange}),
		attached: map[string]attachment{
			"eni-1": {addresses: []firewall.Address{{Private: private}, {Private: second}}, index: 7, forwards: true},
			"eni-2": {addresses: []firewall.Address{{Private: checked}}, index: 8},
		},
	}
	names := strings.NewReplacer(
		fmt.Sprint(subnetMark("subnet-a")), "subnet-a", fmt.Sprint(subnetMark("subnet-b")), "subnet-b",
		fmt.Sprint(withinTable("subnet-b")), "within-b",
		"254", "main", fmt.Sprint(lastResortMetric), "last",
	)
	text := func(uplinkIndex int) string {
		r.uplinkIndex = uplinkIndex
		var b strings.Builder
		for _, l := range r.routes(v) {
			fmt.Fprintf(&b, "table %d: %s device %d via %s metric %d", l.table, l.to, l.device, l.via, l.metric)
			fmt.Fprintln(&b, map[bool]string{true: " pass"}[l.pass])
		}
		return strings.ReplaceAll(names.Replace(b.String()), "invalid IP", "-")
	}
	want := `table main: 10.0.0.0/16 device 0 via - metric last
table main: 10.0.1.10/32 device 7 via - metric 0
table main: 10.0.1.11/32 device 7 via - metric 0
table main: 10.0.2.10/32 device 8 via - metric 0
table subnet-a: 0.0.0.0/0 device 0 via - metric last
table subnet-a: 0.0.0.0/0 device 3 via 198.18.0.1 metric 0
table subnet-a: 192.0.2.0/24 device 0 via - metric 0
table subnet-b: 0.0.0.0/0 device 0 via - metric last
table within-b: 10.0.2.0/24 device 0 via - metric 0 pass
table within-b: 10.0.1.0/24 device 7 via 10.0.1.10 metric 0
table within-b: 10.0.0.0/16 device 0 via - metric 0
table subnet-b: 192.0.2.0/25 device 7 via 10.0.1.10 metric 0
table subnet-b: 198.51.100.0/24 device 0 via - metric 0
table subnet-b: 203.0.113.0/24 device 0 via - metric 0
`
	if diff := cmp.Diff(want, text(3)); diff != "" {
		t.Error(diff)
	}
	v.Ingress = []Route{local, to("10.0.1.0/24", "eni-1"), to("10.0.2.0/24", "eni-2"), to("10.0.3.0/24", "eni-gone")}
	var ingress []string
	for _, l := range r.ingressRoutes(v) {
		if l.table != int(ingressMark("vpc-1")) {
			t.Errorf("a route of the gateway is in table %d", l.table)
		}
		ingress = append(ingress, fmt.Sprintf("%s device %d", l.to, l.device))
	}
	if diff := cmp.Diff([]string{
		"10.0.1.0/24 device 7", "10.0.2.0/24 device 0", "10.0.3.0/24 device 0",
	}, ingress); diff != "" {
		t.Error(diff)
	}
	v.Ingress = nil
	detached := strings.Replace(want, "device 3 via 198.18.0.1", "device 0 via -", 1)
	if diff := cmp.Diff(detached, text(0)); diff != "" {
		t.Error("without a gateway:", diff)
	}
}
