// Package autoscaling answers Amazon EC2 Auto Scaling for the local cloud:
// groups of instances, what they are launched from, and when they grow and
// shrink. Handlers write what is wanted; the scaling loop launches and ends
// instances. Facts about answers, limits and errors: Amazon EC2 Auto Scaling API
// Reference and User Guide.
package autoscaling

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/api/ec2"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// Templates is what the API asks Amazon EC2 about launch templates.
type Templates interface {
	EnsureRegion(region string) error
	// ResolveTemplate gives a reference with id, name and version number.
	ResolveTemplate(region string, ref store.TemplateRef) (store.TemplateRef, error)
	// UsesImageAlias tells whether a template names its image by a parameter.
	UsesImageAlias(r store.Reader, region string, ref store.TemplateRef) (bool, error)
	// CheckLaunch tells why a launch would be refused.
	CheckLaunch(region string, l ec2.Launch) error
}

var _ Templates = (*ec2.API)(nil)

// Config is what the API works with.
type Config struct {
	Store     *store.Store
	Templates Templates
	Now       func() time.Time // nil: time.Now
}

// API serves the operations of Amazon EC2 Auto Scaling.
type API struct{ Config }

// New makes the API.
func New(c Config) *API {
	if c.Now == nil {
		c.Now = time.Now
	}
	return &API{c}
}

func region(ctx context.Context) string { return wire.CallerFrom(ctx).Region }

// model refuses what breaks the API's model.
const model = constraint.Model("ValidationError")

// invalid is the answer to a parameter with a wrong value.
func invalid(format string, args ...any) error {
	return wire.Errorf("ValidationError", format, args...)
}

// checkName applies what all names of groups, policies, hooks and scheduled
// actions have in common.
func checkName(member string, name *string) error {
	switch {
	case name == nil:
		return model.Null(member)
	case len(*name) < 1 || len(*name) > 255:
		return model.Refuse(member, *name, "have length between 1 and 255, inclusive")
	}
	return nil
}

// DescribeAdjustmentTypes lists how a policy may change a group's capacity.
func (a *API) DescribeAdjustmentTypes(context.Context, *autoscaling.DescribeAdjustmentTypesInput) (*autoscaling.DescribeAdjustmentTypesOutput, error) {
	out := &autoscaling.DescribeAdjustmentTypesOutput{}
	for _, name := range []string{"ChangeInCapacity", "ExactCapacity", "PercentChangeInCapacity"} {
		out.AdjustmentTypes = append(out.AdjustmentTypes, types.AdjustmentType{AdjustmentType: &name})
	}
	return out, nil
}

// Limits of an account (Amazon EC2 Auto Scaling User Guide, Quotas). There are
// no launch configurations here.
const (
	maxGroups = 500
	maxHooks  = 50
)

// DescribeAccountLimits tells how many groups there may be, and are.
func (a *API) DescribeAccountLimits(ctx context.Context, _ *autoscaling.DescribeAccountLimitsInput) (*autoscaling.DescribeAccountLimitsOutput, error) {
	return &autoscaling.DescribeAccountLimitsOutput{
		MaxNumberOfAutoScalingGroups: aws.Int32(maxGroups), MaxNumberOfLaunchConfigurations: aws.Int32(0),
		NumberOfAutoScalingGroups: aws.Int32(int32(len(store.ScalingGroups.By(
			a.Store.View(), "region", region(ctx),
		)))),
		NumberOfLaunchConfigurations: aws.Int32(0),
	}, nil
}

// DescribeTerminationPolicyTypes lists by what an instance can be chosen to go.
func (a *API) DescribeTerminationPolicyTypes(context.Context, *autoscaling.DescribeTerminationPolicyTypesInput) (*autoscaling.DescribeTerminationPolicyTypesOutput, error) {
	return &autoscaling.DescribeTerminationPolicyTypesOutput{TerminationPolicyTypes: terminationPolicies}, nil
}

var terminationPolicies = []string{
	"AllocationStrategy",
	"ClosestToNextInstanceHour",
	"Default",
	"NewestInstance",
	"OldestInstance",
	"OldestLaunchConfiguration",
	"OldestLaunchTemplate",
}
