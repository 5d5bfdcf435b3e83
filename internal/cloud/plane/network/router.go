package network

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"reflect"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"aloft.dev/aloft/internal/cloud/plane/firewall"
)

// router is a VPC's namespace as this process knows it.
type router struct {
	*namespace
	mtu            int
	addresses      addresses
	attached       map[string]attachment // by interface id
	appliedRuleset string                // in the kernel; empty: unknown
	appliedVPC     VPC                   // zero: unknown
}

// attachment is an interface whose wire has been seen or made.
type attachment struct {
	namespace       string
	namespaceID     namespaceID
	device          string
	index           int
	private, public netip.Addr
}

// forwardingSysctls makes a namespace forward packets and answer for the addresses
// behind it, and believe the firewall alone about sources.
var forwardingSysctls = []sysctl{
	{"ipv4/ip_forward", "1"},
	{"ipv4/conf/all/rp_filter", "0"}, {"ipv4/conf/default/rp_filter", "0"},
	{"ipv4/conf/all/send_redirects", "0"}, {"ipv4/conf/default/send_redirects", "0"},
}

var proxyARPSysctls = []sysctl{{"ipv4/conf/all/proxy_arp", "1"}, {"ipv4/conf/all/accept_local", "1"}}

// disableIPv6: routers and the edge speak IPv4 only.
var disableIPv6 = []sysctl{{"ipv6/conf/all/disable_ipv6", "1"}, {"ipv6/conf/default/disable_ipv6", "1"}}

// createNamespace makes the namespace at path, unless it is there, and opens it.
func createNamespace(path string, settings ...[]sysctl) (*namespace, error) {
	if err := pin(path); err != nil {
		return nil, err
	}
	err := inNamespace(path, func() error {
		for _, s := range settings {
			if err := writeSysctls(s); err != nil {
				return err
			}
		}
		if _, err := os.Stat("/proc/sys/net/ipv6"); err != nil {
			return nil // a kernel without IPv6
		}
		return writeSysctls(disableIPv6)
	})
	if err != nil {
		return nil, err
	}
	at, err := openNamespace(path, unix.NETLINK_NETFILTER)
	if err != nil {
		return nil, err
	}
	if _, err := at.setUpLoopback(); err != nil {
		return nil, errors.Join(err, at.close())
	}
	return at, nil
}

func openRouter(path string, mtu int, own addresses) (*router, error) {
	at, err := createNamespace(path, forwardingSysctls, proxyARPSysctls)
	if err != nil {
		return nil, err
	}
	return &router{namespace: at, mtu: mtu, addresses: own, attached: map[string]attachment{}}, nil
}

// reconcile converges the router. nodes gives the path of a namespace that the plane
// itself keeps for an interface.
func (r *router) reconcile(vpc VPC, edge *edge, nodes func(id string) string) error {
	present, err := r.devices()
	if err != nil {
		return err
	}
	wanted, problems := r.desiredAttachments(vpc, nodes)
	if problems == nil && r.upToDate(vpc, wanted, present) {
		return nil
	}
	r.appliedVPC = VPC{}
	// The rules come first: nothing passes a device before the rules for it hold,
	// and what is to end ends at once.
	if err := r.applyFirewall(vpc, wanted); err != nil {
		return errors.Join(problems, err)
	}
	problems = errors.Join(problems, r.detachStale(wanted, present))
	up, err := r.connectEdge(vpc, edge, present)
	if err != nil {
		return errors.Join(problems, err)
	}
	if err := r.setAddresses(present["lo"], serviceAddresses(vpc)); err != nil {
		return errors.Join(problems, err)
	}
	problems = errors.Join(problems, r.attachAll(vpc, wanted, present))
	if err := errors.Join(r.setRoutes(r.routes(vpc, up), nil), r.setRoutingRules(vpc)); err != nil {
		return errors.Join(problems, err)
	}
	if problems == nil {
		r.appliedVPC = vpc
	}
	return problems
}

// desiredAttachments says which interfaces are to be wired, and to which namespaces.
// Namespaces that cannot be found are problems of their interfaces only.
func (r *router) desiredAttachments(vpc VPC, nodes func(string) string) (map[string]attachment, error) {
	var problems error
	all := make(map[string]attachment, len(vpc.Interfaces))
	routed := internetSubnets(vpc)
	for _, i := range vpc.Interfaces {
		path := i.Namespace
		if i.OwnNamespace {
			path = nodes(i.ID)
			if err := pin(path); err != nil {
				problems = errors.Join(problems, fmt.Errorf("interface %s: %w", i.ID, err))
				continue
			}
		}
		if path == "" {
			continue
		}
		at, err := statNamespace(path)
		if err != nil {
			problems = errors.Join(problems, fmt.Errorf("attach interface %s: %w", i.ID, err))
			continue
		}
		a := attachment{namespace: path, namespaceID: at, device: deviceName("eni", i.ID), private: i.Private}
		if routed[i.SubnetID] {
			a.public = i.Public
		}
		all[i.ID] = a
	}
	return all, problems
}

// internetSubnets tells the subnets that have a route to an attached gateway.
func internetSubnets(vpc VPC) map[string]bool {
	routed := map[string]bool{}
	for _, s := range vpc.Subnets {
		for _, line := range s.Routes {
			if vpc.Gateway && line.Via == Gateway {
				routed[s.ID] = true
			}
		}
	}
	return routed
}

// upToDate tells whether the kernel holds all that is wanted already.
func (r *router) upToDate(vpc VPC, wanted map[string]attachment, present map[string]netlink.Link) bool {
	if !reflect.DeepEqual(vpc, r.appliedVPC) || len(wanted) != len(r.attached) {
		return false
	}
	if _, up := present[uplink]; up != vpc.Gateway {
		return false
	}
	for id, w := range wanted {
		have := r.attached[id]
		link, ok := present[w.device]
		if !ok || w.namespaceID != have.namespaceID || w.namespace != have.namespace || link.Attrs().Index != have.index {
			return false
		}
	}
	return true
}

// serviceAddresses are the router's own: the first of each subnet, and those of
// the resolver and the metadata service.
func serviceAddresses(vpc VPC) []netip.Prefix {
	all := []netip.Prefix{
		single(firewall.MetadataAddress),
		single(firewall.ResolverAddress),
		single(firewall.VPCResolverAddress(vpc.CIDR)),
	}
	for _, s := range vpc.Subnets {
		all = append(all, single(subnetGateway(s.CIDR)))
	}
	return all
}

// subnetGateway gives the router's address in a subnet: its base plus one (Amazon
// VPC User Guide, Subnet sizing).
func subnetGateway(subnet netip.Prefix) netip.Addr { return subnet.Masked().Addr().Next() }

// applyFirewall writes the firewall if it differs from what the kernel has.
func (r *router) applyFirewall(vpc VPC, wanted map[string]attachment) error {
	ruleset := firewallOf(vpc, wanted).Ruleset(tableName)
	text := ruleset.String()
	if text == r.appliedRuleset {
		return nil
	}
	if err := firewall.Apply(r.fd(), ruleset); err != nil {
		r.appliedRuleset = ""
		return fmt.Errorf("filter: %w", err)
	}
	r.appliedRuleset = text
	return nil
}

// firewallOf tells the firewall what it must know of the VPC.
func firewallOf(vpc VPC, wanted map[string]attachment) firewall.Router {
	f := firewall.Router{CIDR: vpc.CIDR, Uplink: uplink, Resolver: vpc.DNSSupport, SecurityGroups: vpc.SecurityGroups}
	for _, s := range vpc.Subnets {
		f.Subnets = append(f.Subnets, firewall.Subnet{ID: s.ID, Mark: subnetMark(s.ID), CIDR: s.CIDR, ACL: s.ACL})
	}
	for _, i := range vpc.Interfaces {
		f.Members = append(f.Members, firewall.Member{Private: i.Private, SecurityGroups: i.SecurityGroups})
		if a, ok := wanted[i.ID]; ok {
			f.Interfaces = append(f.Interfaces, firewall.Interface{
				ID: i.ID, Device: a.device, Mark: subnetMark(i.SubnetID), Private: i.Private, Public: a.public,
				SecurityGroups: i.SecurityGroups, SourceCheck: i.SourceDestCheck, Cut: i.Cut,
			})
		}
	}
	return f
}

// connectEdge wires the router to the edge while a gateway is attached, and gives the
// index of the device, zero for none.
func (r *router) connectEdge(vpc VPC, edge *edge, present map[string]netlink.Link) (int, error) {
	link, there := present[uplink]
	switch {
	case !vpc.Gateway && there:
		return 0, r.removeDevice(link)
	case !vpc.Gateway:
		return 0, nil
	}
	name := deviceName("vpc", vpc.ID)
	far, err := edge.netlink.LinkByName(name)
	if there && (err != nil || !paired(link, far)) {
		if err := r.removeDevice(link); err != nil {
			return 0, err
		}
		there = false
	}
	if !there {
		if link, far, err = createPair(r.namespace, uplink, edge.namespace, name, nil, r.mtu); err != nil {
			return 0, fmt.Errorf("attach the gateway: %w", err)
		}
	}
	if err := setUpPair(end{r.namespace, link}, end{edge.namespace, far}); err != nil {
		return 0, err
	}
	return link.Attrs().Index, r.setAddresses(link, []netip.Prefix{single(r.addresses.router)})
}
