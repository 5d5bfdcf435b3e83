package drill

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// healthyTargets returns the IDs of the healthy targets of a target group.
func (d *Drill) healthyTargets(ctx context.Context, group string) (map[string]bool, error) {
	out, err := d.cfg.Client.ELB.DescribeTargetHealth(ctx, &elb.DescribeTargetHealthInput{TargetGroupArn: &group})
	if err != nil {
		return nil, fmt.Errorf("read the health of the targets: %w", err)
	}
	healthy := map[string]bool{}
	for _, t := range out.TargetHealthDescriptions {
		if t.Target != nil && t.TargetHealth != nil && t.TargetHealth.State == types.TargetHealthStateEnumHealthy {
			healthy[aws.ToString(t.Target.Id)] = true
		}
	}
	return healthy, nil
}

// watchHealth records the targets' health in the timeline until done returns true.
// It returns the cause if ctx ends first.
func (r *run) watchHealth(ctx context.Context, done func() bool) error {
	tick := time.NewTicker(r.drill.cfg.Poll)
	defer tick.Stop()
	for {
		healthy, err := r.drill.healthyTargets(ctx, r.group)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			return err
		}
		r.line.observe(r.elapsed(), healthy)
		if done() {
			return nil
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
	}
}
