package ec2

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// ModifySubnetAttribute changes one attribute of a subnet. EC2 accepts one attribute a
// call.
func (a *API) ModifySubnetAttribute(
	ctx context.Context, in *ec2.ModifySubnetAttributeInput,
) (*ec2.ModifySubnetAttributeOutput, error) {
	if err := required(parameter{"subnetId", in.SubnetId}); err != nil {
		return nil, err
	}
	if err := unsupported(map[string]bool{
		"mapCustomerOwnedIpOnLaunch": isTrue(in.MapCustomerOwnedIpOnLaunch),
		"customerOwnedIpv4Pool":      in.CustomerOwnedIpv4Pool != nil,
		"enableLniAtDeviceIndex":     in.EnableLniAtDeviceIndex != nil,
		"disableLniAtDeviceIndex":    isTrue(in.DisableLniAtDeviceIndex),
	}); err != nil {
		return nil, err
	}
	given := 0
	for _, attribute := range []bool{
		in.MapPublicIpOnLaunch != nil, in.EnableResourceNameDnsARecordOnLaunch != nil,
		in.EnableResourceNameDnsAAAARecordOnLaunch != nil, in.PrivateDnsHostnameTypeOnLaunch != "",
		in.AssignIpv6AddressOnCreation != nil, in.EnableDns64 != nil, in.MapCustomerOwnedIpOnLaunch != nil,
		in.DisableLniAtDeviceIndex != nil,
	} {
		if attribute {
			given++
		}
	}
	switch {
	case given == 0:
		return nil, missingParameter("mapPublicIpOnLaunch")
	case given > 1:
		return nil, wire.Errorf("InvalidParameterCombination", "Only one subnet attribute can be modified at a time")
	case in.PrivateDnsHostnameTypeOnLaunch != "" && !slices.Contains(
		in.PrivateDnsHostnameTypeOnLaunch.Values(), in.PrivateDnsHostnameTypeOnLaunch,
	):
		return nil, invalidValue(
			"privateDnsHostnameTypeOnLaunch",
			string(in.PrivateDnsHostnameTypeOnLaunch), "Valid values are ip-name and resource-name.",
		)
	}
	return &ec2.ModifySubnetAttributeOutput{}, a.change(ctx, nil, func(tx *store.Tx, region identity.Region) error {
		subnet, err := subnets.get(tx, region, *in.SubnetId)
		if err != nil {
			return err
		}
		if err := checkSubnetAttribute(subnet, in); err != nil {
			return err
		}
		store.Subnets.Edit(tx, subnet.ID, func(row *store.Subnet) {
			setBoolean(&row.MapPublicIPOnLaunch, in.MapPublicIpOnLaunch)
			setBoolean(&row.AssignIPv6, in.AssignIpv6AddressOnCreation)
			setBoolean(&row.DNS64, in.EnableDns64)
			setBoolean(&row.ResourceNameDNSA, in.EnableResourceNameDnsARecordOnLaunch)
			setBoolean(&row.ResourceNameDNSAAAA, in.EnableResourceNameDnsAAAARecordOnLaunch)
			if in.PrivateDnsHostnameTypeOnLaunch != "" {
				row.HostnameType = string(in.PrivateDnsHostnameTypeOnLaunch)
			}
		})
		return nil
	})
}

// checkSubnetAttribute refuses a value of an attribute that needs addresses of a family which the subnet
// does not have, or that an IPv6-only subnet cannot give up.
func checkSubnetAttribute(subnet *store.Subnet, in *ec2.ModifySubnetAttributeInput) error {
	for _, attribute := range []struct {
		name   string
		value  *types.AttributeBooleanValue
		family string
		has    bool
	}{
		{"assign-ipv6-address-on-creation", in.AssignIpv6AddressOnCreation, "IPv6", subnet.IPv6.ID != ""},
		{"enable-dns64", in.EnableDns64, "IPv6", subnet.IPv6.ID != ""},
		{
			"enable-resource-name-dns-aaaa-record-on-launch", in.EnableResourceNameDnsAAAARecordOnLaunch, "IPv6",
			subnet.IPv6.ID != "",
		},
		{"map-public-ip-on-launch", in.MapPublicIpOnLaunch, "IPv4", !subnet.IPv6Only()},
		{
			"enable-resource-name-dns-a-record-on-launch", in.EnableResourceNameDnsARecordOnLaunch, "IPv4",
			!subnet.IPv6Only(),
		},
	} {
		if isTrue(attribute.value) && !attribute.has {
			return wire.Errorf("InvalidParameterValue",
				"Invalid value 'true' for %[1]s. Cannot set %[1]s to true unless the subnet (%[2]s) has an %[3]s CIDR "+
					"block associated with it.", attribute.name, subnet.ID, attribute.family)
		}
	}
	switch assign := in.AssignIpv6AddressOnCreation; {
	case !subnet.IPv6Only():
		return nil
	case assign != nil && !aws.ToBool(assign.Value):
		return invalidValue("assign-ipv6-address-on-creation", "false", ipv6OnlyNeeds(subnet, "true"))
	}
	return checkHostnameType(subnet, "private-dns-hostname-type-on-launch", in.PrivateDnsHostnameTypeOnLaunch)
}

// checkHostnameType refuses host names that an IPv6-only subnet does not have: they are of the instances'
// ids (Amazon EC2 API Reference, PrivateDnsNameOptionsOnLaunch).
func checkHostnameType(subnet *store.Subnet, parameter string, given types.HostnameType) error {
	if !subnet.IPv6Only() || given != types.HostnameTypeIpName {
		return nil
	}
	return invalidValue(parameter, string(given), ipv6OnlyNeeds(subnet, string(types.HostnameTypeResourceName)))
}

func ipv6OnlyNeeds(subnet *store.Subnet, value string) string {
	return "The subnet (" + subnet.ID + ") is IPv6 only, which needs " + value + "."
}
