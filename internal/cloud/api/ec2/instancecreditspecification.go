package ec2

import (
	"cmp"
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/instancetype"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// The credit options (Amazon EC2 API Reference, InstanceCreditSpecification).
const (
	standardCredits  = "standard"
	unlimitedCredits = "unlimited"
)

// maxCreditIDs limits the ids in one request (Amazon EC2 API Reference,
// DescribeInstanceCreditSpecifications).
const maxCreditIDs = 1000

var creditFilters = filters[vm]{"instance-id": instances.filters["instance-id"]}

// cpuCredits returns the credit option of an instance. An instance keeps its option
// when its type changes. If its type is not burstable and it has no option, the option
// is standard (Amazon EC2 API Reference, DescribeInstanceCreditSpecifications).
func cpuCredits(row vm) string {
	t, _ := instancetype.ByName(row.Type)
	return cmp.Or(row.CPUCredits, t.CPUCredits, standardCredits)
}

// DescribeInstanceCreditSpecifications returns the credit options of the instances
// with the ids. Without ids, it lists the instances with the option unlimited.
func (a *API) DescribeInstanceCreditSpecifications(
	ctx context.Context, in *ec2.DescribeInstanceCreditSpecificationsInput,
) (*ec2.DescribeInstanceCreditSpecificationsOutput, error) {
	view, region, err := a.read(ctx, in.DryRun)
	if err != nil {
		return nil, err
	}
	if len(in.InstanceIds) > maxCreditIDs {
		return nil, wire.Errorf(
			"InvalidParameterValue", "The maximum number of instance IDs in one request is %d", maxCreditIDs,
		)
	}
	pages := pageRequest{in.MaxResults, in.NextToken}
	if err := pages.check("instancesSet", len(in.InstanceIds) > 0); err != nil {
		return nil, err
	}
	if err := creditFilters.check(in.Filters); err != nil {
		return nil, err
	}
	rows, err := instances.find(view, region, in.InstanceIds)
	if err != nil {
		return nil, err
	}
	var found []vm
	for _, row := range rows {
		if (len(in.InstanceIds) > 0 || cpuCredits(row) == unlimitedCredits) &&
			creditFilters.match(view, row, store.Tags{}, in.Filters) {
			found = append(found, row)
		}
	}
	found, next, err := paginate(pages, found, instances.id)
	if err != nil {
		return nil, err
	}
	return &ec2.DescribeInstanceCreditSpecificationsOutput{
		NextToken: next,
		InstanceCreditSpecifications: list(found, func(row vm) types.InstanceCreditSpecification {
			return types.InstanceCreditSpecification{
				InstanceId: aws.String(row.ID),
				CpuCredits: aws.String(cpuCredits(row)),
			}
		}),
	}, nil
}

// checkCredits refuses unknown credit options and the option unlimited for an instance
// type that is not burstable. name is the instance type's.
func checkCredits(spec *types.CreditSpecificationRequest, name string) error {
	credits := ""
	if spec != nil {
		credits = aws.ToString(spec.CpuCredits)
	}
	switch t, ok := instancetype.ByName(name); {
	case credits == "":
		return nil
	case credits != standardCredits && credits != unlimitedCredits:
		return invalidValue("CreditSpecification.CpuCredits", credits, "Valid values are standard and unlimited.")
	case ok && !t.Burstable:
		return wire.Errorf(
			"InstanceCreditSpecification.NotSupported", "The %s instance type does not support T2 Unlimited.", name,
		)
	}
	return nil
}
