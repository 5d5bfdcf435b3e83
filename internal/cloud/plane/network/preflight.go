//go:build linux

package network

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"

	"github.com/google/nftables"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"aloft.dev/aloft/internal/cloud/plane/firewall"
	"aloft.dev/aloft/internal/cloud/plane/thread"
)

// ConflictError is returned when the public range is in use on the host.
type ConflictError struct{ Range, Used netip.Prefix }

func (e *ConflictError) Error() string {
	return fmt.Sprintf("the public range %s is in use on this host: there is a route to %s", e.Range, e.Used)
}

// checkPublicRange returns a *ConflictError if the host has a route into a range of public
// addresses that does not belong to this plane.
func checkPublicRange(cfg PlaneConfig, public netip.Prefix) error {
	host, err := openNamespace("/proc/self/ns/net")
	if err != nil {
		return err
	}
	defer func() { _ = host.close() }()
	allTables := &netlink.Route{Table: unix.RT_TABLE_UNSPEC}
	routes, err := host.netlink.RouteListFiltered(familyOf(public.Addr()), allTables, netlink.RT_FILTER_TABLE)
	if err != nil {
		return fmt.Errorf("list the host's routes: %w", err)
	}
	device := 0
	if link, err := host.netlink.LinkByName(cfg.Name + hostSuffix); err == nil {
		device = link.Attrs().Index
	}
	for _, r := range routes {
		to := prefixOf(r.Dst)
		if to.Bits() == 0 || !to.Overlaps(public) {
			continue
		}
		toEdge := device != 0 && r.LinkIndex == device
		blackhole := r.Protocol == routeProtocol && r.Type == unix.RTN_BLACKHOLE && to == public
		if !toEdge && !blackhole {
			return &ConflictError{Range: public, Used: to}
		}
	}
	return nil
}

// CheckIPv6 returns why networks of a name cannot have IPv6 addresses of DefaultIPv6Range on this
// host.
func CheckIPv6(name string) error {
	return checkIPv6(PlaneConfig{Name: name, IPv6Range: DefaultIPv6Range})
}

// checkIPv6 returns why networks cannot have IPv6 on this host.
func checkIPv6(cfg PlaneConfig) error {
	if !HasIPv6() {
		return errors.New("the kernel has none")
	}
	if err := checkPublicRange(cfg, cfg.IPv6Range); err != nil {
		return err
	}
	return inProbe(func(fd int) error {
		if err := writeSysctls(enableIPv6); err != nil {
			return err
		}
		edge := firewall.Edge{
			Family: firewall.IPv6, Host: "probe", Public: cfg.IPv6Range,
			Listener: netip.AddrPortFrom(cfg.IPv6Range.Addr(), egressPort),
		}
		return firewall.Apply(fd, edge.Ruleset(nftTable))
	})
}

// Problem is a reason why networks cannot be built on this host, and its remedy.
type Problem struct {
	What, Remedy string
	RangeInUse   bool // the public range is in use on the host
}

const privilegesRemedy = "Run aloft on the machine itself or in a virtual machine, " +
	"or give the container all privileges (docker run --privileged)."

// Preflight returns everything that prevents networks on this host. It changes nothing
// on the host: its probes run in a namespace that is gone when it returns.
func Preflight(cfg PlaneConfig) []Problem {
	if err := cfg.setDefaults(); err != nil {
		return []Problem{{
			What: "The network's configuration is invalid: " + err.Error() + ".", Remedy: "Correct the configuration.",
		}}
	}
	if os.Geteuid() != 0 {
		return []Problem{{
			What: "Namespaces, network devices and firewalls require root.", Remedy: "Run the command with sudo.",
		}}
	}
	var found []Problem
	for _, problem := range []*Problem{probeNamespace(), probePublicRange(cfg), probeDefaultRoute()} {
		if problem != nil {
			found = append(found, *problem)
		}
	}
	return found
}

func probePublicRange(cfg PlaneConfig) *Problem {
	err := checkPublicRange(cfg, cfg.PublicRange)
	var conflict *ConflictError
	switch {
	case errors.As(err, &conflict):
		return &Problem{
			What: fmt.Sprintf("The range of public addresses, %s, is in use: this host has a route to %s.",
				conflict.Range, conflict.Used),
			Remedy: fmt.Sprintf("Find the route's owner with \"ip route show %s\", "+
				"and remove the route while the local cloud runs.", conflict.Used),
			RangeInUse: true,
		}
	case err != nil:
		return &Problem{What: "The host's routes cannot be read: " + err.Error() + ".", Remedy: privilegesRemedy}
	}
	return nil
}

// probeNamespace creates a network namespace and does in it what a router needs.
func probeNamespace() *Problem {
	var problem *Problem
	err := thread.RunDisposable(func() error {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("create network namespace: %w", err)
		}
		probe, err := openNamespace("/proc/thread-self/ns/net")
		if err != nil {
			return err
		}
		defer func() { _ = probe.close() }()
		if err := writeSysctls(forwardingSysctls); err != nil {
			problem = &Problem{
				What:   "The sysctls of a network namespace cannot be written: " + err.Error() + ".",
				Remedy: "Mount /proc/sys writable. " + privilegesRemedy,
			}
			return nil
		}
		attrs := netlink.NewLinkAttrs()
		attrs.Name = "probe"
		if err := probe.netlink.LinkAdd(&netlink.Veth{LinkAttrs: attrs, PeerName: "other"}); err != nil {
			problem = &Problem{
				What:   "A pair of virtual network devices cannot be created: " + err.Error() + ".",
				Remedy: "Load the kernel module: modprobe veth. " + privilegesRemedy,
			}
			return nil
		}
		problem = probeFirewall(probe)
		return nil
	})
	if err != nil {
		return &Problem{
			What: "A network namespace cannot be created: " + err.Error() + ".", Remedy: privilegesRemedy,
		}
	}
	return problem
}

func probeFirewall(probe *namespace) *Problem {
	cidr := netip.MustParsePrefix("10.0.0.0/16")
	nic := firewall.Interface{
		ID: "eni", Device: "probe", Mark: minMark, Private: cidr.Addr().Next(), Public: cidr.Addr(), SourceCheck: true,
	}
	router := firewall.Router{
		CIDRs: []netip.Prefix{cidr}, Uplink: uplink, Resolver: true,
		Subnets:    []firewall.Subnet{{ID: "subnet", Mark: minMark, CIDR: cidr}},
		Interfaces: []firewall.Interface{nic},
	}
	err := firewall.Apply(probe.fd(), router.Ruleset(nftTable))
	if err == nil {
		return nil
	}
	conn, listErr := nftables.New(nftables.WithNetNSFd(probe.fd()))
	if listErr == nil {
		_, listErr = conn.ListTables()
	}
	if listErr != nil {
		return &Problem{
			What:   "The kernel has no nftables: " + listErr.Error() + ".",
			Remedy: "Load the kernel module: modprobe nf_tables. Or use a kernel with CONFIG_NF_TABLES.",
		}
	}
	return &Problem{
		What:   "The kernel's nftables lack a feature that routers need: " + err.Error() + ".",
		Remedy: "Load the kernel modules: modprobe -a nft_ct nft_nat nft_chain_nat. Or use a distribution's kernel.",
	}
}

func probeDefaultRoute() *Problem {
	mainTable := &netlink.Route{Table: unix.RT_TABLE_MAIN}
	routes, err := netlink.RouteListFiltered(netlink.FAMILY_V4, mainTable, netlink.RT_FILTER_TABLE)
	if err == nil && slices.ContainsFunc(routes, isDefaultRoute) {
		return nil
	}
	return &Problem{
		What:   "This host has no default route, so machines could not install packages.",
		Remedy: "Connect the host to a network: \"ip route\" must list a line that begins with \"default\".",
	}
}

// isDefaultRoute reports whether r is a default route that forwards packets.
func isDefaultRoute(r netlink.Route) bool {
	return prefixOf(r.Dst).Bits() == 0 && (r.Type == 0 || r.Type == unix.RTN_UNICAST)
}
