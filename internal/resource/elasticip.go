package resource

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

var elasticIPKind = kind{
	name:   stack.KindElasticIP,
	find:   listed((*Cloud).elasticIPs),
	create: created((*Provisioner).createElasticIP),
	remove: (*Provisioner).deleteElasticIP,
}

type elasticIPAPI interface {
	DescribeAddresses(
		context.Context, *ec2.DescribeAddressesInput, ...func(*ec2.Options),
	) (*ec2.DescribeAddressesOutput, error)
	AllocateAddress(
		context.Context, *ec2.AllocateAddressInput, ...func(*ec2.Options),
	) (*ec2.AllocateAddressOutput, error)
	ReleaseAddress(
		context.Context, *ec2.ReleaseAddressInput, ...func(*ec2.Options),
	) (*ec2.ReleaseAddressOutput, error)
}

func (c *Cloud) elasticIPs(ctx context.Context) ([]plan.Found, error) {
	list, err := c.EC2.DescribeAddresses(ctx, &ec2.DescribeAddressesInput{Filters: c.tagged()})
	if err != nil {
		return nil, fmt.Errorf("list Elastic IP addresses: %w", err)
	}
	return describe(list.Addresses, describeElasticIP), nil
}

func describeElasticIP(a types.Address) plan.Found {
	return foundByTags(stack.KindElasticIP, a.AllocationId, a.Tags)
}

func (p *Provisioner) createElasticIP(ctx context.Context, r stack.Resource, _ stack.ElasticIP) (plan.Found, error) {
	in := &ec2.AllocateAddressInput{
		Domain: types.DomainTypeVpc, TagSpecifications: tagSpecifications(p.tags(r), types.ResourceTypeElasticIp),
	}
	out, err := p.EC2.AllocateAddress(ctx, in, awsapi.SendOnce)
	if err != nil {
		return plan.Found{}, fmt.Errorf("allocate an Elastic IP address: %w", err)
	}
	return describeElasticIP(types.Address{AllocationId: out.AllocationId, Tags: ec2Tags(p.tags(r))}), nil
}

// deleteElasticIP releases an address once nothing has it. EC2 refuses to release that of
// a NAT gateway which is still being deleted as if it were somebody else's.
func (p *Provisioner) deleteElasticIP(ctx context.Context, f plan.Found) error {
	in := &ec2.DescribeAddressesInput{AllocationIds: []string{f.ID}}
	what := "Elastic IP address " + f.ID + " to be unused"
	err := awsapi.Wait(ctx, natGatewayLimit, what, func(ctx context.Context) (bool, error) {
		list, err := p.EC2.DescribeAddresses(ctx, in)
		if err != nil {
			return true, ignoreNotFound("read Elastic IP address "+f.ID, err)
		}
		return len(list.Addresses) == 0 || list.Addresses[0].AssociationId == nil, nil
	})
	if err != nil {
		return err
	}
	return p.deleteWhenUnused(ctx, f, func(ctx context.Context) error {
		_, err := p.EC2.ReleaseAddress(ctx, &ec2.ReleaseAddressInput{AllocationId: &f.ID})
		return err
	})
}
