package resource

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/event"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

// Site is where a plan is carried out: the cloud, what is known of it, and what
// is at hand on the user's side. It may be used by several goroutines.
type Site struct {
	Cloud
	Keys      Keys
	BaseImage BaseImage
	Builder   Builder // nil where nothing is to be built
	Egress    Egress
	Events    event.Sink

	mu    sync.Mutex
	known map[string]plan.Found // by address
}

// Know remembers what stands at an address.
func (s *Site) Know(address string, f plan.Found) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known == nil {
		s.known = map[string]plan.Found{}
	}
	s.known[address] = f
}

// At tells what is known to stand at an address.
func (s *Site) At(address string) (plan.Found, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, ok := s.known[address]
	return f, ok
}

// id gives what a reference stands for. Work on a resource starts when all that
// it refers to stands, so it is known.
func (s *Site) id(ref stack.Ref) *string {
	f, _ := s.At(ref.Address)
	return &f.ID
}

func (s *Site) ids(refs []stack.Ref) []string {
	all := make([]string, len(refs))
	for i, ref := range refs {
		all[i] = *s.id(ref)
	}
	return all
}

// progress tells how far the work at an address is.
func (s *Site) progress(address, format string, args ...any) {
	s.Events(
		event.Event{Time: time.Now(), Kind: event.Progress, Address: address, Message: fmt.Sprintf(format, args...)},
	)
}

// soon does what fails for a while after something that it refers to was made,
// because AWS has not told all of itself about it yet.
func (s *Site) soon(ctx context.Context, what string, do func(context.Context) error) error {
	if err := awsapi.Retry(ctx, 2*time.Minute, what, awsapi.IsEventual, do); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// NameIsUnique tells of a kind that another cannot stand beside the old one,
// so that Create deletes the old one first.
func NameIsUnique(k stack.Kind) bool {
	return k == stack.KindKeyPair || k == stack.KindLoadBalancer || k == stack.KindScalingGroup
}

// Create makes a resource and waits until it is of use. old is what stands at
// its address and will be retired. What was made although no answer said so is
// found, and not made again. On an error what was begun is found by the next run.
func (s *Site) Create(ctx context.Context, r stack.Resource, old []plan.Found) (plan.Found, error) {
	if NameIsUnique(r.Body.Kind()) {
		for _, f := range old { // the name is free only when the old one is gone
			if err := s.Delete(ctx, f); err != nil {
				return f, err
			}
		}
		old = nil
	}
	for tries := 1; ; tries++ {
		f, err := s.create(ctx, r, old)
		lost := awsapi.IsLost(err)
		if err == nil || f.ID != "" || !lost && !awsapi.IsExists(err) {
			return f, err
		}
		made, ok, problem := s.made(ctx, r, old, lost)
		if problem != nil {
			return f, errors.Join(err, problem)
		}
		if ok {
			return s.finish(ctx, r, made)
		}
		if !lost || tries == maxTries {
			return f, err
		}
	}
}

func (s *Site) create(ctx context.Context, r stack.Resource, old []plan.Found) (plan.Found, error) {
	switch body := r.Body.(type) {
	case stack.VPC:
		return s.createVPC(ctx, r, body)
	case stack.Subnet:
		return s.createSubnet(ctx, r, body)
	case stack.InternetGateway:
		return s.createInternetGateway(ctx, r, body)
	case stack.RouteTable:
		return s.createRouteTable(ctx, r, body)
	case stack.SecurityGroup:
		return s.createSecurityGroup(ctx, r, body)
	case stack.KeyPair:
		return s.createKeyPair(ctx, r, body)
	case stack.Server:
		return s.createServer(ctx, r, body, old)
	case stack.Image:
		return s.createImage(ctx, r, body)
	case stack.TargetGroup:
		return s.createTargetGroup(ctx, r, body)
	case stack.LoadBalancer:
		return s.createLoadBalancer(ctx, r, body)
	case stack.Listener:
		return s.createListener(ctx, r, body)
	case stack.Target:
		return s.createTarget(ctx, r, body)
	}
	return s.createScaling(ctx, r)
}

// createScaling makes what Auto Scaling holds, and what it launches from.
func (s *Site) createScaling(ctx context.Context, r stack.Resource) (plan.Found, error) {
	switch body := r.Body.(type) {
	case stack.LaunchTemplate:
		return s.createLaunchTemplate(ctx, r, body)
	case stack.ScalingGroup:
		return s.createScalingGroup(ctx, r, body)
	case stack.ScalingPolicy:
		return s.putPolicy(ctx, r, body)
	case stack.Schedule:
		return s.putSchedule(ctx, r, body)
	}
	return plan.Found{}, fmt.Errorf("create %s: no such kind", r.Address)
}

// Update changes in place what differs between a resource and what stands.
func (s *Site) Update(ctx context.Context, r stack.Resource, now plan.Found) error {
	switch body := r.Body.(type) {
	case stack.VPC:
		return s.updateVPC(ctx, body, now)
	case stack.Subnet:
		return s.updateSubnet(ctx, body, now)
	case stack.InternetGateway:
		return s.updateInternetGateway(ctx, body, now)
	case stack.RouteTable:
		return s.updateRouteTable(ctx, body, now)
	case stack.SecurityGroup:
		return s.updateSecurityGroup(ctx, body, now)
	case stack.Server:
		return s.updateServer(ctx, r, body, now)
	case stack.Image:
		return s.finishImage(ctx, r, body, now.ID)
	case stack.TargetGroup:
		return s.updateTargetGroup(ctx, body, now)
	case stack.LoadBalancer:
		return s.updateLoadBalancer(ctx, r, body, now)
	case stack.Listener:
		return s.updateListener(ctx, body, now)
	case stack.Target:
		return s.targetHealthy(ctx, r, body)
	}
	return s.updateScaling(ctx, r, now)
}

func (s *Site) updateScaling(ctx context.Context, r stack.Resource, now plan.Found) error {
	switch body := r.Body.(type) {
	case stack.LaunchTemplate:
		return s.updateLaunchTemplate(ctx, r, body, now)
	case stack.ScalingGroup:
		return s.updateScalingGroup(ctx, r, body, now)
	case stack.ScalingPolicy:
		_, err := s.putPolicy(ctx, r, body)
		return err
	case stack.Schedule:
		return s.replaceSchedule(ctx, r, body, now)
	}
	return fmt.Errorf("update %s: no such kind", r.Address)
}

// Delete deletes one thing and waits until it is gone. What is gone already is
// deleted.
func (s *Site) Delete(ctx context.Context, f plan.Found) error {
	kinds := map[stack.Kind]func(context.Context, plan.Found) error{
		stack.KindVPC:             s.deleteVPC,
		stack.KindSubnet:          s.deleteSubnet,
		stack.KindInternetGateway: s.deleteInternetGateway,
		stack.KindRouteTable:      s.deleteRouteTable,
		stack.KindSecurityGroup:   s.deleteSecurityGroup,
		stack.KindKeyPair:         s.deleteKeyPair,
		stack.KindServer:          s.deleteServer,
		stack.KindImage:           s.deleteImage,
		stack.KindTargetGroup:     s.deleteTargetGroup,
		stack.KindLoadBalancer:    s.deleteLoadBalancer,
		stack.KindListener:        s.deleteListener,
		stack.KindTarget:          s.deleteTarget,
		stack.KindLaunchTemplate:  s.deleteLaunchTemplate,
		stack.KindScalingGroup:    s.deleteScalingGroup,
		stack.KindScalingPolicy:   s.deletePolicy,
		stack.KindSchedule:        s.deleteSchedule,
	}
	remove, ok := kinds[f.Kind]
	if !ok {
		return fmt.Errorf("delete %s: no such kind", f.Address)
	}
	return remove(ctx, f)
}
