//go:build linux

package network

import (
	"errors"
	"fmt"
	"net/netip"
	"reflect"

	"github.com/vishvananda/netlink"

	"aloft.dev/aloft/internal/cloud/plane/firewall"
)

// router is a VPC's namespace and what this process knows of its state.
type router struct {
	*namespace
	cookie      uint64 // number of the namespace
	mtu         int
	flows       uint32 // limit of the firewall
	addresses   bothAddresses
	attached    map[string]attachment // by interface ID
	forwarders  map[string]*forwarder // by interface ID
	ruleset     appliedRuleset
	recorder    recorder
	appliedVPC  VPC            // zero: unknown
	uplinkIndex int            // of the uplink of appliedVPC; zero: it has none
	peers       map[string]int // index of the device of each of its peers, by the connection's ID
}

func openRouter(path string, mtu int, flows uint32, own bothAddresses) (*router, error) {
	n, err := createNamespace(path, forwardingSysctls, proxyARPSysctls)
	if err != nil {
		return nil, err
	}
	r := &router{namespace: n, mtu: mtu, flows: flows, addresses: own, attached: map[string]attachment{}}
	err = inNamespace(path, func() (err error) {
		r.cookie, err = cookieHere()
		return err
	})
	if err != nil {
		return nil, errors.Join(err, n.close())
	}
	return r, nil
}

// reconcile brings the router to the VPC's desired state. nodePath returns the path of
// the namespace of an interface with OwnNamespace. others are all routers by VPC ID.
func (r *router) reconcile(
	vpc VPC, edge *edge, others map[string]*router, nodePath func(interfaceID string) string,
) error {
	present, err := r.devices()
	if err != nil {
		return err
	}
	desired, problems := desiredAttachments(vpc, nodePath)
	if problems == nil && r.upToDate(vpc, desired, present) {
		return nil
	}
	r.appliedVPC = VPC{}
	if len(vpc.IPv6) == 0 {
		problems = errors.Join(problems, r.removeIPv6())
	}
	// The firewall comes first: no packet passes a device before its rules hold, and
	// what the new rules forbid stops at once.
	if err := r.applyFirewall(vpc, desired); err != nil {
		return errors.Join(problems, err)
	}
	if err := r.setIPv6(len(vpc.IPv6) > 0); err != nil {
		return errors.Join(problems, err)
	}
	problems = errors.Join(problems, r.applyForwarders(vpc, desired), r.detachStale(vpc, desired, present))
	if r.uplinkIndex, err = r.connectEdge(vpc, edge, present); err != nil {
		return errors.Join(problems, err)
	}
	problems = errors.Join(problems, r.connectPeers(vpc, others, present))
	if err := r.setAddresses(present["lo"], serviceAddresses(vpc)); err != nil {
		return errors.Join(problems, err)
	}
	problems = errors.Join(problems, r.attachAll(vpc, desired, present))
	if err := errors.Join(r.setRoutes(r.routes(vpc), nil), r.setRoutingRules(vpc)); err != nil {
		return errors.Join(problems, err)
	}
	if problems == nil {
		r.appliedVPC = vpc
	}
	return problems
}

// upToDate reports whether the kernel already has the desired state.
func (r *router) upToDate(vpc VPC, desired map[string]attachment, present map[string]netlink.Link) bool {
	if !reflect.DeepEqual(vpc, r.appliedVPC) || len(desired) != len(r.attached) {
		return false
	}
	if _, connected := present[uplink]; connected != vpc.isConnected() {
		return false
	}
	for _, peer := range vpc.Peers {
		if link, ok := present[peerDevice(peer.ID)]; !ok || link.Attrs().Index != r.peers[peer.ID] {
			return false
		}
	}
	for id, want := range desired {
		observed := r.attached[id]
		link, ok := present[want.device]
		if !ok || want.namespaceID != observed.namespaceID || want.namespace != observed.namespace ||
			link.Attrs().Index != observed.index {
			return false
		}
	}
	return true
}

// serviceAddresses returns the addresses that the router itself owns: the gateway of
// each subnet, and those of the resolver and of the instance metadata service.
func serviceAddresses(vpc VPC) []netip.Prefix {
	all := []netip.Prefix{
		hostPrefix(firewall.MetadataAddress),
		hostPrefix(firewall.ResolverAddress),
		hostPrefix(firewall.VPCResolverAddress(vpc.CIDRs[0])),
	}
	if len(vpc.IPv6) > 0 {
		all = append(all, hostPrefix(firewall.MetadataAddress6), hostPrefix(firewall.ResolverAddress6))
	}
	for _, s := range vpc.Subnets {
		if s.CIDR.IsValid() {
			all = append(all, hostPrefix(subnetGateway(s.CIDR)))
		}
	}
	return all
}

// isConnected reports whether a gateway connects the VPC with the edge.
func (vpc VPC) isConnected() bool { return vpc.Gateway || vpc.EgressOnly }

// gateway6 is the router's IPv6 address as machines see it, on the link of each of them.
var gateway6 = netip.MustParseAddr("fe80::1")

// subnetGateway returns the router's address in a subnet: its base plus one (Amazon
// VPC User Guide, Subnet sizing).
func subnetGateway(subnet netip.Prefix) netip.Addr { return subnet.Masked().Addr().Next() }

// connectEdge connects the router with the edge while a gateway to the internet is attached
// and disconnects it otherwise. It returns the index of the uplink, or zero.
func (r *router) connectEdge(vpc VPC, edge *edge, present map[string]netlink.Link) (int, error) {
	near, exists := present[uplink]
	switch {
	case !vpc.isConnected() && exists:
		return 0, r.removeDevice(near)
	case !vpc.isConnected():
		return 0, nil
	}
	farName := deviceName("vpc", vpc.ID)
	far, err := edge.netlink.LinkByName(farName)
	if exists && (err != nil || !paired(near, far)) {
		if err := r.removeDevice(near); err != nil {
			return 0, err
		}
		exists = false
	}
	if !exists {
		if near, far, err = createPair(r.namespace, uplink, edge.namespace, farName, nil, r.mtu); err != nil {
			return 0, fmt.Errorf("attach the gateway: %w", err)
		}
	}
	if err := setUpPair(end{r.namespace, near}, end{edge.namespace, far}); err != nil {
		return 0, err
	}
	var routers []netip.Prefix
	for _, own := range r.addresses.shared(r.namespace, edge.namespace) {
		routers = append(routers, hostPrefix(own.router))
		err = errors.Join(
			keepNeighbor(end{r.namespace, near}, own.edge, far),
			keepNeighbor(end{edge.namespace, far}, own.router, near),
		)
		if err != nil {
			return 0, err
		}
	}
	return near.Attrs().Index, r.setAddresses(near, routers)
}
