package resource

import (
	"fmt"
	"slices"
	"strings"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/diag"
)

// lacksRoom reports whether a launch failed in a way that another instance type or
// zone may avoid.
func lacksRoom(err error) bool {
	return awsapi.IsCapacity(err) || awsapi.IsNotOffered(err) || awsapi.IsSubnetFull(err)
}

// refusal is a launch that AWS refused for lack of room.
type refusal struct {
	option launchOption
	err    error
}

// String says what was refused: "us-east-1a has no capacity for t3.micro now".
func (r refusal) String() string {
	switch {
	case awsapi.IsNotOffered(r.err):
		return fmt.Sprintf("%s does not offer %s", r.option.place.Zone, r.option.instanceType)
	case awsapi.IsSubnetFull(r.err):
		return fmt.Sprintf("the subnet in %s has no free address", r.option.place.Zone)
	}
	return fmt.Sprintf("%s has no capacity for %s now", r.option.place.Zone, r.option.instanceType)
}

// refusals are the refusals of all ways to launch one instance.
type refusals []refusal

// subnetFull reports whether the option's subnet has no address for any type.
func (all refusals) subnetFull(o launchOption) bool {
	return slices.ContainsFunc(all, func(r refusal) bool {
		return r.option.place == o.place && awsapi.IsSubnetFull(r.err)
	})
}

// problem explains why an instance could not be launched in any way.
func (all refusals) problem(l launch) error {
	var causes []error
	var summaries, details []string
	for _, r := range all {
		causes = append(causes, r.err)
		summaries = append(summaries, r.String())
		details = append(details, awsapi.Code(r.err)+": "+awsapi.Message(r.err))
	}
	d := &diag.Diagnostic{
		Where:   l.resource.Address,
		Summary: strings.Join(summaries, "; "),
		Detail:  strings.Join(details, "\n"),
		Cause:   causes[0],
	}
	switch {
	case all.every(awsapi.IsSubnetFull):
		d.Hint = "delete what is not needed in the subnet; aloft down and a larger network.subnets give more addresses"
	case all.every(awsapi.IsNotOffered):
		d.Hint = "choose another machines.type"
	default:
		d.Hint = "run aloft up again later, or list more types: machines.type: [" +
			strings.Join(append(slices.Clone(l.body.Types), "…"), ", ") + "]"
		if len(l.body.Places) == 1 {
			d.Hint += "; machines.fallback: zone allows another zone"
		}
	}
	return d
}

func (all refusals) every(is func(error) bool) bool {
	return !slices.ContainsFunc(all, func(r refusal) bool { return !is(r.err) })
}

// launchProblem explains a launch that failed for lack of a quota.
func launchProblem(l launch, err error) error {
	if !awsapi.IsQuota(err) {
		return err
	}
	return &diag.Diagnostic{
		Where:   l.resource.Address,
		Summary: "the account's quota of instances is exhausted",
		Detail:  awsapi.Code(err) + ": " + awsapi.Message(err),
		Hint:    "request more under Service Quotas, EC2, or use fewer servers",
		Cause:   err,
	}
}
