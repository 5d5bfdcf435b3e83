package ec2

import (
	"cmp"
	"context"
	"errors"
	"maps"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
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

// defaultCredits returns the credit option of a new instance of a type that does not name one.
func defaultCredits(setting store.AccountSetting, t instancetype.Type) string {
	if !t.Burstable {
		return ""
	}
	return cmp.Or(setting.CPUCredits[t.Family()], t.CPUCredits)
}

// ModifyInstanceCreditSpecification changes the credit options of instances. It changes those it
// can, and returns why it cannot change the others.
func (a *API) ModifyInstanceCreditSpecification(
	ctx context.Context, in *ec2.ModifyInstanceCreditSpecificationInput,
) (*ec2.ModifyInstanceCreditSpecificationOutput, error) {
	if len(in.InstanceCreditSpecifications) == 0 {
		return nil, missingParameter("InstanceCreditSpecification")
	}
	// A request that is sent again changes nothing, so its token needs no memory.
	if token := aws.ToString(in.ClientToken); len(token) > maxClientToken {
		return nil, invalidValue("clientToken", token, "It has more than 64 characters.")
	}
	out := &ec2.ModifyInstanceCreditSpecificationOutput{
		SuccessfulInstanceCreditSpecifications:   []types.SuccessfulInstanceCreditSpecificationItem{},
		UnsuccessfulInstanceCreditSpecifications: []types.UnsuccessfulInstanceCreditSpecificationItem{},
	}
	return out, a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		for _, request := range in.InstanceCreditSpecifications {
			id := aws.ToString(request.InstanceId)
			switch refusal, ok := errors.AsType[*wire.Error](modifyCredits(tx, region, request)); {
			case ok:
				out.UnsuccessfulInstanceCreditSpecifications = append(out.UnsuccessfulInstanceCreditSpecifications,
					types.UnsuccessfulInstanceCreditSpecificationItem{
						InstanceId: aws.String(id),
						Error: &types.UnsuccessfulInstanceCreditSpecificationItemError{
							Code:    types.UnsuccessfulInstanceCreditSpecificationErrorCode(refusal.Code),
							Message: aws.String(refusal.Message),
						},
					})
			default:
				out.SuccessfulInstanceCreditSpecifications = append(out.SuccessfulInstanceCreditSpecifications,
					types.SuccessfulInstanceCreditSpecificationItem{InstanceId: aws.String(id)})
			}
		}
		return nil
	})
}

// modifyCredits changes the credit option of an instance.
func modifyCredits(tx *store.Tx, region identity.Region, in types.InstanceCreditSpecificationRequest) error {
	row, err := instances.get(tx, region, aws.ToString(in.InstanceId))
	if err != nil {
		return err
	}
	credits := aws.ToString(in.CpuCredits)
	t, ok := instancetype.ByName(row.Type)
	switch {
	case credits != standardCredits && credits != unlimitedCredits:
		return invalidValue("cpuCredits", credits, "Valid values are standard and unlimited.")
	case !ok || !t.Burstable:
		return wire.Errorf("InstanceCreditSpecification.NotSupported",
			"The instance '%s' is of a type that does not have CPU credits.", row.ID)
	case row.State != store.Running && row.State != store.Stopped:
		return wire.Errorf("IncorrectInstanceState", "The instance '%s' is not running or stopped.", row.ID)
	}
	store.Instances.Edit(tx, row.ID, func(row *store.Instance) { row.CPUCredits = credits })
	return nil
}

// GetDefaultCreditSpecification returns the credit option of new instances of a burstable
// family.
func (a *API) GetDefaultCreditSpecification(
	ctx context.Context, in *ec2.GetDefaultCreditSpecificationInput,
) (*ec2.GetDefaultCreditSpecificationOutput, error) {
	if err := checkState("instanceFamily", in.InstanceFamily); err != nil {
		return nil, err
	}
	row, err := a.setting(ctx, in.DryRun)
	return &ec2.GetDefaultCreditSpecificationOutput{
		InstanceFamilyCreditSpecification: familyCredits(row, in.InstanceFamily),
	}, err
}

// ModifyDefaultCreditSpecification changes the credit option of later launches of a burstable
// family that do not name one.
func (a *API) ModifyDefaultCreditSpecification(
	ctx context.Context, in *ec2.ModifyDefaultCreditSpecificationInput,
) (*ec2.ModifyDefaultCreditSpecificationOutput, error) {
	credits := aws.ToString(in.CpuCredits)
	if err := cmp.Or(
		checkState("instanceFamily", in.InstanceFamily), required(parameter{"cpuCredits", in.CpuCredits}),
	); err != nil {
		return nil, err
	}
	if credits != standardCredits && credits != unlimitedCredits {
		return nil, invalidValue("cpuCredits", credits, "Valid values are standard and unlimited.")
	}
	out := &ec2.ModifyDefaultCreditSpecificationOutput{}
	return out, a.changeSetting(ctx, in.DryRun, func(row *store.AccountSetting) {
		changed := map[string]string{}
		maps.Copy(changed, row.CPUCredits)
		changed[string(in.InstanceFamily)] = credits
		row.CPUCredits = changed
		out.InstanceFamilyCreditSpecification = familyCredits(*row, in.InstanceFamily)
	})
}

// familyCredits returns the credit option of new instances of a burstable family: that of the
// account, or unlimited, but for T2.
func familyCredits(
	setting store.AccountSetting, family types.UnlimitedSupportedInstanceFamily,
) *types.InstanceFamilyCreditSpecification {
	credits := unlimitedCredits
	if family == types.UnlimitedSupportedInstanceFamilyT2 {
		credits = standardCredits
	}
	return &types.InstanceFamilyCreditSpecification{
		InstanceFamily: family, CpuCredits: aws.String(cmp.Or(setting.CPUCredits[string(family)], credits)),
	}
}
