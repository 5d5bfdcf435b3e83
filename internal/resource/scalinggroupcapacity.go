package resource

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

// maxProtectionInstances is the most instances that SetInstanceProtection accepts.
const maxProtectionInstances = 50

// Scale sets the desired capacity of a group, and waits until it has that many
// instances and all of them serve.
func (p *Provisioner) Scale(ctx context.Context, group plan.Found, instances int) error {
	err := retryEventual(ctx, "set the desired capacity of "+group.ID, func(ctx context.Context) error {
		_, err := p.ASG.SetDesiredCapacity(ctx, &autoscaling.SetDesiredCapacityInput{
			AutoScalingGroupName: &group.ID, DesiredCapacity: int32Pointer(instances), HonorCooldown: aws.Bool(false),
		})
		return err
	})
	if err != nil {
		return err
	}
	return p.AwaitServing(ctx, group)
}

// AwaitServing waits until a group has its desired number of instances and all of them
// serve.
func (p *Provisioner) AwaitServing(ctx context.Context, group plan.Found) error {
	times := newBootTimes(time.Now())
	return p.waitServing(ctx, group.Address, group.ID, group.Value(stack.AttrTargetGroup), times)
}

// Drain sets the sizes of a group to 0 and waits until its instances have finished
// their requests and are terminated. The caller makes sure that something else
// serves.
func (p *Provisioner) Drain(ctx context.Context, f plan.Found) error {
	g, ok, err := p.prepareTermination(ctx, f.ID)
	if err != nil || !ok {
		return err
	}
	zero := aws.Int32(0)
	_, err = p.ASG.UpdateAutoScalingGroup(ctx, &autoscaling.UpdateAutoScalingGroupInput{
		AutoScalingGroupName: &f.ID, MinSize: zero, MaxSize: zero, DesiredCapacity: zero,
	})
	if isScalingNotFound(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("empty Auto Scaling group %s: %w", g.found.Name, err)
	}
	what := "the instances of " + f.ID + " to finish their requests"
	return awsapi.Wait(ctx, drainLimit, what, func(ctx context.Context) (bool, error) {
		g, ok, err := p.scalingGroup(ctx, f.ID)
		if err != nil || !ok || len(g.raw.Instances) == 0 {
			return err == nil, err
		}
		p.progress(f.Address, "%d servers finish their requests", len(g.raw.Instances))
		return false, nil
	})
}

// prepareTermination removes what keeps a group's instances from being terminated:
// an instance refresh, suspended processes and protection from scale-in.
func (p *Provisioner) prepareTermination(ctx context.Context, name string) (scalingGroup, bool, error) {
	g, ok, err := p.scalingGroup(ctx, name)
	if err != nil || !ok || g.raw.Status != nil {
		return g, ok, err
	}
	_, err = p.ASG.CancelInstanceRefresh(ctx, &autoscaling.CancelInstanceRefreshInput{AutoScalingGroupName: &name})
	if err := ignoreScalingNotFound("cancel the instance refresh of "+name, err); err != nil {
		return g, ok, err
	}
	if len(g.raw.SuspendedProcesses) > 0 {
		_, err := p.ASG.ResumeProcesses(ctx, &autoscaling.ResumeProcessesInput{AutoScalingGroupName: &name})
		if err := ignoreScalingNotFound("resume the processes of "+name, err); err != nil {
			return g, ok, err
		}
	}
	var protected []string
	for _, i := range g.raw.Instances {
		if aws.ToBool(i.ProtectedFromScaleIn) {
			protected = append(protected, aws.ToString(i.InstanceId))
		}
	}
	for chunk := range slices.Chunk(protected, maxProtectionInstances) {
		_, err := p.ASG.SetInstanceProtection(ctx, &autoscaling.SetInstanceProtectionInput{
			AutoScalingGroupName: &name, InstanceIds: chunk, ProtectedFromScaleIn: aws.Bool(false),
		})
		if err != nil && strings.Contains(awsapi.Message(err), "not part of Auto Scaling group") {
			continue
		}
		if err := ignoreScalingNotFound("remove the scale-in protection of instances of "+name, err); err != nil {
			return g, ok, err
		}
	}
	return g, ok, nil
}
