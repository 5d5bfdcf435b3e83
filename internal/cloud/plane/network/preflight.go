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

// ConflictError says that the public range is in use on the host.
type ConflictError struct{ Range, Used netip.Prefix }

func (e *ConflictError) Error() string {
	return fmt.Sprintf("the public range %s is in use on this host: there is a route to %s", e.Range, e.Used)
}

// checkPublicRange looks for routes of others into the public range.
func checkPublicRange(cfg PlaneConfig) error {
	host, err := openNamespace("/proc/self/ns/net")
	if err != nil {
		return err
	}
	defer func() { _ = host.close() }()
	routes, err := host.netlink.RouteListFiltered(
		netlink.FAMILY_V4,
		&netlink.Route{Table: unix.RT_TABLE_UNSPEC},
		netlink.RT_FILTER_TABLE,
	)
	if err != nil {
		return fmt.Errorf("list the host's routes: %w", err)
	}
	device := 0
	if link, err := host.netlink.LinkByName(cfg.Name + hostSuffix); err == nil {
		device = link.Attrs().Index
	}
	for _, r := range routes {
		to := prefixOf(r.Dst)
		if to.Bits() == 0 || !to.Overlaps(cfg.PublicRange) {
			continue
		}
		mine := device != 0 && r.LinkIndex == device
		secured := r.Protocol == routeProtocol && r.Type == unix.RTN_BLACKHOLE && to == cfg.PublicRange
		if !mine && !secured {
			return &ConflictError{Range: cfg.PublicRange, Used: to}
		}
	}
	return nil
}

// Problem is why networks cannot be made on this host, and what to do about it.
type Problem struct {
	What, Remedy string
	RangeInUse   bool // the range of public addresses is in use on the host
}

const privilegesRemedy = "Run it on the machine itself or in a virtual machine, or give the container all privileges (docker run --privileged)."

// Preflight looks for all that stands in the way. It changes nothing on the
// host: what it tries, it tries in a namespace that is gone when it returns.
func Preflight(cfg PlaneConfig) []Problem {
	if err := cfg.setDefaults(); err != nil {
		return []Problem{
			{What: "The network is not configured: " + err.Error() + ".", Remedy: "Mend the configuration."},
		}
	}
	if os.Geteuid() != 0 {
		return []Problem{{What: "Networks need root: namespaces, devices and firewalls.", Remedy: "Run it with sudo."}}
	}
	var found []Problem
	if problem := probeNamespace(); problem != nil {
		found = append(found, *problem)
	}
	var conflict *ConflictError
	switch err := checkPublicRange(cfg); {
	case errors.As(err, &conflict):
		found = append(found, Problem{
			What: fmt.Sprintf(
				"The range of public addresses, %s, is in use: this host has a route to %s.",
				conflict.Range,
				conflict.Used,
			),
			Remedy: fmt.Sprintf(
				"Find whose route it is with \"ip route show %s\", and take it away while the local cloud runs.",
				conflict.Used,
			), RangeInUse: true,
		})
	case err != nil:
		found = append(found, Problem{What: "The host's routes cannot be read: " + err.Error(), Remedy: privilegesRemedy})
	}
	if problem := checkDefaultRoute(); problem != nil {
		found = append(found, *problem)
	}
	return found
}

// probeNamespace makes a network namespace and does there what routers need.
func probeNamespace() *Problem {
	var problem *Problem
	err := thread.RunDisposable(func() error {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("make a network namespace: %w", err)
		}
		here, err := openNamespace("/proc/thread-self/ns/net")
		if err != nil {
			return err
		}
		defer func() { _ = here.close() }()
		if err := writeSysctls(forwardingSysctls); err != nil {
			problem = &Problem{
				What:   "The settings of a network namespace cannot be written: " + err.Error() + ".",
				Remedy: "Mount /proc/sys writable. " + privilegesRemedy,
			}
			return nil
		}
		attrs := netlink.NewLinkAttrs()
		attrs.Name = "probe"
		if err := here.netlink.LinkAdd(&netlink.Veth{LinkAttrs: attrs, PeerName: "other"}); err != nil {
			problem = &Problem{
				What:   "A pair of virtual network devices cannot be made: " + err.Error() + ".",
				Remedy: "modprobe veth. " + privilegesRemedy,
			}
			return nil
		}
		problem = probeFirewall(here)
		return nil
	})
	if err != nil {
		return &Problem{What: "A network namespace cannot be made: " + err.Error() + ".", Remedy: privilegesRemedy}
	}
	return problem
}

func probeFirewall(at *namespace) *Problem {
	probe := netip.MustParsePrefix("10.0.0.0/16")
	router := firewall.Router{
		CIDR: probe, Uplink: uplink, Resolver: true,
		Subnets: []firewall.Subnet{{ID: "subnet", Mark: minMark, CIDR: probe}},
		Interfaces: []firewall.Interface{
			{
				ID:          "eni",
				Device:      "probe",
				Mark:        minMark,
				Private:     probe.Addr().Next(),
				Public:      probe.Addr(),
				SourceCheck: true,
			},
		},
	}
	err := firewall.Apply(at.fd(), router.Ruleset(tableName))
	if err == nil {
		return nil
	}
	conn, openErr := nftables.New(nftables.WithNetNSFd(at.fd()))
	if openErr == nil {
		_, openErr = conn.ListTables()
	}
	if openErr != nil {
		return &Problem{
			What:   "The kernel has no nftables: " + openErr.Error() + ".",
			Remedy: "modprobe nf_tables, or use a kernel with CONFIG_NF_TABLES.",
		}
	}
	return &Problem{
		What:   "The kernel's nftables lack a part that routers need: " + err.Error() + ".",
		Remedy: "modprobe -a nft_ct nft_nat nft_chain_nat, or use a distribution's kernel.",
	}
}

func checkDefaultRoute() *Problem {
	routes, err := netlink.RouteListFiltered(
		netlink.FAMILY_V4,
		&netlink.Route{Table: unix.RT_TABLE_MAIN},
		netlink.RT_FILTER_TABLE,
	)
	if err == nil && slices.ContainsFunc(routes, isDefaultRoute) {
		return nil
	}
	return &Problem{
		What:   "This host has no default route, so machines could install nothing.",
		Remedy: "Connect it to a network: \"ip route\" must show a line that begins with \"default\".",
	}
}

// isDefaultRoute tells a default route that packets can take.
func isDefaultRoute(r netlink.Route) bool {
	return prefixOf(r.Dst).Bits() == 0 && (r.Type == 0 || r.Type == unix.RTN_UNICAST)
}
