//go:build linux && root

package machine_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/image"
	"aloft.dev/aloft/internal/cloud/plane/machine"
)

const launcherArgument = "aloft-test-launcher"

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == launcherArgument {
		os.Exit(machine.RunLauncher(os.Args[2:]))
	}
	if len(os.Args) > 1 && os.Args[1] == captureArgument {
		os.Exit(captureAndHang(os.Args[2:]))
	}
	os.Exit(m.Run())
}

// fixture is a plane for one test, which is removed after it.
type fixture struct {
	*testing.T
	plane  *machine.Plane
	config machine.Config
	images *image.Store
	base   string // directory of the base layer
}

// openBase returns the directory of a base layer, which is built once on this host and
// shared by all tests.
func openBase(t *testing.T, name string) string {
	t.Helper()
	cache := os.Getenv("ALOFT_TEST_CACHE")
	if cache == "" {
		cache = "/var/cache/aloft-test"
	}
	store, err := image.Open(cache)
	if err != nil {
		t.Fatal(err)
	}
	layer, err := store.EnsureBase(t.Context(), name, func(stage string, fraction float64) {
		t.Logf("base image: %3.0f%% completed, next: %s", fraction*100, stage)
	})
	if err != nil {
		t.Fatal(err)
	}
	return store.Path(layer)
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	return newFixtureOn(t, image.Debian12)
}

// newFixtureOn returns a fixture whose machines start from a base image.
func newFixtureOn(t *testing.T, name string) *fixture {
	t.Helper()
	base := openBase(t, name)
	state, err := os.MkdirTemp("/tmp", "aloft-machine-")
	if err != nil {
		t.Fatal(err)
	}
	images, err := image.Open(filepath.Join(state, "images"))
	if err != nil {
		t.Fatal(err)
	}
	name = filepath.Base(state)
	s := &fixture{T: t, images: images, base: base, config: machine.Config{
		Dir: filepath.Join(state, "machines"), RunDir: filepath.Join("/run", name), CgroupName: name,
		Images: images, Launcher: []string{"/proc/self/exe", launcherArgument}, StopTimeout: 20 * time.Second,
		Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	}}
	s.plane = s.reopen()
	t.Cleanup(func() {
		s.removeAll()
		s.assertNothingLeft(name)
		if err := os.RemoveAll(state); err != nil {
			t.Error(err)
		}
	})
	return s
}

// reopen opens the plane again, as the next daemon does.
func (s *fixture) reopen() *machine.Plane {
	s.Helper()
	plane, err := machine.New(s.config)
	if err != nil {
		s.Fatal(err)
	}
	return plane
}

func (s *fixture) removeAll() {
	s.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for _, id := range s.plane.List() {
		if s.Failed() {
			console, _ := s.plane.Console(id)
			s.Logf("console of %s:\n%s", id, console)
			log, _ := os.ReadFile(filepath.Join(s.config.Dir, id, "launcher.log"))
			s.Logf("launcher of %s: %s", id, log)
		}
		if err := s.plane.Remove(ctx, id); err != nil {
			s.Error(err)
		}
	}
	if err := s.plane.Close(); err != nil {
		s.Error(err)
	}
}

// assertNothingLeft asserts that no mount, disk, directory, cgroup or process of the plane is left.
// name is part of all their names.
func (s *fixture) assertNothingLeft(name string) {
	s.Helper()
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		s.Fatal(err)
	}
	for line := range strings.Lines(string(mounts)) {
		if strings.Contains(line, name) {
			s.Errorf("mount left: %s", line)
		}
	}
	s.eventually("no loop device has a disk", 20*time.Second, func() bool {
		out, err := exec.Command("losetup", "--list", "--noheadings", "--output", "BACK-FILE").CombinedOutput()
		return err == nil && !strings.Contains(string(out), name)
	})
	for _, pattern := range []string{
		"/run/" + name, "/sys/fs/cgroup/" + name, "/sys/fs/cgroup/*/" + name, s.config.Dir + "/*",
	} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			s.Fatal(err)
		}
		for _, path := range found {
			s.Errorf("file left: %s", path)
		}
	}
	for _, uid := range []uint32{uidBase(1), uidBase(2), uidBase(3)} {
		// The host's init reaps processes that lost their launcher at some later time.
		s.eventually(fmt.Sprintf("no process of uid %d is left", uid), 20*time.Second, func() bool {
			return exec.Command("ps", "-U", fmt.Sprint(uid)).Run() != nil
		})
	}
}

func uidBase(n int) uint32 { return 0x50000000 + uint32(n)<<16 }

// machine returns the description of the nth machine. layers are added to the base layer.
func (s *fixture) machine(n int, layers ...string) machine.Machine {
	return machine.Machine{
		ID:           fmt.Sprintf("i-%017x", n),
		Hostname:     fmt.Sprintf("ip-10-0-1-%d", n),
		Layers:       append([]string{s.base}, layers...),
		VCPUs:        1,
		MemoryMiB:    512,
		DiskGiB:      8,
		UIDBase:      uidBase(n),
		Nameservers:  []netip.Addr{netip.MustParseAddr("169.254.169.253")},
		SearchDomain: "ec2.internal",
		Env:          map[string]string{"https_proxy": "http://proxy.example:3128"},
	}
}

// launch prepares a machine, starts its metadata service and boots it.
func (s *fixture) launch(m machine.Machine, metadata map[string]string) {
	s.Helper()
	namespace, err := s.plane.Prepare(s.Context(), m)
	if err != nil {
		s.Fatal(err)
	}
	serveMetadata(s.T, namespace, metadata)
	if err := s.plane.Boot(s.Context(), m.ID); err != nil {
		s.Fatal(err)
	}
}

// awaitSSH waits until the machine's sshd answers.
func (s *fixture) awaitSSH(id string) {
	s.Helper()
	namespace := s.plane.Status(id).Namespace
	s.eventually("sshd answers", 20*time.Second, func() bool {
		return strings.HasPrefix(sshBanner(namespace), "SSH-2.0-OpenSSH")
	})
}

// bootFully launches a machine and waits until its systemd has started everything.
func (s *fixture) bootFully(m machine.Machine) {
	s.Helper()
	s.launch(m, metadataOf(m))
	s.awaitSystem(m.ID)
}

// awaitSystem waits until the machine's systemd has started everything.
func (s *fixture) awaitSystem(id string) {
	s.Helper()
	s.awaitSSH(id)
	if state, _ := s.run(id, "systemctl", "is-system-running", "--wait"); state != "running" {
		failed, _ := s.run(id, "systemctl", "--failed", "--no-legend")
		s.Fatalf("the system of %s is %q: %s", id, state, failed)
	}
}

// expectOutput asserts the output of commands in a machine: command to output.
func (s *fixture) expectOutput(id string, wanted map[string]string) {
	s.Helper()
	for command, want := range wanted {
		if got, _ := s.run(id, "sh", "-c", command); got != want {
			s.Errorf("%s\n got %q\nwant %q", command, got, want)
		}
	}
}

// run runs a command in the machine as its root and returns its output without surrounding
// white space.
func (s *fixture) run(id string, command ...string) (string, error) {
	s.Helper()
	args := []string{
		"--target", fmt.Sprint(s.plane.Status(id).PID), "--user", "--pid", "--mount", "--uts", "--ipc", "--net",
		"--cgroup", "--setuid=0", "--setgid=0", "--wdns=/", "--",
	}
	ctx, cancel := context.WithTimeout(s.Context(), 20*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "nsenter", append(args, command...)...)
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin"}
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

// inside runs a shell command as a service of the machine, and returns its output. Unlike a
// command of run it is a descendant of the machine's PID 1, with whatever that was denied.
func (s *fixture) inside(id, command string) (string, error) {
	s.Helper()
	return s.run(id, "systemd-run", "--wait", "--pipe", "--quiet", "sh", "-c", command)
}

func (s *fixture) mustRun(id string, command ...string) string {
	s.Helper()
	out, err := s.run(id, command...)
	if err != nil {
		s.Fatalf("%v in %s: %v: %s", command, id, err, out)
	}
	return out
}

// eventually waits until the condition holds.
func (s *fixture) eventually(what string, within time.Duration, holds func() bool) {
	s.Helper()
	deadline := time.After(within)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-deadline:
			s.Fatalf("did not happen within %v: %s", within, what)
		case <-tick.C:
		}
	}
}

// awaitStatus waits until the machine's status satisfies holds, and returns it.
func (s *fixture) awaitStatus(what string, id string, holds func(machine.Status) bool) machine.Status {
	s.Helper()
	var last machine.Status
	defer func() {
		if s.Failed() {
			s.Logf("last status: %+v", last)
		}
	}()
	s.eventually(what, 20*time.Second, func() bool { last = s.plane.Status(id); return holds(last) })
	return last
}
