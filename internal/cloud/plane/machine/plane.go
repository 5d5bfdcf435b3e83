//go:build linux

package machine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"aloft.dev/aloft/internal/cloud/plane/image"
)

// ErrNotFound is returned for a machine that was never prepared or has been removed.
var ErrNotFound = errors.New("there is no such machine")

// ErrNoRoom is returned when the host's disk is too full.
var ErrNoRoom = fmt.Errorf("the host's disk is full: %w", unix.ENOSPC)

// Config configures a Plane.
type Config struct {
	Dir         string        // disks and console logs; survives a restart of the host
	RunDir      string        // pinned namespaces, mounts and control sockets; does not survive a restart of the host
	CgroupName  string        // the cgroup that contains all machines
	Launcher    []string      // argv that starts RunLauncher, such as /proc/self/exe machine
	Images      Images        // for Prepare only
	StopTimeout time.Duration // time for a system to power off or restart before it is killed; 0 means 30 s
	Log         *slog.Logger
}

// Plane runs machines. Two planes must not use the same Config at the same time. A plane
// opened after another was closed finds the other's machines.
type Plane struct {
	config      Config
	hierarchies hierarchies
	apt         []string // lines of apt.conf with which the host reaches its archive

	mu        sync.Mutex
	locks     map[string]chan struct{} // machine id to its lock, full while it is held
	launchers map[string]int           // machine id to the process id of a launcher that this process started
	watches   map[*watch]struct{}
}

// New opens a plane. It creates the plane's directories and thaws machines whose capture was
// interrupted, and does nothing else.
func New(config Config) (*Plane, error) {
	if config.StopTimeout == 0 {
		config.StopTimeout = defaultStopTimeout
	}
	p := &Plane{
		config:    config,
		locks:     map[string]chan struct{}{},
		launchers: map[string]int{},
		watches:   map[*watch]struct{}{},
	}
	var err error
	if p.hierarchies, err = findHierarchies(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(config.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("create %s: %w", config.Dir, err)
	}
	// Launchers run as nobody on the host and must reach their machine's root.
	if err := os.MkdirAll(config.RunDir, 0o711); err != nil {
		return nil, fmt.Errorf("create %s: %w", config.RunDir, err)
	}
	if err := makePrivate(config.RunDir); err != nil {
		return nil, err
	}
	p.endInterruptedCaptures()
	p.apt = image.HostAptSettings(context.Background())
	return p, nil
}

// Close closes the plane and leaves its machines running. If no machine is left in the
// kernel, Close removes the plane's mounts and cgroup too. Disks always remain.
func (p *Plane) Close() error {
	running, err := os.ReadDir(p.config.RunDir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("list running machines: %w", err)
	}
	if len(running) > 0 {
		return nil
	}
	if err := unmount(p.config.RunDir); err != nil {
		return err
	}
	if err := os.Remove(p.config.RunDir); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("remove %s: %w", p.config.RunDir, err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), cgroupRemovalTimeout)
	defer cancel()
	return cgroup{hierarchies: p.hierarchies, name: p.config.CgroupName}.remove(ctx)
}

// lock waits until it holds the machine's lock, and returns a function that releases it.
func (p *Plane) lock(ctx context.Context, id string) (unlock func(), err error) {
	p.mu.Lock()
	lock, ok := p.locks[id]
	if !ok {
		lock = make(chan struct{}, 1)
		p.locks[id] = lock
	}
	p.mu.Unlock()
	select {
	case lock <- struct{}{}:
		return func() { <-lock }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// withLock calls do while it holds the machine's lock. what is the name of the operation
// in errors.
func (p *Plane) withLock(ctx context.Context, id, what string, do func() error) error {
	if !validID.MatchString(id) {
		return fmt.Errorf("%s machine %q: %w", what, id, ErrNotFound)
	}
	unlock, err := p.lock(ctx, id)
	if err != nil {
		return err
	}
	defer unlock()
	if err := do(); err != nil {
		return fmt.Errorf("%s machine %s: %w", what, id, err)
	}
	return nil
}
