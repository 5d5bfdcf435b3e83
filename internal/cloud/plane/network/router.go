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
	*place
	mtu       int
	addresses addresses
	wired     map[string]attachment // by interface id
	ruleset   string                // in the kernel; empty: unknown
	applied   VPC                   // zero: unknown
}

// attachment is an interface whose wire has been seen or made.
type attachment struct {
	namespace       string
	at              identity
	device          string
	index           int
	private, public netip.Addr
}

// forwarding makes a namespace forward packets and answer for the addresses
// behind it, and believe the firewall alone about sources.
var forwarding = []setting{
	{"ipv4/ip_forward", "1"},
	{"ipv4/conf/all/rp_filter", "0"}, {"ipv4/conf/default/rp_filter", "0"},
	{"ipv4/conf/all/send_redirects", "0"}, {"ipv4/conf/default/send_redirects", "0"},
}

var routing = []setting{{"ipv4/conf/all/proxy_arp", "1"}, {"ipv4/conf/all/accept_local", "1"}}

// legacyOnly: routers and the edge speak IPv4 only.
var legacyOnly = []setting{{"ipv6/conf/all/disable_ipv6", "1"}, {"ipv6/conf/default/disable_ipv6", "1"}}

// establish makes the namespace at path, unless it is there, and opens it.
func establish(path string, settings ...[]setting) (*place, error) {
	if err := pin(path); err != nil {
		return nil, err
	}
	err := within(path, func() error {
		for _, s := range settings {
			if err := configure(s); err != nil {
				return err
			}
		}
		if _, err := os.Stat("/proc/sys/net/ipv6"); err != nil {
			return nil // a kernel without IPv6
		}
		return configure(legacyOnly)
	})
	if err != nil {
		return nil, err
	}
	at, err := openPlace(path, unix.NETLINK_NETFILTER)
	if err != nil {
		return nil, err
	}
	if _, err := at.loopback(); err != nil {
		return nil, errors.Join(err, at.close())
	}
	return at, nil
}

func openRouter(path string, mtu int, own addresses) (*router, error) {
	at, err := establish(path, forwarding, routing)
	if err != nil {
		return nil, err
	}
	return &router{place: at, mtu: mtu, addresses: own, wired: map[string]attachment{}}, nil
}

// set converges the router. nodes gives the path of a namespace that the plane
// itself keeps for an interface.
func (r *router) set(vpc VPC, edge *edge, nodes func(id string) string) error {
	present, err := r.devices()
	if err != nil {
		return err
	}
	wanted, problems := r.attachments(vpc, nodes)
	if problems == nil && r.current(vpc, wanted, present) {
		return nil
	}
	r.applied = VPC{}
	// The rules come first: nothing passes a device before the rules for it hold,
	// and what is to end ends at once.
	if err := r.filter(vpc, wanted); err != nil {
		return errors.Join(problems, err)
	}
	problems = errors.Join(problems, r.unwire(wanted, present))
	up, err := r.join(vpc, edge, present)
	if err != nil {
		return errors.Join(problems, err)
	}
	if err := r.setAddresses(present["lo"], serviceAddresses(vpc)); err != nil {
		return errors.Join(problems, err)
	}
	problems = errors.Join(problems, r.wireAll(vpc, wanted, present))
	if err := errors.Join(r.setRoutes(r.routes(vpc, up), nil), r.setRules(vpc)); err != nil {
		return errors.Join(problems, err)
	}
	if problems == nil {
		r.applied = vpc
	}
	return problems
}

// attachments says which interfaces are to be wired, and to which namespaces.
// Namespaces that cannot be found are problems of their interfaces only.
func (r *router) attachments(vpc VPC, nodes func(string) string) (map[string]attachment, error) {
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
		at, err := identify(path)
		if err != nil {
			problems = errors.Join(problems, fmt.Errorf("attach interface %s: %w", i.ID, err))
			continue
		}
		a := attachment{namespace: path, at: at, device: deviceOf("eni", i.ID), private: i.Private}
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

// current tells whether the kernel holds all that is wanted already.
func (r *router) current(vpc VPC, wanted map[string]attachment, present map[string]netlink.Link) bool {
	if !reflect.DeepEqual(vpc, r.applied) || len(wanted) != len(r.wired) {
		return false
	}
	if _, up := present[uplink]; up != vpc.Gateway {
		return false
	}
	for id, w := range wanted {
		have := r.wired[id]
		link, ok := present[w.device]
		if !ok || w.at != have.at || w.namespace != have.namespace || link.Attrs().Index != have.index {
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
		single(firewall.ResolverOf(vpc.CIDR)),
	}
	for _, s := range vpc.Subnets {
		all = append(all, single(gatewayOf(s.CIDR)))
	}
	return all
}

// gatewayOf gives the router's address in a subnet: its base plus one (Amazon
// VPC User Guide, Subnet sizing).
func gatewayOf(subnet netip.Prefix) netip.Addr { return subnet.Masked().Addr().Next() }

// filter writes the firewall if it differs from what the kernel has.
func (r *router) filter(vpc VPC, wanted map[string]attachment) error {
	ruleset := describe(vpc, wanted).Ruleset(table)
	text := ruleset.String()
	if text == r.ruleset {
		return nil
	}
	if err := firewall.Apply(r.fd(), ruleset); err != nil {
		r.ruleset = ""
		return fmt.Errorf("filter: %w", err)
	}
	r.ruleset = text
	return nil
}

// describe tells the firewall what it must know of the VPC.
func describe(vpc VPC, wanted map[string]attachment) firewall.Router {
	f := firewall.Router{CIDR: vpc.CIDR, Uplink: uplink, Resolver: vpc.DNSSupport, Groups: vpc.Groups}
	for _, s := range vpc.Subnets {
		f.Subnets = append(f.Subnets, firewall.Subnet{ID: s.ID, Mark: markOf(s.ID), CIDR: s.CIDR, ACL: s.ACL})
	}
	for _, i := range vpc.Interfaces {
		f.Members = append(f.Members, firewall.Member{Private: i.Private, Groups: i.Groups})
		if a, ok := wanted[i.ID]; ok {
			f.Interfaces = append(f.Interfaces, firewall.Interface{
				ID: i.ID, Device: a.device, Mark: markOf(i.SubnetID), Private: i.Private, Public: a.public,
				Groups: i.Groups, SourceCheck: i.SourceDestCheck, Cut: i.Cut,
			})
		}
	}
	return f
}

// join wires the router to the edge while a gateway is attached, and gives the
// index of the device, zero for none.
func (r *router) join(vpc VPC, edge *edge, present map[string]netlink.Link) (int, error) {
	link, there := present[uplink]
	switch {
	case !vpc.Gateway && there:
		return 0, r.remove(link)
	case !vpc.Gateway:
		return 0, nil
	}
	name := deviceOf("vpc", vpc.ID)
	far, err := edge.netlink.LinkByName(name)
	if there && (err != nil || !joined(link, far)) {
		if err := r.remove(link); err != nil {
			return 0, err
		}
		there = false
	}
	if !there {
		if link, far, err = wire(r.place, uplink, edge.place, name, nil, r.mtu); err != nil {
			return 0, fmt.Errorf("attach the gateway: %w", err)
		}
	}
	if err := switchOn(end{r.place, link}, end{edge.place, far}); err != nil {
		return 0, err
	}
	return link.Attrs().Index, r.setAddresses(link, []netip.Prefix{single(r.addresses.router)})
}
