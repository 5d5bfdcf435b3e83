package resource

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	scaling "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"aloft.dev/aloft/internal/event"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

// drainingGroup is an Auto Scaling group whose instance finishes its requests for
// nearly an hour, which its target group allows.
type drainingGroup struct {
	scalingGroupAPI
	instanceRefreshAPI
	targetGroupAPI
	instanceAPI
	gone time.Time
}

func (g drainingGroup) DescribeAutoScalingGroups(
	context.Context,
	*autoscaling.DescribeAutoScalingGroupsInput,
	...func(*autoscaling.Options),
) (*autoscaling.DescribeAutoScalingGroupsOutput, error) {
	out := &autoscaling.DescribeAutoScalingGroupsOutput{}
	if time.Now().Before(g.gone) {
		out.AutoScalingGroups = []scaling.AutoScalingGroup{{
			AutoScalingGroupName: aws.String("aloft-shop"), TargetGroupARNs: []string{"arn"},
			Instances: []scaling.Instance{{LifecycleState: scaling.LifecycleStateTerminatingWait}},
		}}
	}
	return out, nil
}

func (g drainingGroup) CancelInstanceRefresh(
	context.Context,
	*autoscaling.CancelInstanceRefreshInput,
	...func(*autoscaling.Options),
) (*autoscaling.CancelInstanceRefreshOutput, error) {
	return &autoscaling.CancelInstanceRefreshOutput{}, nil
}

func (g drainingGroup) DeleteAutoScalingGroup(
	context.Context,
	*autoscaling.DeleteAutoScalingGroupInput,
	...func(*autoscaling.Options),
) (*autoscaling.DeleteAutoScalingGroupOutput, error) {
	return &autoscaling.DeleteAutoScalingGroupOutput{}, nil
}

func (g drainingGroup) DescribeTargetGroupAttributes(
	context.Context,
	*elb.DescribeTargetGroupAttributesInput,
	...func(*elb.Options),
) (*elb.DescribeTargetGroupAttributesOutput, error) {
	return &elb.DescribeTargetGroupAttributesOutput{
		Attributes: []types.TargetGroupAttribute{{Key: aws.String(delayAttribute), Value: aws.String("3600")}},
	}, nil
}

func (g drainingGroup) DescribeInstances(
	context.Context,
	*ec2.DescribeInstancesInput,
	...func(*ec2.Options),
) (*ec2.DescribeInstancesOutput, error) {
	return &ec2.DescribeInstancesOutput{}, nil
}

func TestDeletionOfAGroupWaitsForItsDeregistrationDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		g := drainingGroup{gone: began.Add(59 * time.Minute)}
		var messages strings.Builder
		p := &Provisioner{
			Cloud: Cloud{
				App: "shop",
				EC2: EC2{instanceAPI: g},
				ELB: ELB{targetGroupAPI: g},
				ASG: ASG{scalingGroupAPI: g, instanceRefreshAPI: g},
			},
			Events: func(e event.Event) { messages.WriteString(e.Message + "\n") },
		}
		if err := p.Delete(t.Context(), plan.Found{Kind: stack.KindScalingGroup, ID: "aloft-shop"}); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took < 59*time.Minute {
			t.Errorf("the group was gone after %s", took)
		}
		const want = "1 servers of the group finish their requests for up to 1h0m0s, and are terminated\n"
		if !strings.Contains(messages.String(), want) {
			t.Errorf("progress:\n%s", messages.String())
		}
	})
}
