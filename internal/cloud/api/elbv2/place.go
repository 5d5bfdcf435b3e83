package elbv2

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"aloft.dev/aloft/internal/cloud/addressing"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// place is where a request places a node of a load balancer.
type place struct {
	subnet     string
	allocation string     // of the Elastic IP address that the node has; empty: none
	private    netip.Addr // of the node; zero: any
	ipv6       netip.Addr // of the node of a dualstack load balancer; zero: any
}

// isNamed reports whether the request chose an address.
func (p place) isNamed() bool { return p.allocation != "" || p.private.IsValid() || p.ipv6.IsValid() }

// readPlaces returns the places of a request, which can name the subnets in two ways, sorted by
// subnet and without duplicates.
func readPlaces(lb *store.LoadBalancer, ids []string, mappings []types.SubnetMapping) ([]place, error) {
	if len(ids) > 0 && len(mappings) > 0 {
		return nil, invalid("You must specify either subnets or subnet mappings, not both")
	}
	var out []place
	for _, id := range ids {
		out = append(out, place{subnet: id})
	}
	for _, m := range mappings {
		p, err := readPlace(lb, m)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	slices.SortStableFunc(out, func(a, b place) int { return strings.Compare(a.subnet, b.subnet) })
	return slices.CompactFunc(out, func(a, b place) bool { return a.subnet == b.subnet }), nil
}

// readPlace returns the place of a subnet mapping (Elastic Load Balancing API Reference,
// SubnetMapping).
func readPlace(lb *store.LoadBalancer, m types.SubnetMapping) (place, error) {
	if err := checkMapping(lb, m); err != nil {
		return place{}, err
	}
	if err := model.Required("subnetMappings.member.subnetId", m.SubnetId != nil); err != nil {
		return place{}, err
	}
	p := place{subnet: *m.SubnetId, allocation: aws.ToString(m.AllocationId)}
	if m.PrivateIPv4Address != nil {
		var err error
		if p.private, err = netip.ParseAddr(*m.PrivateIPv4Address); err != nil || !p.private.Is4() {
			return place{}, invalid("The IP address '%s' is not a valid IPv4 address", *m.PrivateIPv4Address)
		}
	}
	if m.IPv6Address != nil {
		var err error
		if p.ipv6, err = netip.ParseAddr(*m.IPv6Address); err != nil || !p.ipv6.Is6() || p.ipv6.Zone() != "" {
			return place{}, invalid("The IP address '%s' is not a valid IPv6 address", *m.IPv6Address)
		}
	}
	return p, nil
}

// checkMapping refuses addresses that the load balancer cannot have.
func checkMapping(lb *store.LoadBalancer, m types.SubnetMapping) error {
	refuse := func(text string) error { return wire.Errorf("InvalidConfigurationRequest", "%s", text) }
	hasIPv6 := m.IPv6Address != nil || m.SourceNatIpv6Prefix != nil
	switch {
	case !lb.IsNetwork() && (m.AllocationId != nil || m.PrivateIPv4Address != nil || hasIPv6):
		return refuse("You cannot specify addresses for the subnets of an Application Load Balancer")
	case m.SourceNatIpv6Prefix != nil:
		return wire.NotImplemented("IPv6 prefixes of load balancers")
	case hasIPv6 && !lb.HasIPv6():
		return refuse("You can specify IPv6 addresses only for a dualstack load balancer")
	case m.AllocationId != nil && lb.Scheme != internetFacing:
		return refuse("You can specify Elastic IP addresses only for an internet-facing load balancer")
	case m.PrivateIPv4Address != nil && lb.Scheme == internetFacing:
		return refuse("You can specify private IPv4 addresses only for an internal load balancer")
	}
	return nil
}

// has reports whether the node is at the place.
func (p place) has(r store.Reader, n store.Node) bool {
	if n.SubnetID != p.subnet || n.ChosenIP != p.private.IsValid() || n.ChosenIPv6 != p.ipv6.IsValid() {
		return false
	}
	nic, ok := store.NetworkInterfaces.Get(r, n.InterfaceID)
	if !ok || n.ChosenIP && nic.PrivateIP != p.private || n.ChosenIPv6 && nic.FirstIPv6() != p.ipv6 {
		return false
	}
	allocation := ""
	if address := addressing.ElasticIPOf(r, nic, nic.PrivateIP); address != nil {
		allocation = address.ID
	}
	return allocation == p.allocation
}

// elasticIP returns the Elastic IP address of the place, or nil if the place has none.
func (p place) elasticIP(r store.Reader, region identity.Region) (*store.ElasticIP, error) {
	if p.allocation == "" {
		return nil, nil //nolint:nilnil // a place may have none
	}
	address, ok := store.ElasticIPs.Get(r, p.allocation)
	switch {
	case !ok || address.Region != region:
		return nil, allocationNotFound(p.allocation)
	case address.AssociationID != "": // hashicorp/terraform-provider-aws, issue 15031
		return nil, wire.Errorf("ResourceInUse", "The allocation IDs are not available for use")
	}
	return address, nil
}

// chosenAddresses describes the addresses of a node that a request chose. AWS describes no
// others (Elastic Load Balancing API Reference, LoadBalancerAddress).
func chosenAddresses(r store.Reader, n store.Node) []types.LoadBalancerAddress {
	out := []types.LoadBalancerAddress{}
	nic, ok := store.NetworkInterfaces.Get(r, n.InterfaceID)
	if !ok {
		return out
	}
	if address := addressing.ElasticIPOf(r, nic, nic.PrivateIP); address != nil {
		out = append(out, types.LoadBalancerAddress{
			IpAddress: new(address.PublicIP.String()), AllocationId: new(address.ID),
		})
	}
	if n.ChosenIP {
		out = append(out, types.LoadBalancerAddress{PrivateIPv4Address: new(nic.PrivateIP.String())})
	}
	if n.ChosenIPv6 {
		out = append(out, types.LoadBalancerAddress{IPv6Address: new(nic.FirstIPv6().String())})
	}
	return out
}
