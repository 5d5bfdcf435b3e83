package resource

import (
	"context"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

// setIdentity gives a server its instance profile and its environment, if it has others.
func (p *Provisioner) setIdentity(ctx context.Context, address string, i stack.Identity, current plan.Found) error {
	if profile := p.profile(i); profile != "" && profile != current.Value(stack.AttrProfile) {
		if err := p.setProfile(ctx, current.ID, profile); err != nil {
			return err
		}
	}
	env := p.environment(i)
	switch {
	case env == "" || env == current.Value(stack.AttrEnvironment):
		return nil
	case current.Value(stack.AttrBuilt) != stack.Yes: // the application is not there yet
		return p.tagEnvironment(ctx, current.ID, env)
	}
	return p.refresh(ctx, address, env, current)
}

func (p *Provisioner) tagEnvironment(ctx context.Context, id, env string) error {
	return awsapi.Wrap("mark the environment of instance "+id, p.tagInstance(ctx, id, tag{stack.TagEnvironment, env}))
}

// refresh restarts the application of a server with its new environment, while the load
// balancer sends the server no requests. From the first call on the tag says that the
// server's environment is not known, so that whoever continues restarts it as well. A
// server without a target gets one afterwards, by a change of its own.
func (p *Provisioner) refresh(ctx context.Context, address, env string, current plan.Found) error {
	if err := p.tagEnvironment(ctx, current.ID, stack.EnvironmentChanges); err != nil {
		return err
	}
	var t registration
	target, registered := p.Known(stack.TargetOf(address))
	if registered {
		var err error
		if t, err = registrationOf(target); err != nil {
			return err
		}
	}
	err := p.withSSH(ctx, current, func(m Machine) error {
		if registered {
			if err := p.takeOut(ctx, t, m); err != nil {
				return err
			}
		}
		p.progress(address, "restarting with environment %s", env)
		return p.Builder.Refresh(ctx, m, p.Events)
	})
	if err != nil {
		return err
	}
	if err := p.tagEnvironment(ctx, current.ID, env); err != nil || !registered {
		return err
	}
	if err := p.register(ctx, t); err != nil {
		return err
	}
	return p.awaitHealthy(ctx, t)
}

// takeOut deregisters a server and waits until it has finished its requests: until its
// deregistration delay ends or the server itself sees no connection any longer, whichever
// comes first. If the server cannot be asked, the delay decides.
func (p *Provisioner) takeOut(ctx context.Context, t registration, m Machine) error {
	if err := p.deregister(ctx, t); err != nil {
		return err
	}
	waiting, stop := context.WithCancel(ctx)
	defer stop()
	idle := make(chan error, 1)
	go func() {
		err := p.Builder.AwaitIdle(waiting, m)
		if err == nil {
			stop()
		}
		idle <- err
	}()
	err := p.awaitDrained(waiting, t)
	stop()
	if <-idle == nil {
		return nil
	}
	return err
}
