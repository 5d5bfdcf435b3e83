package ec2

import (
	"context"
	"net/netip"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/addressing"
	"aloft.dev/aloft/internal/cloud/instancetype"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// ipv6Addresses are the IPv6 addresses that a request asks for.
type ipv6Addresses struct {
	given   []netip.Addr
	count   int  // addresses that EC2 chooses
	decided bool // by the request; otherwise by the subnet
	primary bool // the first one stays while the interface is attached
}

// parseIPv6Addresses reads the IPv6 addresses of a new network interface.
func parseIPv6Addresses(
	listed []types.InstanceIpv6Address, count *int32, primary *bool,
) (wanted ipv6Addresses, err error) {
	wanted = ipv6Addresses{
		count: int(aws.ToInt32(count)), decided: count != nil || len(listed) > 0, primary: aws.ToBool(primary),
	}
	switch {
	case count != nil && len(listed) > 0:
		return wanted, wire.Errorf("InvalidParameterCombination",
			"IPv6 addresses and IPv6 address count may not be specified on the same request")
	case wanted.count < 0:
		return wanted, wire.Errorf("InvalidParameterValue", "Invalid value '%d' for ipv6AddressCount.", *count)
	}
	for _, one := range listed {
		address, err := parseIPv6Address(aws.ToString(one.Ipv6Address))
		if err != nil {
			return wanted, err
		}
		wanted.given = append(wanted.given, address)
	}
	return wanted, nil
}

func parseIPv6Address(text string) (netip.Addr, error) {
	address, err := netip.ParseAddr(text)
	if err != nil || !address.Is6() || address.Is4In6() || address.Zone() != "" {
		return address, wire.Errorf("InvalidParameterValue", "Invalid value '%s' for ipv6Addresses.", text)
	}
	return address, nil
}

// in returns the addresses that a new network interface in a subnet gets. Unless the request
// decides, the subnet does.
func (w ipv6Addresses) in(subnet *store.Subnet) ipv6Addresses {
	if !w.decided && subnet.AssignIPv6 {
		w.count = 1
	}
	return w
}

// size returns how many addresses the request asks for.
func (w ipv6Addresses) size() int { return len(w.given) + w.count }

// instanceIPv6Items describes the IPv6 addresses of an instance's network interface.
func instanceIPv6Items(row nic) []types.InstanceIpv6Address {
	return list(ipv6Items(row), func(item types.NetworkInterfaceIpv6Address) types.InstanceIpv6Address {
		return types.InstanceIpv6Address{Ipv6Address: item.Ipv6Address, IsPrimaryIpv6: item.IsPrimaryIpv6}
	})
}

// ipv6Items describes the IPv6 addresses of a network interface.
func ipv6Items(row nic) []types.NetworkInterfaceIpv6Address {
	items := make([]types.NetworkInterfaceIpv6Address, 0, len(row.IPv6))
	for i, address := range row.IPv6 {
		items = append(items, types.NetworkInterfaceIpv6Address{
			Ipv6Address: aws.String(address.String()), IsPrimaryIpv6: aws.Bool(i == 0 && row.PrimaryIPv6),
		})
	}
	return items
}

// firstIPv6 returns the first IPv6 address of a network interface, nil if it has none.
func firstIPv6(row nic) *string {
	if len(row.IPv6) == 0 {
		return nil
	}
	return aws.String(row.IPv6[0].String())
}

func ipv6Texts(_ store.Reader, row nic) []string { return list(row.IPv6, netip.Addr.String) }

// AssignIpv6Addresses assigns IPv6 addresses to a network interface: those that the request
// lists, or a number of free ones.
func (a *API) AssignIpv6Addresses(
	ctx context.Context, in *ec2.AssignIpv6AddressesInput,
) (*ec2.AssignIpv6AddressesOutput, error) {
	if err := required(parameter{"networkInterfaceId", in.NetworkInterfaceId}); err != nil {
		return nil, err
	}
	if err := supportOnly(in, "NetworkInterfaceId", "Ipv6Addresses", "Ipv6AddressCount"); err != nil {
		return nil, err
	}
	wanted, err := parseIPv6Addresses(list(in.Ipv6Addresses, asIPv6Address), in.Ipv6AddressCount, nil)
	switch {
	case err != nil:
		return nil, err
	case !wanted.decided:
		return nil, missingParameter("ipv6AddressCount")
	case wanted.size() == 0:
		return nil, wire.Errorf("InvalidParameterValue", "Invalid value '0' for ipv6AddressCount.")
	}
	out := &ec2.AssignIpv6AddressesOutput{
		NetworkInterfaceId: in.NetworkInterfaceId, AssignedIpv6Prefixes: []string{},
	}
	return out, a.changeInterface(ctx, nil, *in.NetworkInterfaceId, func(tx *store.Tx, eni nic) error {
		subnet, err := subnets.get(tx, eni.Region, eni.SubnetID)
		if err != nil {
			return err
		}
		added, err := addressing.AddIPv6(tx, a.ids, eni, subnet, wanted.given, wanted.count)
		if err != nil {
			return addressError(err, subnet)
		}
		out.AssignedIpv6Addresses = list(added, netip.Addr.String)
		return checkIPv6Count(tx, eni.ID)
	})
}

func asIPv6Address(text string) types.InstanceIpv6Address {
	return types.InstanceIpv6Address{Ipv6Address: aws.String(text)}
}

// checkIPv6Count refuses more IPv6 addresses on an attached interface than the type of its
// instance allows, which are as many as of IPv4 (Amazon EC2 User Guide, IP addresses per network
// interface).
func checkIPv6Count(r store.Reader, interfaceID string) error {
	eni, _ := store.NetworkInterfaces.Get(r, interfaceID)
	instance, ok := store.Instances.Get(r, eni.InstanceID)
	if !ok {
		return nil
	}
	if t, ok := instancetype.ByName(instance.Type); ok && len(eni.IPv6) > t.AddressesEach {
		return errAddressLimit()
	}
	return nil
}

// UnassignIpv6Addresses takes IPv6 addresses from a network interface.
func (a *API) UnassignIpv6Addresses(
	ctx context.Context, in *ec2.UnassignIpv6AddressesInput,
) (*ec2.UnassignIpv6AddressesOutput, error) {
	if err := required(parameter{"networkInterfaceId", in.NetworkInterfaceId}); err != nil {
		return nil, err
	}
	if err := supportOnly(in, "NetworkInterfaceId", "Ipv6Addresses"); err != nil {
		return nil, err
	}
	if len(in.Ipv6Addresses) == 0 {
		return nil, missingParameter("ipv6Addresses")
	}
	wanted, err := parseIPv6Addresses(list(in.Ipv6Addresses, asIPv6Address), nil, nil)
	if err != nil {
		return nil, err
	}
	out := &ec2.UnassignIpv6AddressesOutput{
		NetworkInterfaceId: in.NetworkInterfaceId, UnassignedIpv6Prefixes: []string{},
		UnassignedIpv6Addresses: list(wanted.given, netip.Addr.String),
	}
	return out, a.changeInterface(ctx, nil, *in.NetworkInterfaceId, func(tx *store.Tx, eni nic) error {
		for _, address := range wanted.given {
			switch i := slices.Index(eni.IPv6, address); {
			case i < 0:
				return wire.Errorf("InvalidParameterValue",
					"Some of the specified addresses are not assigned to interface %s", eni.ID)
			case i == 0 && eni.PrimaryIPv6:
				return invalidValue("ipv6Addresses", address.String(),
					"The primary IPv6 address of an interface cannot be unassigned.")
			}
		}
		store.NetworkInterfaces.Edit(tx, eni.ID, func(row *store.NetworkInterface) {
			row.IPv6 = slices.DeleteFunc(
				slices.Clone(row.IPv6), func(a netip.Addr) bool { return slices.Contains(wanted.given, a) },
			)
		})
		return nil
	})
}

// setPrimaryIPv6 makes the first IPv6 address of a network interface its primary one. It remains
// so while the interface is attached.
func setPrimaryIPv6(tx *store.Tx, eni nic, primary bool) error {
	switch {
	case eni.PrimaryIPv6 && !primary:
		return invalidValue("enablePrimaryIpv6", "false", "A primary IPv6 address cannot be disabled.")
	case primary && len(eni.IPv6) == 0:
		return invalidValue("enablePrimaryIpv6", "true", "The network interface has no IPv6 address.")
	}
	store.NetworkInterfaces.Edit(tx, eni.ID, func(row *store.NetworkInterface) { row.PrimaryIPv6 = primary })
	return nil
}
