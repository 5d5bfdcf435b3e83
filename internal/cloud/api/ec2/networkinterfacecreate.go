package ec2

import (
	"context"
	"errors"
	"net/netip"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/addressing"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// CreateNetworkInterface creates a network interface that is not attached.
func (a *API) CreateNetworkInterface(
	ctx context.Context, in *ec2.CreateNetworkInterfaceInput,
) (*ec2.CreateNetworkInterfaceOutput, error) {
	if err := required(parameter{"subnetId", in.SubnetId}); err != nil {
		return nil, err
	}
	if err := supportOnly(
		in, "DryRun", "ClientToken", "SubnetId", "Description", "Groups", "PrivateIpAddress", "PrivateIpAddresses",
		"SecondaryPrivateIpAddressCount", "TagSpecifications", "Ipv6AddressCount", "Ipv6Addresses.Ipv6Address",
		"EnablePrimaryIpv6",
	); err != nil {
		return nil, err
	}
	addresses, err := parseAddresses(in.PrivateIpAddress, in.PrivateIpAddresses, in.SecondaryPrivateIpAddressCount)
	if err != nil {
		return nil, err
	}
	addresses.ipv6, err = parseIPv6Addresses(in.Ipv6Addresses, in.Ipv6AddressCount, in.EnablePrimaryIpv6)
	if err != nil {
		return nil, err
	}
	tags, err := tagsOfSpecifications(in.TagSpecifications, types.ResourceTypeNetworkInterface)
	if err != nil {
		return nil, err
	}
	var item types.NetworkInterface
	if err := a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		q := tokenRequest{"CreateNetworkInterface", in.ClientToken, in, rowExists(tx, store.NetworkInterfaces)}
		ids, err := a.oncePerToken(tx, region, q, func() ([]string, error) {
			spec, err := a.interfaceSpec(tx, region, in)
			if err != nil {
				return nil, err
			}
			spec.Tags = tags[types.ResourceTypeNetworkInterface]
			eni, err := a.newInterface(tx, spec, addresses)
			if err != nil {
				return nil, err
			}
			return []string{eni.ID}, nil
		})
		if err != nil {
			return err
		}
		row, err := networkInterfaces.get(tx, region, ids[0])
		if err != nil {
			return err
		}
		item = networkInterfaceItem(tx)(row)
		return nil
	}); err != nil {
		return nil, err
	}
	item.Status = "pending" // as EC2 says, though the enumeration lacks it
	return &ec2.CreateNetworkInterfaceOutput{NetworkInterface: &item, ClientToken: in.ClientToken}, nil
}

// interfaceSpec describes the network interface that a request asks for, without its
// addresses and tags.
func (a *API) interfaceSpec(
	r store.Reader, region identity.Region, in *ec2.CreateNetworkInterfaceInput,
) (addressing.InterfaceSpec, error) {
	spec := addressing.InterfaceSpec{Description: aws.ToString(in.Description)}
	var err error
	if spec.Subnet, err = subnets.get(r, region, *in.SubnetId); err != nil {
		return spec, err
	}
	if spec.GroupIDs, err = securityGroupIDs(r, region, spec.Subnet, in.Groups, nil); err != nil {
		return spec, err
	}
	return spec, a.limitInterfaceGroups(spec.GroupIDs)
}

// interfaceAddresses are the addresses that a request asks for.
type interfaceAddresses struct {
	primary   netip.Addr // zero: any
	secondary []netip.Addr
	free      int // secondary addresses that EC2 chooses
	ipv6      ipv6Addresses
}

// count returns how many addresses the interface has, of the family of which it has more.
func (w interfaceAddresses) count() int { return max(1+len(w.secondary)+w.free, w.ipv6.size()) }

// addTo adds the addresses to the description of a network interface.
func (w interfaceAddresses) addTo(spec *addressing.InterfaceSpec) {
	spec.PrivateIP, spec.Secondary, spec.Free = w.primary, w.secondary, w.free
	ipv6 := w.ipv6.in(spec.Subnet)
	spec.IPv6, spec.FreeIPv6, spec.PrimaryIPv6 = ipv6.given, ipv6.count, ipv6.primary && ipv6.size() > 0
}

// parseAddresses reads the private addresses of a new network interface. Of those in a
// list only one can be the primary one, and none if the request names that itself (Amazon
// EC2 API Reference, CreateNetworkInterface).
func parseAddresses(
	primary *string, listed []types.PrivateIpAddressSpecification, count *int32,
) (wanted interfaceAddresses, err error) {
	if aws.ToString(primary) != "" {
		if wanted.primary, err = parsePrivateAddress(*primary); err != nil {
			return wanted, err
		}
	}
	if count != nil && len(listed) > 1 {
		return wanted, wire.Errorf("InvalidParameterCombination",
			"The parameter secondaryPrivateIpAddressCount cannot be used with more than one privateIpAddresses")
	}
	if aws.ToInt32(count) < 0 {
		return wanted, wire.Errorf(
			"InvalidParameterValue", "Invalid value '%d' for secondaryPrivateIpAddressCount.", *count,
		)
	}
	wanted.free = int(aws.ToInt32(count))
	for _, one := range listed {
		if err := required(parameter{"privateIpAddress", one.PrivateIpAddress}); err != nil {
			return wanted, err
		}
		address, err := parsePrivateAddress(*one.PrivateIpAddress)
		switch {
		case err != nil:
			return wanted, err
		case !aws.ToBool(one.Primary):
			wanted.secondary = append(wanted.secondary, address)
		case wanted.primary.IsValid() && wanted.primary != address:
			return wanted, wire.Errorf(
				"InvalidParameterCombination", "Only one private IP address can be designated as primary.",
			)
		default:
			wanted.primary = address
		}
	}
	return wanted, nil
}

func parsePrivateAddress(text string) (netip.Addr, error) {
	address, err := netip.ParseAddr(text)
	if err != nil || !address.Is4() {
		return address, wire.Errorf("InvalidParameterValue", "Invalid value '%s' for privateIpAddress.", text)
	}
	return address, nil
}

// newInterface creates a network interface with addresses.
func (a *API) newInterface(
	tx *store.Tx, spec addressing.InterfaceSpec, wanted interfaceAddresses,
) (nic, error) {
	if err := a.limitNetworkInterfaces(tx, spec.Subnet.Region); err != nil {
		return nil, err
	}
	wanted.addTo(&spec)
	eni, err := addressing.NewInterface(tx, a.ids, spec)
	return eni, addressError(err, spec.Subnet)
}

// errNoIPv4 is EC2's error for what needs an IPv4 address in a subnet that has none.
func errNoIPv4(subnetID string) error {
	return wire.Errorf(
		"InvalidParameterValue", "Subnet '%s' does not have an IPv4 CIDR block associated with it.", subnetID,
	)
}

// addressError returns EC2's error for an address that cannot be assigned.
func addressError(err error, subnet *store.Subnet) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, addressing.ErrSubnetFull):
		return wire.Errorf(
			"InsufficientFreeAddressesInSubnet", "Not enough free addresses in subnet '%s'", subnet.ID,
		)
	case errors.Is(err, addressing.ErrNoIPv6):
		return wire.Errorf("InvalidParameterValue", "Subnet '%s' does not have an IPv6 CIDR block associated with it.",
			subnet.ID)
	case errors.Is(err, addressing.ErrNoIPv4):
		return errNoIPv4(subnet.ID)
	case errors.Is(err, addressing.ErrInUse):
		return wire.Errorf("InvalidIPAddress.InUse", "The specified address is already in use.")
	case errors.Is(err, addressing.ErrPublicRangeFull):
		return wire.Errorf("InsufficientFreeAddresses", "There are no free public addresses.")
	case errors.Is(err, addressing.ErrReserved):
		return wire.Errorf("InvalidParameterValue", "Address is in subnet's reserved address range")
	}
	return wire.Errorf("InvalidParameterValue", "Address does not fall within the subnet's address range")
}
