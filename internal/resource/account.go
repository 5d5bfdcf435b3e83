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

// Zones lists the region's Availability Zones that can be used, in order.
func (c *Cloud) Zones(ctx context.Context) ([]string, error) {
	list, err := c.EC2.DescribeAvailabilityZones(ctx, &ec2.DescribeAvailabilityZonesInput{
		Filters: []types.Filter{filter("state", "available"), filter("zone-type", "availability-zone")},
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

// CheckType tells whether the region has an instance type, of the architecture
// of the base images.
func (c *Cloud) CheckType(ctx context.Context, name string) error {
	list, err := c.EC2.DescribeInstanceTypes(
		ctx,
		&ec2.DescribeInstanceTypesInput{InstanceTypes: []types.InstanceType{types.InstanceType(name)}},
	)
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
