package machine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"aloft.dev/aloft/internal/cloud/plane/image"
)

// ErrNotFound tells that there is no such machine: it was never prepared, or removed.
var ErrNotFound = errors.New("there is no such machine")

// Config says where machines live.
type Config struct {
	Dir         string        // writable layers and console logs; outlives the host's next boot
	RunDir      string        // pinned namespaces, mounts and control sockets; gone with the host's next boot
	CgroupName  string        // of the cgroup that holds all machines
	Launcher    []string      // argv that starts RunLauncher, such as /proc/self/exe machine
	StopTimeout time.Duration // what a system may take to power off or restart before it is killed; 0 means 30 s
	Log         *slog.Logger
}

// Plane makes machines. Two planes must not share a Config at the same time; one
// after the other may: the next finds the machines of the one before.
type Plane struct {
	config      Config
	hierarchies hierarchies
	apt         []string // the host's own settings that apt needs to reach its archive

	mu        sync.Mutex
	locks     map[string]chan struct{} // one holder a machine
	launchers map[string]int           // launchers that this process started: machine to process id
	watches   map[*watch]struct{}
}

// New opens a plane. It makes its folders and nothing else.
func New(config Config) (*Plane, error) {
	if config.StopTimeout == 0 {
		config.StopTimeout = 30 * time.Second
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
	// Launchers are nobody on the host, and must reach their machine's root.
	if err := os.MkdirAll(config.RunDir, 0o711); err != nil {
		return nil, fmt.Errorf("create %s: %w", config.RunDir, err)
	}
	if err := makePrivate(config.RunDir); err != nil {
		return nil, err
	}
	p.apt = image.HostAptSettings(context.Background())
	return p, nil
}

// Close lets go of the plane and leaves the machines running. Where none runs,
// nothing of the plane is left in the kernel; disks stay.
func (p *Plane) Close() error {
	running, err := os.ReadDir(p.config.RunDir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("look for machines that run: %w", err)
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
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	return cgroup{hierarchies: p.hierarchies, name: p.config.CgroupName}.remove(ctx)
}

// lock waits until nobody else works on the machine, and returns what lets go.
func (p *Plane) lock(ctx context.Context, id string) (func(), error) {
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

// Prepare makes the namespaces and the root filesystem of a machine, in which
// nothing runs yet, and returns the path of its network namespace (for setns(2)).
// Done again it changes nothing; on a machine that was stopped, m counts anew.
func (p *Plane) Prepare(ctx context.Context, m Machine) (namespace string, err error) {
	if err := m.validate(); err != nil {
		return "", fmt.Errorf("prepare machine %s: %w", m.ID, err)
	}
	release, err := p.lock(ctx, m.ID)
	if err != nil {
		return "", err
	}
	defer release()
	if err := p.prepare(ctx, m); err != nil {
		return "", fmt.Errorf("prepare machine %s: %w", m.ID, err)
	}
	p.notifyWatches(m.ID)
	return p.namespace(m.ID), nil
}

func (p *Plane) prepare(ctx context.Context, m Machine) error {
	r, err := p.readRecord(m.ID)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	live, err := call(ctx, p.socket(m.ID), request{Do: opReport})
	if err != nil && !errors.Is(err, errNoLauncher) {
		return err
	}
	if err == nil && p.mounted(m.ID) {
		return nil
	}
	// Nothing, or the half of a preparation that was interrupted.
	if err := p.tearDown(ctx, m.ID); err != nil {
		return err
	}
	r.Machine = m
	if err := p.writeRecord(r); err != nil {
		return err
	}
	for _, dir := range []string{p.upper(m.ID), p.disk(m.ID) + "/work", p.root(m.ID)} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("create folders: %w", err)
		}
	}
	group := p.cgroup(m.ID)
	if err := group.create(m); err != nil {
		return err
	}
	live.PID, err = p.startLauncher(m, group)
	if err != nil {
		return err
	}
	return p.setUpLauncher(ctx, r, live.PID)
}

// setUpLauncher gives a new launcher what it needs of the host's root.
func (p *Plane) setUpLauncher(ctx context.Context, r record, pid int) error {
	id := r.Machine.ID
	// Some hosts keep CAP_SYS_RESOURCE even from root: their launchers take the risk.
	if err := writeFile(fmt.Sprintf("/proc/%d/oom_score_adj", pid), "-1000"); err != nil &&
		!errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("spare the launcher when memory runs out: %w", err)
	}
	if err := pinNamespace(fmt.Sprintf("/proc/%d/ns/net", pid), p.namespace(id)); err != nil {
		return err
	}
	if err := p.mountRoot(r, pid); err != nil {
		return err
	}
	if _, err := call(ctx, p.socket(id), request{Do: opReport}); err != nil {
		return err
	}
	return nil
}

func (p *Plane) mountRoot(r record, launcher int) error {
	users, err := unix.Open(fmt.Sprintf("/proc/%d/ns/user", launcher), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open the user namespace: %w", err)
	}
	defer func() { _ = unix.Close(users) }()
	id := r.Machine.ID
	return filesystem{
		layers:        r.layers(),
		disk:          p.disk(id),
		userNamespace: users,
		owner:         r.Machine.UIDBase,
		target:        p.root(id),
	}.mount()
}

// mounted tells whether all that Prepare mounts is mounted.
func (p *Plane) mounted(id string) bool {
	return mountedAs(p.namespace(id), nsfsMagic) && mountedAs(p.root(id), overlayMagic)
}

// tearDown frees what a machine has in the kernel, whatever is there of it. The
// writable layer stays.
func (p *Plane) tearDown(ctx context.Context, id string) error {
	// The launcher collects its PID 1, where an init of the host might not.
	brief, cancel := context.WithTimeout(ctx, reportTimeout)
	last, err := call(brief, p.socket(id), request{Do: opKill})
	cancel()
	if err != nil && !errors.Is(err, errNoLauncher) {
		p.config.Log.Warn("a launcher does not obey: kill it", "machine", id, "error", err)
	}
	group := p.cgroup(id)
	if err := group.kill(ctx); err != nil {
		return err
	}
	p.reap(id, last.PID)
	for _, path := range []string{p.root(id), p.namespace(id)} {
		if err := unmount(path); err != nil {
			return err
		}
	}
	if err := os.RemoveAll(p.runDir(id)); err != nil {
		return fmt.Errorf("remove %s: %w", p.runDir(id), err)
	}
	return group.remove(ctx)
}
