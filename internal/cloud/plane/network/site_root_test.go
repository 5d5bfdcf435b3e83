//go:build linux && root

package network

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/vishvananda/netlink"

	"aloft.dev/aloft/internal/cloud/plane/egress"
	"aloft.dev/aloft/internal/cloud/plane/egress/process"
	linklocal "aloft.dev/aloft/internal/cloud/plane/linklocal/process"
)

// hostNamespace is the path of the host's network namespace.
const hostNamespace = "/proc/self/ns/net"

// site is a local cloud's network that is removed after the test. Namespaces stand in for
// machines. They have no other network than the one under test.
type site struct {
	testing.TB
	cfg   PlaneConfig
	plane *Plane
	dir   string
	stop  func()
}

// These arguments make the test binary a process of the plane.
const (
	egressArgument    = "run-the-egress"
	linkLocalArgument = "run-the-linklocal"
)

// TestMain lets the test binary be a process of the plane.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case egressArgument:
			os.Exit(process.Run(os.Args[2:], os.Stderr))
		case linkLocalArgument:
			os.Exit(linklocal.Run(os.Args[2:], os.Stderr))
		}
	}
	os.Exit(m.Run())
}

// newSite creates a site and starts its plane.
func newSite(t testing.TB, change ...func(*PlaneConfig)) *site {
	t.Helper()
	dir, err := os.MkdirTemp("/run", "aloft-net-")
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Base(dir)
	s := &site{TB: t, dir: dir, cfg: PlaneConfig{
		RunDir: filepath.Join(dir, "network"), Name: "t" + name[len(name)-5:],
		PublicRange: netip.MustParsePrefix("203.0.113.0/24"), IPv6Range: netip.MustParsePrefix("2001:db8:7e57::/48"),
		Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	}}
	s.cfg.Egress = egress.NewClient(
		filepath.Join(dir, "egress"), []string{os.Args[0], egressArgument}, os.Stderr, s.cfg.Log)
	for _, c := range change {
		c(&s.cfg)
	}
	s.startPlane()
	t.Cleanup(func() {
		if err := s.plane.Remove(context.Background()); err != nil {
			t.Error(err)
		}
		s.stop()
		entries, _ := os.ReadDir(filepath.Join(dir, "machines"))
		for _, entry := range entries {
			if err := unpin(filepath.Join(dir, "machines", entry.Name())); err != nil {
				t.Error(err)
			}
		}
		s.assertNothingLeft()
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return s
}

// startPlane creates and runs a plane, as a daemon does when it starts.
func (s *site) startPlane() {
	s.Helper()
	plane, err := New(s.cfg)
	if err != nil {
		s.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := plane.Run(ctx); err != nil {
			s.Error(err)
		}
	})
	s.plane = plane
	s.stop = func() {
		cancel()
		running.Wait()
		if err := plane.Close(); err != nil {
			s.Error(err)
		}
	}
}

// restartPlane stops the plane and starts another, as when a daemon is replaced.
func (s *site) restartPlane() {
	s.Helper()
	s.stop()
	s.startPlane()
}

// assertNothingLeft asserts that no mount, directory, device or route of the plane is left.
func (s *site) assertNothingLeft() {
	s.Helper()
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		s.Fatal(err)
	}
	if strings.Contains(string(mounts), s.cfg.RunDir) {
		s.Error("a mount is left below " + s.cfg.RunDir)
	}
	if _, err := os.Stat(s.cfg.RunDir); !errors.Is(err, os.ErrNotExist) {
		s.Errorf("%s is left (%v)", s.cfg.RunDir, err)
	}
	links, err := netlink.LinkList()
	if err != nil {
		s.Fatal(err)
	}
	for _, link := range links {
		if strings.HasPrefix(link.Attrs().Name, s.cfg.Name) {
			s.Errorf("device %s is left", link.Attrs().Name)
		}
	}
	routes, err := netlink.RouteList(nil, netlink.FAMILY_ALL)
	if err != nil {
		s.Fatal(err)
	}
	for _, r := range routes {
		if to := prefixOf(r.Dst); to == s.cfg.PublicRange || to == s.cfg.IPv6Range {
			s.Errorf("route %s is left", r)
		}
	}
}

// set brings the network to the VPCs.
func (s *site) set(vpcs ...VPC) {
	s.Helper()
	if err := s.plane.Set(s.Context(), Config{VPCs: vpcs}); err != nil {
		s.Fatal(err)
	}
}
