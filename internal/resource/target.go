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
	"golang.org/x/sync/errgroup"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

const (
	// healthyLimit is how long a registered server may take to become healthy.
	healthyLimit = 5 * time.Minute
	// drainLimit is how long a target may take to finish its requests: the longest
	// deregistration delay and a margin.
	drainLimit = time.Hour + 5*time.Minute
	// firstHealthLimit is the age at which a server that has never been healthy
	// counts as broken.
	firstHealthLimit = 5 * time.Minute
)

var targetKind = kind{
	name:   stack.KindTarget,
	find:   findTargets,
	create: created((*Provisioner).createTarget),
	update: updated((*Provisioner).updateTarget),
	remove: (*Provisioner).deleteTarget,
}

type targetAPI interface {
	DescribeTargetHealth(
		context.Context, *elb.DescribeTargetHealthInput, ...func(*elb.Options),
	) (*elb.DescribeTargetHealthOutput, error)
	RegisterTargets(
		context.Context, *elb.RegisterTargetsInput, ...func(*elb.Options),
	) (*elb.RegisterTargetsOutput, error)
	DeregisterTargets(
		context.Context, *elb.DeregisterTargetsInput, ...func(*elb.Options),
	) (*elb.DeregisterTargetsOutput, error)
}

func findTargets(ctx context.Context, d *discovery) ([]plan.Found, error) {
	if _, err := d.findTargetHealth(ctx); err != nil { // starts before findInstances needs it
		return nil, err
	}
	instances, err := d.findInstances(ctx)
	return instances.targets, err
}

// findTargetHealth returns the health of the targets of the application's target
// groups.
func (d *discovery) findTargetHealth(ctx context.Context) (targetHealth, error) {
	return d.targetHealth.get(func() (targetHealth, error) {
		balancing, err := d.findLoadBalancing(ctx)
		if err != nil {
			return nil, err
		}
		lists := make([][]types.TargetHealthDescription, len(balancing.groups))
		group, ctx := errgroup.WithContext(ctx)
		for i, g := range balancing.groups {
			group.Go(func() error {
				in := &elb.DescribeTargetHealthInput{TargetGroupArn: g.TargetGroupArn}
				out, err := d.ELB.DescribeTargetHealth(ctx, in)
				if err == nil {
					lists[i] = out.TargetHealthDescriptions
				}
				return d.ignoreUnsupported(
					ignoreNotFound("read the health of target group "+aws.ToString(g.TargetGroupName), err))
			})
		}
		err = group.Wait()
		health := targetHealth{}
		for i, g := range balancing.groups {
			health[aws.ToString(g.TargetGroupArn)] = lists[i]
		}
		return health, err
	})
}

// registeredTargets returns the targets of a target group that are servers of the
// application. It also sets the servers' health. Targets that are draining are not
// included.
func registeredTargets(
	group string,
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
			all = append(all, describeTarget(group, h, *server))
			setHealth(server, h.TargetHealth)
			if h.TargetHealth.State == types.TargetHealthStateEnumUnhealthy &&
				(server.Status.Served || olderThan(server.Created, firstHealthLimit, now)) {
				server.Broken = fmt.Sprintf("unhealthy: %s", healthReason(h.TargetHealth))
			}
		}
	}
	return all
}

func describeTarget(group string, h types.TargetHealthDescription, server plan.Found) plan.Found {
	port := number(h.Target.Port)
	f := plan.Found{
		Address: "target-" + strings.TrimPrefix(server.Address, "server-"),
		Kind:    stack.KindTarget,
		ID:      server.ID + ":" + port,
		Name:    server.Address,
		Created: server.Created,
	}
	f.Set(stack.AttrTargetGroup, group)
	f.Set(stack.AttrServer, server.ID)
	f.Set(stack.AttrPort, port)
	f.Set(stack.AttrHealth, string(h.TargetHealth.State))
	return f
}

// setHealth sets the health of an instance as the load balancer reports it; nil
// means that it does not know the instance.
func setHealth(f *plan.Found, h *types.TargetHealth) {
	if h == nil {
		return
	}
	f.Status.Health = string(h.State)
	if h.Reason != "" {
		f.Status.HealthReason = fmt.Sprintf("%s: %s", h.Reason, healthReason(h))
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

// createTarget registers a server and waits until it is healthy.
func (p *Provisioner) createTarget(ctx context.Context, r stack.Resource, body stack.Target) (plan.Found, error) {
	id, server := *p.id(body.Server), body.Server.Address
	f := plan.Found{
		Address: r.Address, Kind: stack.KindTarget, ID: fmt.Sprintf("%s:%d", id, body.Port), Name: server,
	}
	t := registration{
		address: r.Address,
		group:   *p.id(body.TargetGroup),
		server:  server,
		id:      id,
		port:    int32(body.Port),
	}
	if err := p.register(ctx, t); err != nil {
		return f, err
	}
	return f, p.awaitHealthy(ctx, t)
}

// registration is the registration of a server with a target group.
type registration struct {
	address string // of the target
	group   string // the target group's ARN
	server  string // address
	id      string // of the instance
	port    int32
}

func (t registration) targets() []types.TargetDescription {
	return []types.TargetDescription{{Id: &t.id, Port: &t.port}}
}

// registrationOf returns the registration that a found target is.
func registrationOf(f plan.Found) (registration, error) {
	port, err := strconv.ParseInt(f.Value(stack.AttrPort), 10, 32)
	return registration{
		address: f.Address, group: f.Value(stack.AttrTargetGroup), server: f.Name, id: f.Value(stack.AttrServer),
		port: int32(port),
	}, awsapi.Wrap("read the port of "+f.ID, err)
}

func (p *Provisioner) register(ctx context.Context, t registration) error {
	return retryEventual(ctx, "register "+t.server+" with the target group", func(ctx context.Context) error {
		_, err := p.ELB.RegisterTargets(ctx, &elb.RegisterTargetsInput{TargetGroupArn: &t.group, Targets: t.targets()})
		return err
	})
}

// updateTarget waits until a registered server is healthy, and marks it as having
// served.
func (p *Provisioner) updateTarget(ctx context.Context, r stack.Resource, body stack.Target, _ plan.Found) error {
	return p.awaitHealthy(ctx, registration{
		address: r.Address, group: *p.id(body.TargetGroup), server: body.Server.Address, id: *p.id(body.Server),
		port: int32(body.Port),
	})
}

func (p *Provisioner) awaitHealthy(ctx context.Context, t registration) error {
	id, server, last := t.id, t.server, "not seen yet"
	in := &elb.DescribeTargetHealthInput{TargetGroupArn: &t.group, Targets: t.targets()}
	err := awsapi.Wait(ctx, healthyLimit, server+" to be healthy", func(ctx context.Context) (bool, error) {
		list, err := p.ELB.DescribeTargetHealth(ctx, in)
		if isUnregistered(err) || err == nil && len(list.TargetHealthDescriptions) == 0 {
			return false, nil // just registered
		}
		if err != nil {
			return false, fmt.Errorf("read the health of %s: %w", server, err)
		}
		health := list.TargetHealthDescriptions[0].TargetHealth
		if health.State == types.TargetHealthStateEnumHealthy {
			return true, nil
		}
		last = fmt.Sprintf("%s: %s", health.State, healthReason(health))
		p.progress(t.address, "%s is %s", server, last)
		return false, nil
	})
	var late *awsapi.TimeoutError
	if errors.As(err, &late) {
		return &diag.Diagnostic{
			Where:   server,
			Summary: fmt.Sprintf("is not healthy after %s", healthyLimit),
			Detail:  last,
			Hint: fmt.Sprintf(
				"see what the application says: aloft logs %s; check load_balancer.health in aloft.yaml", server),
			Cause: err,
		}
	}
	if err != nil {
		return err
	}
	return awsapi.Wrap("mark instance "+id+" as having served", p.tagInstance(ctx, id, tag{tagServed, stack.Yes}))
}

// deleteTarget deregisters a server and waits until it has finished its requests.
func (p *Provisioner) deleteTarget(ctx context.Context, f plan.Found) error {
	t, err := registrationOf(f)
	if err != nil {
		return err
	}
	if err := p.deregister(ctx, t); err != nil {
		return err
	}
	return p.awaitDrained(ctx, t)
}

func (p *Provisioner) deregister(ctx context.Context, t registration) error {
	in := &elb.DeregisterTargetsInput{TargetGroupArn: &t.group, Targets: t.targets()}
	if _, err := p.ELB.DeregisterTargets(ctx, in); err != nil && !isUnregistered(err) {
		return fmt.Errorf("deregister %s:%d: %w", t.id, t.port, err)
	}
	return nil
}

// awaitDrained waits until the deregistration of a target is complete.
func (p *Provisioner) awaitDrained(ctx context.Context, t registration) error {
	in := &elb.DescribeTargetHealthInput{TargetGroupArn: &t.group, Targets: t.targets()}
	return awsapi.Wait(ctx, drainLimit, t.server+" to finish its requests", func(ctx context.Context) (bool, error) {
		list, err := p.ELB.DescribeTargetHealth(ctx, in)
		if isUnregistered(err) {
			return true, nil
		}
		if err != nil {
			return false, fmt.Errorf("read the health of %s:%d: %w", t.id, t.port, err)
		}
		for _, h := range list.TargetHealthDescriptions {
			if h.TargetHealth.State != types.TargetHealthStateEnumUnused {
				p.progress(t.address, "%s (%s) finishes its requests", t.server, t.id)
				return false, nil
			}
		}
		return true, nil
	})
}

// isUnregistered reports whether a call failed because the target group or the
// instance does not exist.
func isUnregistered(err error) bool {
	return awsapi.IsNotFound(err) || awsapi.Code(err) == "InvalidTarget"
}
