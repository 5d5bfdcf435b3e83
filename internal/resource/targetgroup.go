package resource

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"golang.org/x/sync/errgroup"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

const delayAttribute = "deregistration_delay.timeout_seconds"

var targetGroupKind = kind{
	name:   stack.KindTargetGroup,
	find:   findTargetGroups,
	create: created((*Provisioner).createTargetGroup),
	update: updated((*Provisioner).updateTargetGroup),
	remove: (*Provisioner).deleteTargetGroup,
}

type targetGroupAPI interface {
	DescribeTargetGroups(
		context.Context, *elb.DescribeTargetGroupsInput, ...func(*elb.Options),
	) (*elb.DescribeTargetGroupsOutput, error)
	DescribeTargetGroupAttributes(
		context.Context, *elb.DescribeTargetGroupAttributesInput, ...func(*elb.Options),
	) (*elb.DescribeTargetGroupAttributesOutput, error)
	CreateTargetGroup(
		context.Context, *elb.CreateTargetGroupInput, ...func(*elb.Options),
	) (*elb.CreateTargetGroupOutput, error)
	ModifyTargetGroup(
		context.Context, *elb.ModifyTargetGroupInput, ...func(*elb.Options),
	) (*elb.ModifyTargetGroupOutput, error)
	ModifyTargetGroupAttributes(
		context.Context, *elb.ModifyTargetGroupAttributesInput, ...func(*elb.Options),
	) (*elb.ModifyTargetGroupAttributesOutput, error)
	DeleteTargetGroup(
		context.Context, *elb.DeleteTargetGroupInput, ...func(*elb.Options),
	) (*elb.DeleteTargetGroupOutput, error)
}

// listTargetGroups returns the target groups that have a name of the application.
func (c *Cloud) listTargetGroups(ctx context.Context) ([]types.TargetGroup, error) {
	list, err := collect(
		ctx,
		elb.NewDescribeTargetGroupsPaginator(c.ELB, &elb.DescribeTargetGroupsInput{}),
		func(page *elb.DescribeTargetGroupsOutput) []types.TargetGroup { return page.TargetGroups },
	)
	others := func(g types.TargetGroup) bool { return !c.named(g.TargetGroupName) }
	return slices.DeleteFunc(list, others), awsapi.Wrap("list target groups", err)
}

func findTargetGroups(ctx context.Context, d *discovery) ([]plan.Found, error) {
	balancing, err := d.findLoadBalancing(ctx)
	if err != nil {
		return nil, err
	}
	all := describe(balancing.groups, describeTargetGroup)
	group, ctx := errgroup.WithContext(ctx)
	for i := range all {
		f := &all[i]
		balancing.setELBTags(f)
		group.Go(func() error {
			delay, err := d.deregistrationDelay(ctx, f.ID)
			if err == nil {
				f.Set(stack.AttrDeregistrationDelay, fmt.Sprintf("%.0fs", delay.Seconds()))
			}
			return d.ignoreUnsupported(ignoreNotFound("read the attributes of target group "+f.Name, err))
		})
	}
	return all, group.Wait()
}

func describeTargetGroup(g types.TargetGroup) plan.Found {
	f := plan.Found{
		Kind: stack.KindTargetGroup, ID: aws.ToString(g.TargetGroupArn), Name: aws.ToString(g.TargetGroupName),
	}
	f.Status.Port = int(aws.ToInt32(g.Port))
	f.Set(stack.AttrVPC, aws.ToString(g.VpcId))
	f.Set(stack.AttrProtocol, string(g.Protocol))
	f.Set(stack.AttrHealthPath, aws.ToString(g.HealthCheckPath))
	f.Set(stack.AttrHealthInterval, number(g.HealthCheckIntervalSeconds)+"s")
	f.Set(stack.AttrHealthTimeout, number(g.HealthCheckTimeoutSeconds)+"s")
	f.Set(stack.AttrHealthyThreshold, number(g.HealthyThresholdCount))
	f.Set(stack.AttrUnhealthyThreshold, number(g.UnhealthyThresholdCount))
	if g.Matcher != nil {
		f.Set(stack.AttrHealthCodes, aws.ToString(g.Matcher.HttpCode))
	}
	return f
}

func number(n *int32) string { return strconv.Itoa(int(aws.ToInt32(n))) }

func int32Pointer(n int) *int32 { return aws.Int32(int32(n)) }

func (p *Provisioner) createTargetGroup(
	ctx context.Context,
	r stack.Resource,
	body stack.TargetGroup,
) (plan.Found, error) {
	in := &elb.CreateTargetGroupInput{
		Name:                       &body.GroupName,
		VpcId:                      p.id(body.VPC),
		Protocol:                   types.ProtocolEnumHttp,
		Port:                       int32Pointer(body.Port),
		TargetType:                 types.TargetTypeEnumInstance,
		HealthCheckProtocol:        types.ProtocolEnumHttp,
		HealthCheckPath:            &body.Path,
		HealthCheckPort:            aws.String("traffic-port"),
		HealthCheckIntervalSeconds: int32Pointer(body.Interval),
		HealthCheckTimeoutSeconds:  int32Pointer(body.Timeout),
		HealthyThresholdCount:      int32Pointer(body.Healthy),
		UnhealthyThresholdCount:    int32Pointer(body.Unhealthy),
		Matcher:                    &types.Matcher{HttpCode: &body.Matcher},
		Tags:                       elbTags(p.tags(r)),
	}
	var out *elb.CreateTargetGroupOutput
	// Elastic Load Balancing may not know a new VPC yet: "ValidationError: The VPC ID
	// 'vpc-…' is not found".
	err := retryEventual(ctx, "create target group "+body.GroupName, func(ctx context.Context) (err error) {
		out, err = p.ELB.CreateTargetGroup(ctx, in)
		return err
	})
	if awsapi.IsExists(err) {
		return plan.Found{}, nameTaken(r, "a target group", body.GroupName, err)
	}
	if err != nil {
		return plan.Found{}, err
	}
	f := describeTargetGroup(out.TargetGroups[0])
	f.Address = r.Address
	return f, p.setDeregistrationDelay(ctx, body, f)
}

// nameTaken explains that a resource of the same name exists that is not the
// application's.
func nameTaken(r stack.Resource, what, name string, err error) error {
	return &diag.Diagnostic{
		Where:   r.Address,
		Summary: fmt.Sprintf("%s %s already exists and does not belong to this deployment", what, name),
		Detail:  awsapi.Message(err),
		Hint:    "delete it, or give the application another name",
		Cause:   err,
	}
}

func (p *Provisioner) updateTargetGroup(
	ctx context.Context,
	_ stack.Resource,
	body stack.TargetGroup,
	current plan.Found,
) error {
	what := "change the health check of target group " + current.Name
	err := retryEventual(ctx, what, func(ctx context.Context) error {
		_, err := p.ELB.ModifyTargetGroup(ctx, &elb.ModifyTargetGroupInput{
			TargetGroupArn:             &current.ID,
			HealthCheckPath:            &body.Path,
			HealthCheckIntervalSeconds: int32Pointer(body.Interval),
			HealthCheckTimeoutSeconds:  int32Pointer(body.Timeout),
			HealthyThresholdCount:      int32Pointer(body.Healthy),
			UnhealthyThresholdCount:    int32Pointer(body.Unhealthy),
			Matcher:                    &types.Matcher{HttpCode: &body.Matcher},
		})
		return err
	})
	if err != nil {
		return err
	}
	return p.setDeregistrationDelay(ctx, body, current)
}

func (p *Provisioner) setDeregistrationDelay(ctx context.Context, body stack.TargetGroup, f plan.Found) error {
	delay := types.TargetGroupAttribute{Key: aws.String(delayAttribute), Value: aws.String(strconv.Itoa(body.Delay))}
	what := "set the deregistration delay of target group " + f.Name
	return retryEventual(ctx, what, func(ctx context.Context) error {
		_, err := p.ELB.ModifyTargetGroupAttributes(ctx, &elb.ModifyTargetGroupAttributesInput{
			TargetGroupArn: &f.ID, Attributes: []types.TargetGroupAttribute{delay},
		})
		return err
	})
}

func (p *Provisioner) deleteTargetGroup(ctx context.Context, f plan.Found) error {
	return p.deleteWhenUnused(ctx, f, func(ctx context.Context) error {
		_, err := p.ELB.DeleteTargetGroup(ctx, &elb.DeleteTargetGroupInput{TargetGroupArn: &f.ID})
		return err
	})
}
