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
	return p.withLock(ctx, id, "boot", func() error { return p.boot(ctx, id) })
}

func (p *Plane) boot(ctx context.Context, id string) error {
	r, err := p.readRecord(id)
	if err != nil {
		return err
	}
	bundle := findAuthorities(r.Machine.Env)
	_, err = call(ctx, p.socket(id), request{Do: opBoot, System: &system{
		Hostname: r.Machine.Hostname, Root: p.root(id), InstanceID: id, Authorities: bundle,
		Files: bootFiles(r.Machine, machineEnvironment(r.Machine.Env, bundle != ""), p.apt),
	}})
	return err
}

// withLock does something to a machine that nobody else works on.
func (p *Plane) withLock(ctx context.Context, id, what string, do func() error) error {
	if !validID.MatchString(id) {
		return fmt.Errorf("%s machine %q: %w", what, id, ErrNotFound)
	}
	release, err := p.lock(ctx, id)
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
	return p.withLock(ctx, id, "stop", func() error {
		if !force {
			if err := p.halt(ctx, id); err != nil {
				return err
			}
		}
		if err := p.tearDown(ctx, id); err != nil {
			return err
		}
		p.notifyWatches(id)
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
	_, err := call(patient, p.socket(id), request{Do: opHalt})
	if errors.Is(err, errNoLauncher) {
		return nil
	}
	if err != nil && patient.Err() != nil && ctx.Err() == nil {
		p.config.Log.Warn("a machine does not power off: kill it", "machine", id, "after", p.config.StopTimeout)
		_, err = call(ctx, p.socket(id), request{Do: opKill})
	}
	return err
}

// Reboot restarts the system in the same namespaces, with network and disk as they
// are, and returns when the new systemd has taken over.
func (p *Plane) Reboot(ctx context.Context, id string) error {
	return p.withLock(ctx, id, "reboot", func() error {
		if err := p.thaw(ctx, id); err != nil {
			return err
		}
		patient, cancel := context.WithTimeout(ctx, p.config.StopTimeout)
		defer cancel()
		_, err := call(patient, p.socket(id), request{Do: opReboot})
		if err != nil && patient.Err() != nil && ctx.Err() == nil {
			p.config.Log.Warn("a machine does not restart: reset it", "machine", id, "after", p.config.StopTimeout)
			_, err = call(ctx, p.socket(id), request{Do: opReset})
		}
		return err
	})
}

// Remove ends the machine without ceremony and deletes its disk. Removing what is
// not there is no error.
func (p *Plane) Remove(ctx context.Context, id string) error {
	return p.withLock(ctx, id, "remove", func() error {
		if err := p.tearDown(ctx, id); err != nil {
			return err
		}
		if err := os.RemoveAll(p.dir(id)); err != nil {
			return fmt.Errorf("delete its disk: %w", err)
		}
		p.notifyWatches(id)
		return nil
	})
}

// Freeze stops every process of the machine where it is: a machine that hangs.
func (p *Plane) Freeze(ctx context.Context, id string) error {
	return p.withLock(ctx, id, "freeze", func() error { return p.cgroup(id).setFrozen(ctx, true) })
}

// Thaw lets a frozen machine go on.
func (p *Plane) Thaw(ctx context.Context, id string) error {
	return p.withLock(ctx, id, "thaw", func() error { return p.thaw(ctx, id) })
}

func (p *Plane) thaw(ctx context.Context, id string) error {
	err := p.cgroup(id).setFrozen(ctx, false)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

// Console returns the last 64 KiB of what the machine wrote on its console, over
// all its boots.
func (p *Plane) Console(id string) ([]byte, error) {
	if !validID.MatchString(id) || !exists(p.dir(id)) {
		return nil, fmt.Errorf("console of machine %s: %w", id, ErrNotFound)
	}
	return readConsoleTail(p.consoleLog(id))
}
