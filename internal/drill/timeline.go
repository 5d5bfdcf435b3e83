package drill

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// timeline is what the load balancer said of its targets, as times since the
// load began; 0: not so far.
type timeline struct {
	victims map[string]bool // instances that are hit
	need    int             // healthy targets when all is well

	injected  time.Duration
	detected  time.Duration // the first victim is no longer healthy
	out       time.Duration // none of them is: no node sends them requests
	restored  time.Duration // what was changed is put back
	recovered time.Duration // as many targets are healthy as before
}

// see takes in which instances are healthy at a time.
func (t *timeline) see(at time.Duration, healthy map[string]bool) {
	if t.injected == 0 {
		return
	}
	well := 0
	for victim := range t.victims {
		if healthy[victim] {
			well++
		}
	}
	if well < len(t.victims) && t.detected == 0 {
		t.detected = at
	}
	if well == 0 && t.out == 0 {
		t.out = at
	}
	if t.detected > 0 && t.recovered == 0 && len(healthy) >= t.need {
		t.recovered = at
	}
}

// shift moves all times that are known.
func (t *timeline) shift(by time.Duration) {
	for _, at := range []*time.Duration{&t.injected, &t.detected, &t.out, &t.restored, &t.recovered} {
		if *at > 0 {
			*at += by
		}
	}
}

// healthy asks which targets are.
func (d *Drill) healthy(ctx context.Context, group string) (map[string]bool, error) {
	list, err := d.cfg.Client.ELB.DescribeTargetHealth(ctx, &elb.DescribeTargetHealthInput{TargetGroupArn: &group})
	if err != nil {
		return nil, fmt.Errorf("look at the targets' health: %w", err)
	}
	well := map[string]bool{}
	for _, t := range list.TargetHealthDescriptions {
		if t.Target != nil && t.TargetHealth != nil && t.TargetHealth.State == types.TargetHealthStateEnumHealthy {
			well[aws.ToString(t.Target.Id)] = true
		}
	}
	return well, nil
}

// watch looks at the targets' health until done says so or ctx ends.
func (r *run) watch(ctx context.Context, done func() bool) error {
	tick := time.NewTicker(r.drill.cfg.Poll)
	defer tick.Stop()
	for {
		well, err := r.drill.healthy(ctx, r.group)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			return err
		}
		r.line.see(r.since(), well)
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
