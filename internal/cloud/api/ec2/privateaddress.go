package ec2

import (
	"context"
	"net/netip"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/addressing"
	"aloft.dev/aloft/internal/cloud/instancetype"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// AssignPrivateIpAddresses assigns secondary private addresses to a network interface:
// those that the request lists, or a number of free ones.
func (a *API) AssignPrivateIpAddresses(
	ctx context.Context, in *ec2.AssignPrivateIpAddressesInput,
) (*ec2.AssignPrivateIpAddressesOutput, error) {
	if err := required(parameter{"networkInterfaceId", in.NetworkInterfaceId}); err != nil {
		return nil, err
	}
	if err := supportOnly(in, "NetworkInterfaceId", "PrivateIpAddresses", "SecondaryPrivateIpAddressCount",
		"AllowReassignment"); err != nil {
		return nil, err
	}
	given, count, err := parseAssignment(in)
	if err != nil {
		return nil, err
	}
	out := &ec2.AssignPrivateIpAddressesOutput{
		NetworkInterfaceId:         in.NetworkInterfaceId,
		AssignedPrivateIpAddresses: []types.AssignedPrivateIpAddress{},
		AssignedIpv4Prefixes:       []types.Ipv4PrefixSpecification{},
	}
	return out, a.changeInterface(ctx, nil, *in.NetworkInterfaceId, func(tx *store.Tx, eni nic) error {
		subnet, err := subnets.get(tx, eni.Region, eni.SubnetID)
		if err != nil {
			return err
		}
		fresh, err := takeOver(tx, eni, given, aws.ToBool(in.AllowReassignment))
		if err != nil {
			return err
		}
		added, err := addressing.AddSecondary(tx, a.ids, eni, subnet, fresh, count)
		if err != nil {
			return addressError(err, subnet)
		}
		if count == 0 {
			added = given
		}
		for _, address := range added {
			out.AssignedPrivateIpAddresses = append(
				out.AssignedPrivateIpAddresses,
				types.AssignedPrivateIpAddress{PrivateIpAddress: aws.String(address.String())},
			)
		}
		return checkAddressCount(tx, eni.ID)
	})
}

// parseAssignment returns the addresses that a request lists, or how many free ones it asks
// for.
func parseAssignment(in *ec2.AssignPrivateIpAddressesInput) (given []netip.Addr, count int, err error) {
	count = int(aws.ToInt32(in.SecondaryPrivateIpAddressCount))
	switch {
	case len(in.PrivateIpAddresses) > 0 && in.SecondaryPrivateIpAddressCount != nil:
		return nil, 0, wire.Errorf("InvalidParameterCombination",
			"The parameter privateIpAddress cannot be used with the parameter secondaryPrivateIpAddressCount")
	case len(in.PrivateIpAddresses) > 0:
		given, err = parsePrivateAddresses(in.PrivateIpAddresses)
		return given, 0, err
	case in.SecondaryPrivateIpAddressCount == nil:
		return nil, 0, missingParameter("secondaryPrivateIpAddressCount")
	case count < 1:
		return nil, 0, wire.Errorf(
			"InvalidParameterValue", "Invalid value '%d' for secondaryPrivateIpAddressCount.", count,
		)
	}
	return nil, count, nil
}

func parsePrivateAddresses(texts []string) ([]netip.Addr, error) {
	var all []netip.Addr
	for _, text := range texts {
		address, err := parsePrivateAddress(text)
		if err != nil {
			return nil, err
		}
		all = append(all, address)
	}
	return all, nil
}

// takeOver moves the secondary addresses that other interfaces of the subnet have to an
// interface, if that is allowed, and returns those that no interface has. An address that
// the interface has already stays.
func takeOver(tx *store.Tx, eni nic, addresses []netip.Addr, allowed bool) (fresh []netip.Addr, err error) {
	for _, address := range addresses {
		owner, used := store.NetworkInterfaceWithPrivateIP(tx, eni.SubnetID, address)
		switch {
		case !used:
			fresh = append(fresh, address)
		case owner.ID == eni.ID:
		case !allowed, owner.PrivateIP == address, owner.RequesterManaged:
			return nil, addressError(addressing.ErrInUse, nil)
		default:
			addressing.MoveSecondary(tx, owner, eni, address)
		}
	}
	return fresh, nil
}

// checkAddressCount refuses more addresses on an attached interface than the type of its
// instance allows.
func checkAddressCount(r store.Reader, interfaceID string) error {
	eni, _ := store.NetworkInterfaces.Get(r, interfaceID)
	instance, ok := store.Instances.Get(r, eni.InstanceID)
	if !ok {
		return nil
	}
	if t, ok := instancetype.ByName(instance.Type); ok && len(eni.Addresses()) > t.AddressesEach {
		return errAddressLimit()
	}
	return nil
}

func errAddressLimit() error {
	return wire.Errorf("PrivateIpAddressLimitExceeded", "Number of private addresses will exceed limit.")
}

// UnassignPrivateIpAddresses takes secondary private addresses from a network interface.
func (a *API) UnassignPrivateIpAddresses(
	ctx context.Context, in *ec2.UnassignPrivateIpAddressesInput,
) (*ec2.UnassignPrivateIpAddressesOutput, error) {
	if err := required(parameter{"networkInterfaceId", in.NetworkInterfaceId}); err != nil {
		return nil, err
	}
	if err := supportOnly(in, "NetworkInterfaceId", "PrivateIpAddresses"); err != nil {
		return nil, err
	}
	if len(in.PrivateIpAddresses) == 0 {
		return nil, missingParameter("privateIpAddress")
	}
	given, err := parsePrivateAddresses(in.PrivateIpAddresses)
	if err != nil {
		return nil, err
	}
	out := &ec2.UnassignPrivateIpAddressesOutput{}
	return out, a.changeInterface(ctx, nil, *in.NetworkInterfaceId, func(tx *store.Tx, eni nic) error {
		for _, address := range given {
			switch {
			case address == eni.PrivateIP:
				return invalidValue("privateIpAddress", address.String(),
					"The primary IP address of an interface cannot be unassigned.")
			case !eni.Has(address):
				return wire.Errorf("InvalidParameterValue",
					"Some of the specified addresses are not assigned to interface %s", eni.ID)
			}
		}
		for _, address := range given {
			addressing.RemoveSecondary(tx, eni, address)
		}
		return nil
	})
}
