package machine

import (
	"context"
	"errors"
	"fmt"
	"os"
)

// Boot starts the system of a prepared machine and returns when systemd has taken
// over. A machine that runs is left alone; one that powered itself off starts again.
func (p *Plane) Boot(ctx context.Context, id string) error {
	return p.on(ctx, id, "boot", func() error { return p.boot(ctx, id) })
}

func (p *Plane) boot(ctx context.Context, id string) error {
	r, err := p.readRecord(id)
	if err != nil {
		return err
	}
	bundle := authorities(r.Machine.Env)
	_, err = call(ctx, p.socket(id), request{Do: doBoot, System: &system{
		Hostname: r.Machine.Hostname, Root: p.root(id), InstanceID: id, Authorities: bundle,
		Files: furniture(r.Machine, environment(r.Machine.Env, bundle != ""), p.apt),
	}})
	return err
}

// on does something to a machine that nobody else works on.
func (p *Plane) on(ctx context.Context, id, what string, do func() error) error {
	if !validID.MatchString(id) {
		return fmt.Errorf("%s machine %q: %w", what, id, ErrUnknown)
	}
	release, err := p.hold(ctx, id)
	if err != nil {
		return err
	}
	defer release()
	if err := do(); err != nil {
		return fmt.Errorf("%s machine %s: %w", what, id, err)
	}
	return nil
}

// Stop powers the machine off, in order unless forced or unless it takes too long,
// and frees all that it has in the kernel. Its disk stays: Prepare and Boot start
// it again. When ctx ends the machine may be half way down; Stop again goes on.
func (p *Plane) Stop(ctx context.Context, id string, force bool) error {
	return p.on(ctx, id, "stop", func() error {
		if !force {
			if err := p.halt(ctx, id); err != nil {
				return err
			}
		}
		if err := p.clear(ctx, id); err != nil {
			return err
		}
		p.announce(id)
		return nil
	})
}

// halt powers the system off and leaves the namespaces as they are. Who does not
// comply in time is killed.
func (p *Plane) halt(ctx context.Context, id string) error {
	if err := p.thaw(ctx, id); err != nil {
		return err
	}
	patient, cancel := context.WithTimeout(ctx, p.config.StopTimeout)
	defer cancel()
	_, err := call(patient, p.socket(id), request{Do: doHalt})
	if errors.Is(err, errNoLauncher) {
		return nil
	}
	if err != nil && patient.Err() != nil && ctx.Err() == nil {
		p.config.Log.Warn("a machine does not power off: kill it", "machine", id, "after", p.config.StopTimeout)
		_, err = call(ctx, p.socket(id), request{Do: doKill})
	}
	return err
}

// Reboot restarts the system in the same namespaces, with network and disk as they
// are, and returns when the new systemd has taken over.
func (p *Plane) Reboot(ctx context.Context, id string) error {
	return p.on(ctx, id, "reboot", func() error {
		if err := p.thaw(ctx, id); err != nil {
			return err
		}
		patient, cancel := context.WithTimeout(ctx, p.config.StopTimeout)
		defer cancel()
		_, err := call(patient, p.socket(id), request{Do: doReboot})
		if err != nil && patient.Err() != nil && ctx.Err() == nil {
			p.config.Log.Warn("a machine does not restart: reset it", "machine", id, "after", p.config.StopTimeout)
			_, err = call(ctx, p.socket(id), request{Do: doReset})
		}
		return err
	})
}

// Remove ends the machine without ceremony and deletes its disk. Removing what is
// not there is no error.
func (p *Plane) Remove(ctx context.Context, id string) error {
	return p.on(ctx, id, "remove", func() error {
		if err := p.clear(ctx, id); err != nil {
			return err
		}
		if err := os.RemoveAll(p.dir(id)); err != nil {
			return fmt.Errorf("delete its disk: %w", err)
		}
		p.announce(id)
		return nil
	})
}

// Freeze stops every process of the machine where it is: a machine that hangs.
func (p *Plane) Freeze(ctx context.Context, id string) error {
	return p.on(ctx, id, "freeze", func() error { return p.cgroup(id).freeze(ctx, true) })
}

// Thaw lets a frozen machine go on.
func (p *Plane) Thaw(ctx context.Context, id string) error {
	return p.on(ctx, id, "thaw", func() error { return p.thaw(ctx, id) })
}

func (p *Plane) thaw(ctx context.Context, id string) error {
	err := p.cgroup(id).freeze(ctx, false)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

// Console returns the last 64 KiB of what the machine wrote on its console, over
// all its boots.
func (p *Plane) Console(id string) ([]byte, error) {
	if !validID.MatchString(id) || !exists(p.dir(id)) {
		return nil, fmt.Errorf("console of machine %s: %w", id, ErrUnknown)
	}
	return readConsole(p.consoleLog(id))
}
