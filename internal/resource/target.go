package resource

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

const (
	healthLimit = 5 * time.Minute
	drainLimit  = time.Hour + 5*time.Minute // the longest deregistration delay, and some
)

// targets gives what is registered in a target group, for the servers that are
// ours, and tells the servers how healthy they are. Targets that leave are none.
func targets(
	group plan.Found,
	health []types.TargetHealthDescription,
	servers []plan.Found,
	now time.Time,
) []plan.Found {
	var all []plan.Found
	for _, h := range health {
		for i := range servers {
			server := &servers[i]
			if server.ID != aws.ToString(h.Target.Id) || h.TargetHealth.State == types.TargetHealthStateEnumDraining {
				continue
			}
			f := plan.Found{
				Address: "target-" + strings.TrimPrefix(server.Address, "server-"),
				Kind:    stack.KindTarget,
				Status:  map[string]string{},
			}
			port := strconv.Itoa(int(aws.ToInt32(h.Target.Port)))
			f.ID, f.Name, f.Created = server.ID+":"+port, server.Address, server.Created
			f.Set("target group", group.ID)
			f.Set("server", server.ID)
			f.Set("port", port)
			f.Set("health", string(h.TargetHealth.State))
			all = append(all, f)
			setHealth(server, h.TargetHealth)
			if h.TargetHealth.State == types.TargetHealthStateEnumUnhealthy &&
				(server.Status["served"] != "" || olderThan(server.Created, youth, now)) {
				server.Broken = fmt.Sprintf("unhealthy: %s", healthReason(h.TargetHealth))
			}
		}
	}
	return all
}

// setHealth tells of a machine what the load balancer says of it, nil when that
// does not know it.
func setHealth(f *plan.Found, h *types.TargetHealth) {
	if h == nil {
		return
	}
	f.Status["health"] = string(h.State)
	if h.Reason != "" {
		f.Status["health reason"] = fmt.Sprintf("%s: %s", h.Reason, healthReason(h))
	}
}

func olderThan(created string, age time.Duration, now time.Time) bool {
	since, err := time.Parse(time.RFC3339, created)
	return err == nil && now.Sub(since) > age
}

func healthReason(h *types.TargetHealth) string {
	if text := aws.ToString(h.Description); text != "" {
		return strings.TrimSuffix(text, ".")
	}
	return string(h.Reason)
}

func describeTarget(body stack.Target, id string) types.TargetDescription {
	return types.TargetDescription{Id: &id, Port: aws.Int32(int32(body.Port))}
}

// createTarget registers a server and waits until it is healthy.
func (s *Site) createTarget(ctx context.Context, r stack.Resource, body stack.Target) (plan.Found, error) {
	id := *s.id(body.Server)
	f := plan.Found{
		Address: r.Address,
		Kind:    stack.KindTarget,
		ID:      fmt.Sprintf("%s:%d", id, body.Port),
		Name:    body.Server.Address,
	}
	err := s.soon(ctx, "register "+body.Server.Address+" with the target group", func(ctx context.Context) error {
		_, err := s.ELB.RegisterTargets(
			ctx,
			&elb.RegisterTargetsInput{
				TargetGroupArn: s.id(body.TargetGroup),
				Targets:        []types.TargetDescription{describeTarget(body, id)},
			},
		)
		return err
	})
	if err != nil {
		return f, err
	}
	return f, s.targetHealthy(ctx, r, body)
}

func (s *Site) targetHealthy(ctx context.Context, r stack.Resource, body stack.Target) error {
	id, last := *s.id(body.Server), "not seen yet"
	err := awsapi.Wait(ctx, healthLimit, body.Server.Address+" to be healthy", func(ctx context.Context) (bool, error) {
		list, err := s.ELB.DescribeTargetHealth(
			ctx,
			&elb.DescribeTargetHealthInput{
				TargetGroupArn: s.id(body.TargetGroup),
				Targets:        []types.TargetDescription{describeTarget(body, id)},
			},
		)
		if err != nil {
			return false, fmt.Errorf("look at the health of %s: %w", body.Server.Address, err)
		}
		if len(list.TargetHealthDescriptions) == 0 {
			return false, nil
		}
		health := list.TargetHealthDescriptions[0].TargetHealth
		if health.State == types.TargetHealthStateEnumHealthy {
			return true, nil
		}
		last = fmt.Sprintf("%s: %s", health.State, healthReason(health))
		s.progress(r.Address, "%s is %s", body.Server.Address, last)
		return false, nil
	})
	var late *awsapi.TimeoutError
	if errors.As(err, &late) {
		return &diag.Diagnostic{
			Where:   body.Server.Address,
			Summary: fmt.Sprintf("is not healthy after %s", healthLimit),
			Detail:  last,
			Hint: fmt.Sprintf(
				"see what the application says: aloft logs %s; check load_balancer.health in aloft.yaml",
				body.Server.Address,
			),
			Cause: err,
		}
	}
	if err != nil {
		return err
	}
	if err := s.label(ctx, id, pair{tagServed, "yes"}); err != nil {
		return fmt.Errorf("mark instance %s as having served: %w", id, err)
	}
	return nil
}

// deleteTarget takes a server out of the target group and waits until it has
// answered its last request.
func (s *Site) deleteTarget(ctx context.Context, f plan.Found) error {
	group, id := f.Get("target group"), f.Get("server")
	port, err := strconv.ParseInt(f.Get("port"), 10, 32)
	if err != nil {
		return fmt.Errorf("deregister %s: port: %w", f.ID, err)
	}
	target := []types.TargetDescription{{Id: &id, Port: aws.Int32(int32(port))}}
	_, err = s.ELB.DeregisterTargets(ctx, &elb.DeregisterTargetsInput{TargetGroupArn: &group, Targets: target})
	if awsapi.IsNotFound(err) || awsapi.Code(err) == "InvalidTarget" {
		return nil // the group or the machine is gone
	}
	if err != nil {
		return fmt.Errorf("deregister %s: %w", f.ID, err)
	}
	return awsapi.Wait(ctx, drainLimit, f.Name+" to answer its last requests", func(ctx context.Context) (bool, error) {
		list, err := s.ELB.DescribeTargetHealth(
			ctx,
			&elb.DescribeTargetHealthInput{TargetGroupArn: &group, Targets: target},
		)
		if awsapi.IsNotFound(err) || awsapi.Code(err) == "InvalidTarget" {
			return true, nil
		}
		if err != nil {
			return false, fmt.Errorf("look at the health of %s: %w", f.ID, err)
		}
		for _, h := range list.TargetHealthDescriptions {
			if h.TargetHealth.State != types.TargetHealthStateEnumUnused {
				s.progress(f.Address, "%s (%s) finishes its requests", f.Name, id)
				return false, nil
			}
		}
		return true, nil
	})
}
