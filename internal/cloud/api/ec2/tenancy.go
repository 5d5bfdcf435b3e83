package ec2

import (
	"cmp"
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
)

// tenancy returns the tenancy of a launch's instances, which is recorded: all machines share the
// host. In a VPC of tenancy dedicated all instances are dedicated (Amazon EC2 User Guide, "Amazon EC2
// Dedicated Instances").
func (l *launch) tenancy(r store.Reader) string {
	if vpc, ok := store.VPCs.Get(r, l.subnet.VPCID); ok && vpc.Tenancy == string(types.TenancyDedicated) {
		return vpc.Tenancy
	}
	if p := l.in.Placement; p != nil && p.Tenancy == types.TenancyDedicated {
		return string(p.Tenancy)
	}
	return ""
}

func tenancyOf(row vm) types.Tenancy { return cmp.Or(types.Tenancy(row.Tenancy), types.TenancyDefault) }

// ModifyVpcTenancy changes the tenancy of later launches in a VPC to default, the only value.
func (a *API) ModifyVpcTenancy(
	ctx context.Context, in *ec2.ModifyVpcTenancyInput,
) (*ec2.ModifyVpcTenancyOutput, error) {
	if err := required(
		parameter{"vpcId", in.VpcId}, parameter{"instanceTenancy", aws.String(string(in.InstanceTenancy))},
	); err != nil {
		return nil, err
	}
	if in.InstanceTenancy != types.VpcTenancyDefault {
		return nil, invalidValue("instanceTenancy", string(in.InstanceTenancy), "The valid value is default.")
	}
	out := &ec2.ModifyVpcTenancyOutput{ReturnValue: aws.Bool(true)}
	return out, a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		row, err := vpcs.get(tx, region, *in.VpcId)
		if err != nil {
			return err
		}
		store.VPCs.Edit(tx, row.ID, func(row *store.VPC) { row.Tenancy = string(in.InstanceTenancy) })
		return nil
	})
}
