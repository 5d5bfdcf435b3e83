//go:build linux

package machine

import (
	"context"
	"errors"
	"fmt"
	"os"

	"aloft.dev/aloft/internal/cloud/plane/filetree"
)

// Boot starts the system of a prepared machine and returns when systemd runs as its PID 1.
// It does nothing if the machine runs. A machine that powered itself off starts again.
func (p *Plane) Boot(ctx context.Context, id string) error {
	return p.withLock(ctx, id, "boot", func() error { return p.boot(ctx, id) })
}

func (p *Plane) boot(ctx context.Context, id string) error {
	r, err := p.readRecord(id)
	if err != nil {
		return err
	}
	bundle := FindAuthorities(r.Machine.Env)
	_, err = call(ctx, p.socket(id), request{Do: opBoot, System: &system{
		Hostname: r.Machine.Hostname, Root: p.root(id), Devices: p.devices(id), InstanceID: id, Authorities: bundle,
		MemoryMiB: r.Machine.MemoryMiB,
		Files:     bootFiles(r.Machine, machineEnvironment(r.Machine.Env, bundle != ""), p.apt),
	}})
	return err
}

// Stop powers the machine off and removes everything it has in the kernel. Its disk
// remains: Prepare and Boot start it again. With force, or after Config.StopTimeout, Stop
// kills the system instead of shutting it down. If ctx ends the machine may be half way
// down; another Stop continues.
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

// halt powers the system off, and kills it after Config.StopTimeout. The namespaces remain.
func (p *Plane) halt(ctx context.Context, id string) error {
	if err := p.thaw(ctx, id); err != nil {
		return err
	}
	haltCtx, cancel := context.WithTimeout(ctx, p.config.StopTimeout)
	defer cancel()
	_, err := call(haltCtx, p.socket(id), request{Do: opHalt})
	if errors.Is(err, errNoLauncher) {
		return nil
	}
	if err != nil && haltCtx.Err() != nil && ctx.Err() == nil {
		p.config.Log.Warn("machine does not power off: kill it", "machine", id, "after", p.config.StopTimeout)
		_, err = call(ctx, p.socket(id), request{Do: opKill})
	}
	return err
}

// Reboot restarts the system with the same namespaces, network and disk, and returns when
// systemd runs again as its PID 1. It kills a system that does not restart within
// Config.StopTimeout. A disk that has become read-only, because the host's was full, can be
// written to again.
func (p *Plane) Reboot(ctx context.Context, id string) error {
	return p.withLock(ctx, id, "reboot", func() error {
		if err := p.thaw(ctx, id); err != nil {
			return err
		}
		if isReadOnly(p.root(id)) {
			return p.remount(ctx, id)
		}
		rebootCtx, cancel := context.WithTimeout(ctx, p.config.StopTimeout)
		defer cancel()
		_, err := call(rebootCtx, p.socket(id), request{Do: opReboot})
		if err != nil && rebootCtx.Err() != nil && ctx.Err() == nil {
			p.config.Log.Warn("machine does not restart: reset it", "machine", id, "after", p.config.StopTimeout)
			_, err = call(ctx, p.socket(id), request{Do: opReset})
		}
		return err
	})
}

// remount restarts the system with a root filesystem that is mounted again.
func (p *Plane) remount(ctx context.Context, id string) error {
	r, err := p.readRecord(id)
	if err != nil {
		return err
	}
	launcher := p.Status(id).Launcher // a machine without its root filesystem counts as absent
	if err := p.halt(ctx, id); err != nil {
		return err
	}
	if err := p.unmountRoot(id, launcher); err != nil {
		return err
	}
	if err := p.mountRoot(r, launcher); err != nil {
		return err
	}
	return p.boot(ctx, id)
}

// Remove kills the machine and deletes its disk. Removing an absent machine is no error.
func (p *Plane) Remove(ctx context.Context, id string) error {
	return p.withLock(ctx, id, "remove", func() error {
		if err := p.tearDown(ctx, id); err != nil {
			return err
		}
		if err := filetree.Remove(ctx, p.dir(id)); err != nil {
			return fmt.Errorf("delete its disk: %w", err)
		}
		p.notifyWatches(id)
		return nil
	})
}

// Freeze suspends every process of the machine, which then behaves like one that hangs.
func (p *Plane) Freeze(ctx context.Context, id string) error {
	return p.withLock(ctx, id, "freeze", func() error { return p.cgroup(id).setFrozen(ctx, true) })
}

// Thaw resumes a frozen machine.
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

// Console returns the last 64 KiB of the machine's console output, of all its boots.
func (p *Plane) Console(id string) ([]byte, error) {
	if !validID.MatchString(id) || !exists(p.dir(id)) {
		return nil, fmt.Errorf("console of machine %s: %w", id, ErrNotFound)
	}
	return readConsoleTail(p.consoleLog(id))
}
