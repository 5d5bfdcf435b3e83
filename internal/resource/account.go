package resource

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/diag"
)

type accountAPI interface {
	DescribeAvailabilityZones(context.Context, *ec2.DescribeAvailabilityZonesInput, ...func(*ec2.Options)) (*ec2.DescribeAvailabilityZonesOutput, error)
	DescribeInstanceTypes(context.Context, *ec2.DescribeInstanceTypesInput, ...func(*ec2.Options)) (*ec2.DescribeInstanceTypesOutput, error)
}

// Zones returns the names of the region's usable Availability Zones, sorted.
func (c *Cloud) Zones(ctx context.Context) ([]string, error) {
	list, err := c.EC2.DescribeAvailabilityZones(ctx, &ec2.DescribeAvailabilityZonesInput{
		Filters: []types.Filter{awsapi.Filter("state", "available"), awsapi.Filter("zone-type", "availability-zone")},
	})
	if err != nil {
		return nil, fmt.Errorf("list the zones of %s: %w", c.Region, err)
	}
	var names []string
	for _, z := range list.AvailabilityZones {
		names = append(names, aws.ToString(z.ZoneName))
	}
	slices.Sort(names)
	return names, nil
}

// CheckInstanceType returns an error unless the region has the instance type and
// its architecture is that of the base images.
func (c *Cloud) CheckInstanceType(ctx context.Context, name string) error {
	list, err := c.EC2.DescribeInstanceTypes(ctx, &ec2.DescribeInstanceTypesInput{
		InstanceTypes: []types.InstanceType{types.InstanceType(name)},
	})
	if awsapi.Code(err) == "InvalidInstanceType" || err == nil && len(list.InstanceTypes) == 0 {
		return &diag.Diagnostic{
			Where:   "machines.type",
			Summary: fmt.Sprintf("%s has no instance type %s", c.Region, name),
			Hint:    "for example: type: t3.micro",
			Cause:   err,
		}
	}
	if err != nil {
		return fmt.Errorf("look up instance type %s: %w", name, err)
	}
	if info := list.InstanceTypes[0].ProcessorInfo; info != nil && len(info.SupportedArchitectures) > 0 &&
		!slices.Contains(info.SupportedArchitectures, types.ArchitectureTypeX8664) {
		return &diag.Diagnostic{
			Where:   "machines.type",
			Summary: fmt.Sprintf("%s is %v, and the base images are x86_64", name, info.SupportedArchitectures),
			Hint:    "for example: type: t3.micro",
		}
	}
	return nil
}
