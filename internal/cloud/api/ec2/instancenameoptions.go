package ec2

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
)

func checkNameOptions(in *types.PrivateDnsNameOptionsRequest) error {
	if in == nil {
		return nil
	}
	return checkEnum("hostnameType", in.HostnameType)
}

// resourceNames returns the uses that a launched instance makes of its resource name: what the
// launch does not say is up to its subnet (Amazon EC2 User Guide, "EC2 instance hostnames and
// domains").
func resourceNames(subnet *store.Subnet, in *types.PrivateDnsNameOptionsRequest) store.ResourceNames {
	names := store.ResourceNames{
		Hostname: subnet.HostnameType == string(types.HostnameTypeResourceName),
		A:        subnet.ResourceNameDNSA, AAAA: subnet.ResourceNameDNSAAAA,
	}
	if in != nil {
		setNameOptions(&names, in.HostnameType, in.EnableResourceNameDnsARecord, in.EnableResourceNameDnsAAAARecord)
	}
	return names
}

// checkNamesIn refuses options for names that instances in an IPv6-only subnet cannot have.
func checkNamesIn(subnet *store.Subnet, in *types.PrivateDnsNameOptionsRequest) error {
	if in == nil || !subnet.IPv6Only() {
		return nil
	}
	if aws.ToBool(in.EnableResourceNameDnsARecord) {
		return errNoIPv4(subnet.ID)
	}
	return checkHostnameType(subnet, "hostnameType", in.HostnameType)
}

// setNameOptions applies a request's options for resource names.
func setNameOptions(names *store.ResourceNames, kind types.HostnameType, a, aaaa *bool) {
	if kind != "" {
		names.Hostname = kind == types.HostnameTypeResourceName
	}
	if a != nil {
		names.A = *a
	}
	if aaaa != nil {
		names.AAAA = *aaaa
	}
}

func hostnameType(row vm) types.HostnameType {
	if row.ResourceNames.Hostname {
		return types.HostnameTypeResourceName
	}
	return types.HostnameTypeIpName
}

// ModifyPrivateDnsNameOptions changes the private DNS name of an instance that is stopped, and which
// addresses the resource name of any has.
func (a *API) ModifyPrivateDnsNameOptions(
	ctx context.Context, in *ec2.ModifyPrivateDnsNameOptionsInput,
) (*ec2.ModifyPrivateDnsNameOptionsOutput, error) {
	if err := required(parameter{"instanceId", in.InstanceId}); err != nil {
		return nil, err
	}
	if err := checkEnum("privateDnsHostnameType", in.PrivateDnsHostnameType); err != nil {
		return nil, err
	}
	out := &ec2.ModifyPrivateDnsNameOptionsOutput{Return: aws.Bool(true)}
	return out, a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		row, err := instances.get(tx, region, *in.InstanceId)
		if err != nil {
			return err
		}
		if subnet, ok := store.Subnets.Get(tx, row.SubnetID); ok {
			if err := checkNamesIn(subnet, &types.PrivateDnsNameOptionsRequest{
				HostnameType: in.PrivateDnsHostnameType, EnableResourceNameDnsARecord: in.EnableResourceNameDnsARecord,
			}); err != nil {
				return err
			}
		}
		names := row.ResourceNames
		setNameOptions(
			&names, in.PrivateDnsHostnameType, in.EnableResourceNameDnsARecord, in.EnableResourceNameDnsAAAARecord,
		)
		if names.Hostname != row.ResourceNames.Hostname && row.State != store.Stopped {
			return notStopped(row)
		}
		store.Instances.Edit(tx, row.ID, func(row *store.Instance) { row.ResourceNames = names })
		return nil
	})
}
