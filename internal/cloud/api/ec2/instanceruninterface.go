package ec2

import (
	"cmp"
	"errors"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/addressing"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/instancetype"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

type interfaceRequest = types.InstanceNetworkInterfaceSpecification

// launchInterface is a network interface of the instances of a launch.
type launchInterface struct {
	index       int32
	existing    nic           // nil: a new one
	subnet      *store.Subnet // of a new one; nil: that of the launch
	groups      []string
	addresses   interfaceAddresses
	description string
	keep        bool // after the termination of its instance
}

// checkInterfaces refuses a request that has both network interfaces and parameters that
// belong in them, and network interfaces that no instance can have. Clients report the
// messages.
func checkInterfaces(in *ec2.RunInstancesInput) error {
	for _, parameter := range []struct {
		name string
		set  bool
	}{
		{"subnet ID", in.SubnetId != nil},
		{"security groups", len(in.SecurityGroupIds)+len(in.SecurityGroups) > 0},
		{"private IP address", in.PrivateIpAddress != nil},
		{"IPv6 address count", in.Ipv6AddressCount != nil},
		{"IPv6 address", len(in.Ipv6Addresses) > 0},
	} {
		if parameter.set && len(in.NetworkInterfaces) > 0 {
			return wire.Errorf(
				"InvalidParameterCombination",
				"Network interfaces and an instance-level %s may not be specified on the same request", parameter.name,
			)
		}
	}
	seen := map[int32]bool{}
	for _, one := range in.NetworkInterfaces {
		switch index := aws.ToInt32(one.DeviceIndex); {
		case one.DeviceIndex == nil:
			return wire.Errorf("InvalidParameterValue", "Each network interface requires a device index.")
		case index < 0 || seen[index]:
			return wire.Errorf("InvalidParameterValue", "Invalid or repeated value '%d' for deviceIndex.", index)
		default:
			seen[index] = true
		}
		if one.AssociatePublicIpAddress != nil && len(in.NetworkInterfaces) > 1 {
			return wire.Errorf("InvalidParameterCombination", "The associatePublicIPAddress parameter cannot be "+
				"specified when launching with multiple network interfaces")
		}
		if err := checkExistingInterface(in, one); err != nil {
			return err
		}
	}
	if len(seen) > 0 && !seen[0] {
		return wire.Errorf("InvalidParameterCombination",
			"When specifying network interfaces, you must include a device at index 0")
	}
	return nil
}

// checkExistingInterface refuses parameters that only a new network interface can have.
func checkExistingInterface(in *ec2.RunInstancesInput, one interfaceRequest) error {
	if aws.ToString(one.NetworkInterfaceId) == "" {
		return nil
	}
	if aws.ToInt32(in.MaxCount) > 1 {
		return wire.Errorf("InvalidParameterCombination",
			"A network interface ID cannot be specified when launching more than one instance")
	}
	for _, parameter := range []struct {
		name string
		set  bool
	}{
		{"subnetId", one.SubnetId != nil},
		{"groups", len(one.Groups) > 0},
		{"privateIpAddress", one.PrivateIpAddress != nil},
		{"privateIpAddresses", len(one.PrivateIpAddresses) > 0},
		{"secondaryPrivateIpAddressCount", one.SecondaryPrivateIpAddressCount != nil},
		{"ipv6AddressCount", one.Ipv6AddressCount != nil},
		{"ipv6Addresses", len(one.Ipv6Addresses) > 0},
		{"primaryIpv6", one.PrimaryIpv6 != nil},
		{"description", one.Description != nil},
		{"associatePublicIpAddress", one.AssociatePublicIpAddress != nil},
		{"deleteOnTermination", aws.ToBool(one.DeleteOnTermination)},
	} {
		if parameter.set {
			return wire.Errorf(
				"InvalidParameterCombination",
				"The parameter networkInterfaceId cannot be used with the parameter %s", parameter.name,
			)
		}
	}
	return nil
}

// checkGroupInterfaces refuses a launch template with network interfaces for which a
// service that chooses the subnet, such as Auto Scaling, cannot choose one.
func checkGroupInterfaces(data *types.RequestLaunchTemplateData, subnetID string) error {
	if subnetID == "" {
		return nil
	}
	existing := func(one types.LaunchTemplateInstanceNetworkInterfaceSpecificationRequest) bool {
		return one.NetworkInterfaceId != nil
	}
	return unsupported(map[string]bool{
		"networkInterfaces.networkInterfaceId": slices.ContainsFunc(data.NetworkInterfaces, existing),
	})
}

// resolveNetwork finds the subnets, the security groups and the network interfaces that
// the request names, and reads the IP addresses.
func (l *launch) resolveNetwork(r store.Reader, region identity.Region) error {
	requests := slices.SortedFunc(slices.Values(l.in.NetworkInterfaces), func(x, y interfaceRequest) int {
		return cmp.Compare(aws.ToInt32(x.DeviceIndex), aws.ToInt32(y.DeviceIndex))
	})
	if len(requests) == 0 {
		requests = []interfaceRequest{{
			SubnetId: l.in.SubnetId, Groups: l.in.SecurityGroupIds, PrivateIpAddress: l.in.PrivateIpAddress,
			Ipv6AddressCount: l.in.Ipv6AddressCount, Ipv6Addresses: l.in.Ipv6Addresses,
			PrimaryIpv6: l.in.EnablePrimaryIpv6,
		}}
	}
	if err := l.resolveSubnet(r, region, requests[0]); err != nil {
		return err
	}
	for _, request := range requests {
		resolved, err := l.resolveInterface(r, region, request)
		if err != nil {
			return err
		}
		l.interfaces = append(l.interfaces, resolved)
	}
	return l.checkIPv6Only()
}

// checkIPv6Only refuses a launch that an IPv6-only subnet cannot have. Such subnets are for instances of
// the Nitro system (Amazon VPC User Guide, Subnet types).
func (l *launch) checkIPv6Only() error {
	if !l.subnet.IPv6Only() {
		return nil
	}
	if t, _ := instancetype.ByName(instanceTypeName(l.in)); t.Hypervisor != "nitro" {
		return wire.Errorf("Unsupported", "The requested configuration is currently not supported. Please check the "+
			"documentation for supported configurations.")
	}
	return checkNamesIn(l.subnet, l.in.PrivateDnsNameOptions)
}

// resolveSubnet finds the subnet of the primary network interface, which is the instance's.
func (l *launch) resolveSubnet(r store.Reader, region identity.Region, primary interfaceRequest) (err error) {
	id := primary.SubnetId
	if given := aws.ToString(primary.NetworkInterfaceId); given != "" {
		eni, err := networkInterfaces.get(r, region, given)
		if err != nil {
			return err
		}
		id = &eni.SubnetID
	}
	if l.subnet, err = launchSubnet(r, region, id, l.in.Placement); err != nil {
		return err
	}
	l.anyZone = aws.ToString(id) == "" && (l.in.Placement == nil || aws.ToString(l.in.Placement.AvailabilityZone) == "")
	if len(l.in.SecurityGroups) > 0 && aws.ToString(id) != "" {
		return wire.Errorf(
			"InvalidParameterCombination",
			"The parameter groupName cannot be used with the parameter subnet",
		)
	}
	return nil
}

// resolveInterface resolves one network interface of the launch.
func (l *launch) resolveInterface(
	r store.Reader, region identity.Region, request interfaceRequest,
) (one launchInterface, err error) {
	one = launchInterface{
		index:       aws.ToInt32(request.DeviceIndex),
		description: aws.ToString(request.Description),
		keep:        request.DeleteOnTermination != nil && !*request.DeleteOnTermination,
	}
	if id := aws.ToString(request.NetworkInterfaceId); id != "" {
		one.existing, err = networkInterfaces.get(r, region, id)
		if err != nil {
			return one, err
		}
		one.keep = true
		return one, l.checkExisting(one.existing)
	}
	in := l.subnet
	if id := aws.ToString(request.SubnetId); id != "" {
		if in, err = subnets.get(r, region, id); err != nil {
			return one, err
		}
		one.subnet = in
		if err := l.checkPlace(in.VPCID, in.Zone); err != nil {
			return one, err
		}
	}
	if one.addresses, err = parseAddresses(
		request.PrivateIpAddress, request.PrivateIpAddresses, request.SecondaryPrivateIpAddressCount,
	); err != nil {
		return one, err
	}
	if one.addresses.ipv6, err = parseIPv6Addresses(
		request.Ipv6Addresses, request.Ipv6AddressCount, request.PrimaryIpv6,
	); err != nil {
		return one, err
	}
	one.groups, err = securityGroupIDs(r, region, in, request.Groups, l.in.SecurityGroups)
	return one, err
}

// checkExisting refuses a network interface that cannot be attached.
func (l *launch) checkExisting(eni nic) error {
	switch {
	case eni.RequesterManaged:
		return attachmentNotPermitted()
	case eni.AttachmentID != "":
		return interfaceInUse(eni)
	}
	return l.checkPlace(eni.VPCID, eni.Zone)
}

// checkPlace refuses a network interface that is not where the instance is.
func (l *launch) checkPlace(vpcID, zone string) error {
	switch {
	case zone != l.subnet.Zone:
		return errInterfaceZone()
	case vpcID != l.subnet.VPCID:
		return unsupported(map[string]bool{"networkInterfaces in several VPCs": true})
	}
	return nil
}

// resolvePublicAddress decides whether the instance gets a public address, which it does
// not with several network interfaces or an existing one. Without a wish of its own the
// launch follows an attribute of its subnet, as r has it if r is not nil and knows the
// subnet.
func (l *launch) resolvePublicAddress(r store.Reader) {
	if len(l.interfaces) > 1 || l.interfaces[0].existing != nil {
		return
	}
	if len(l.in.NetworkInterfaces) == 1 && l.in.NetworkInterfaces[0].AssociatePublicIpAddress != nil {
		l.public = *l.in.NetworkInterfaces[0].AssociatePublicIpAddress
		return
	}
	l.public = l.subnet.MapPublicIPOnLaunch
	if r == nil {
		return
	}
	if seen, ok := store.Subnets.Get(r, l.subnet.ID); ok {
		l.public = seen.MapPublicIPOnLaunch
	}
}

// limitLaunchInterfaces refuses more network interfaces, groups and addresses than the
// instances can have.
func (a *API) limitLaunchInterfaces(l *launch) error {
	for _, one := range l.interfaces {
		id, addresses := "", one.addresses.count()
		if one.existing != nil {
			id, addresses = one.existing.ID, max(len(one.existing.Addresses()), len(one.existing.IPv6))
		}
		if err := cmp.Or(
			checkInterfaceCounts(instanceTypeName(l.in), len(l.interfaces), id, addresses),
			a.limitInterfaceGroups(one.groups),
		); err != nil {
			return err
		}
	}
	return nil
}

// launchInterfaces attaches the network interfaces of a launch to an instance, and creates
// those that are new. It returns their ids and whether the primary one checks sources and
// destinations. If it fails, it has created none.
func (a *API) launchInterfaces(tx *store.Tx, l *launch, instanceID string) (ids []string, check bool, err error) {
	var created []string
	for _, one := range l.interfaces {
		eni := one.existing
		if eni == nil {
			if eni, err = a.launchInterface(tx, l, one); err != nil {
				for _, id := range created {
					store.NetworkInterfaces.Delete(tx, id)
				}
				return nil, false, err
			}
			created = append(created, eni.ID)
		}
		if one.index == 0 {
			check = eni.SourceDestCheck
		}
		addressing.Attach(tx, a.ids, eni.ID, addressing.Attachment{
			InstanceID: instanceID, DeviceIndex: one.index, At: a.Now(), DeleteOnTermination: !one.keep,
		})
	}
	return addressing.InterfaceIDsOf(tx, instanceID), check, nil
}

func (a *API) launchInterface(tx *store.Tx, l *launch, one launchInterface) (nic, error) {
	if err := a.limitNetworkInterfaces(tx, l.subnet.Region); err != nil {
		return nil, err
	}
	spec := addressing.InterfaceSpec{
		Subnet:      cmp.Or(one.subnet, l.subnet),
		GroupIDs:    one.groups,
		Description: one.description,
		Tags:        l.tags[types.ResourceTypeNetworkInterface],
	}
	one.addresses.addTo(&spec)
	if l.public {
		spec.PublicFrom = a.PublicRange
	}
	return addressing.NewInterface(tx, a.ids, spec)
}

// launchAddressError returns EC2's error for a launch that cannot have its addresses.
func launchAddressError(err error, l *launch) error {
	var refused *wire.Error
	switch {
	case errors.As(err, &refused):
		return err
	case errors.Is(err, addressing.ErrInUse) && l.interfaces[0].addresses.primary.IsValid():
		return wire.Errorf("InvalidIPAddress.InUse", "Address %s is in use.", l.interfaces[0].addresses.primary)
	}
	return addressError(err, l.subnet)
}
