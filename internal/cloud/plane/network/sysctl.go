//go:build linux

package network

import (
	"fmt"
	"os"
	"strings"
)

// sysctl is one file below /proc/sys/net and its value.
type sysctl struct{ name, value string }

// forwardingSysctls let a namespace forward packets. They turn off the kernel's own
// source validation: the firewall alone decides which sources are valid.
var forwardingSysctls = []sysctl{
	{"ipv4/ip_forward", "1"},
	{"ipv4/conf/all/rp_filter", "0"}, {"ipv4/conf/default/rp_filter", "0"},
	{"ipv4/conf/all/send_redirects", "0"}, {"ipv4/conf/default/send_redirects", "0"},
}

// proxyARPSysctls let a router answer ARP requests for the addresses behind it.
var proxyARPSysctls = []sysctl{{"ipv4/conf/all/proxy_arp", "1"}, {"ipv4/conf/all/accept_local", "1"}}

// ipv6Forwarding is the sysctl that lets a namespace forward IPv6.
const ipv6Forwarding = "ipv6/conf/all/forwarding"

// enableIPv6 lets a namespace forward IPv6. Devices have no addresses but those that they are
// given, and what others advertise changes no route.
var enableIPv6 = []sysctl{
	{"ipv6/conf/all/accept_ra", "0"}, {"ipv6/conf/default/accept_ra", "0"},
	{"ipv6/conf/all/accept_redirects", "0"}, {"ipv6/conf/default/accept_redirects", "0"},
	{"ipv6/conf/all/addr_gen_mode", "1"}, {"ipv6/conf/default/addr_gen_mode", "1"},
	{ipv6Forwarding, "1"},
	{"ipv6/conf/default/disable_ipv6", "0"}, {"ipv6/conf/all/disable_ipv6", "0"},
}

// disableIPv6 restricts routers and the edge to IPv4.
var disableIPv6 = []sysctl{
	{"ipv6/conf/all/disable_ipv6", "1"}, {"ipv6/conf/default/disable_ipv6", "1"}, {ipv6Forwarding, "0"},
}

// writeSysctls sets sysctls in the network namespace of the calling thread.
func writeSysctls(settings []sysctl) error {
	for _, s := range settings {
		if err := os.WriteFile("/proc/sys/net/"+s.name, []byte(s.value), 0); err != nil {
			return fmt.Errorf("set net/%s to %s: %w", s.name, s.value, err)
		}
	}
	return nil
}

// readSysctl returns the value of a sysctl in the network namespace of the calling thread.
func readSysctl(name string) (string, error) {
	value, err := os.ReadFile("/proc/sys/net/" + name)
	if err != nil {
		return "", fmt.Errorf("read net/%s: %w", name, err)
	}
	return strings.TrimSpace(string(value)), nil
}
