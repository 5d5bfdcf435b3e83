package resource

import (
	"context"
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

const delayAttribute = "deregistration_delay.timeout_seconds"

func describeTargetGroup(g types.TargetGroup) plan.Found {
	f := plan.Found{
		Kind:   stack.KindTargetGroup,
		ID:     aws.ToString(g.TargetGroupArn),
		Name:   aws.ToString(g.TargetGroupName),
		Status: map[string]string{},
	}
	f.Status["port"] = strconv.Itoa(int(aws.ToInt32(g.Port)))
	f.Set("vpc", aws.ToString(g.VpcId))
	f.Set("protocol", string(g.Protocol))
	f.Set("health path", aws.ToString(g.HealthCheckPath))
	f.Set("health interval", fmt.Sprintf("%ds", aws.ToInt32(g.HealthCheckIntervalSeconds)))
	f.Set("health timeout", fmt.Sprintf("%ds", aws.ToInt32(g.HealthCheckTimeoutSeconds)))
	f.Set("healthy after", strconv.Itoa(int(aws.ToInt32(g.HealthyThresholdCount))))
	f.Set("unhealthy after", strconv.Itoa(int(aws.ToInt32(g.UnhealthyThresholdCount))))
	if g.Matcher != nil {
		f.Set("health codes", aws.ToString(g.Matcher.HttpCode))
	}
	return f
}

func (s *Site) createTargetGroup(ctx context.Context, r stack.Resource, body stack.TargetGroup) (plan.Found, error) {
	made, err := s.ELB.CreateTargetGroup(ctx, &elb.CreateTargetGroupInput{
		Name: &body.GroupName, VpcId: s.id(body.VPC), Protocol: types.ProtocolEnumHttp, Port: aws.Int32(int32(body.Port)), TargetType: types.TargetTypeEnumInstance,
		HealthCheckProtocol: types.ProtocolEnumHttp, HealthCheckPath: &body.Path, HealthCheckPort: aws.String("traffic-port"),
		HealthCheckIntervalSeconds: aws.Int32(
			int32(body.Interval),
		), HealthCheckTimeoutSeconds: aws.Int32(int32(body.Timeout)),
		HealthyThresholdCount: aws.Int32(
			int32(body.Healthy),
		), UnhealthyThresholdCount: aws.Int32(int32(body.Unhealthy)),
		Matcher: &types.Matcher{HttpCode: &body.Matcher}, Tags: elbTags(s.tags(r)),
	})
	if awsapi.IsExists(err) {
		return plan.Found{}, nameTaken(r, "a target group", body.GroupName, err)
	}
	if err != nil {
		return plan.Found{}, fmt.Errorf("create target group %s: %w", body.GroupName, err)
	}
	f := describeTargetGroup(made.TargetGroups[0])
	f.Address = r.Address
	return f, s.setDelay(ctx, body, f)
}

func nameTaken(r stack.Resource, what, name string, err error) error {
	return &diag.Diagnostic{
		Where:   r.Address,
		Summary: fmt.Sprintf("%s %s is there already, and it is not of this deployment", what, name),
		Detail:  awsapi.Message(err),
		Hint:    "delete it, or give the application another name",
		Cause:   err,
	}
}

func (s *Site) updateTargetGroup(ctx context.Context, body stack.TargetGroup, now plan.Found) error {
	_, err := s.ELB.ModifyTargetGroup(ctx, &elb.ModifyTargetGroupInput{
		TargetGroupArn: &now.ID, HealthCheckPath: &body.Path, Matcher: &types.Matcher{HttpCode: &body.Matcher},
		HealthCheckIntervalSeconds: aws.Int32(
			int32(body.Interval),
		), HealthCheckTimeoutSeconds: aws.Int32(int32(body.Timeout)),
		HealthyThresholdCount: aws.Int32(
			int32(body.Healthy),
		), UnhealthyThresholdCount: aws.Int32(int32(body.Unhealthy)),
	})
	if err != nil {
		return fmt.Errorf("change the health check of target group %s: %w", now.Name, err)
	}
	return s.setDelay(ctx, body, now)
}

func (s *Site) setDelay(ctx context.Context, body stack.TargetGroup, f plan.Found) error {
	_, err := s.ELB.ModifyTargetGroupAttributes(ctx, &elb.ModifyTargetGroupAttributesInput{
		TargetGroupArn: &f.ID, Attributes: []types.TargetGroupAttribute{{Key: aws.String(delayAttribute), Value: aws.String(strconv.Itoa(body.Delay))}},
	})
	if err != nil {
		return fmt.Errorf("set the deregistration delay of target group %s: %w", f.Name, err)
	}
	return nil
}

func (s *Site) deleteTargetGroup(ctx context.Context, f plan.Found) error {
	return s.whenFree(ctx, f, func(ctx context.Context) error {
		_, err := s.ELB.DeleteTargetGroup(ctx, &elb.DeleteTargetGroupInput{TargetGroupArn: &f.ID})
		return err
	})
}
