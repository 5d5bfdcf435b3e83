//go:build root

package network

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"aloft.dev/aloft/internal/cloud/plane/firewall"
)

// silenceTimeout is how long a test waits before it believes that nothing answers. An
// answer within these networks takes less than a millisecond.
const silenceTimeout = 400 * time.Millisecond

// site is a local cloud's network that is gone after the test. Namespaces stand
// in for machines; they have no way to the world but the one under test.
type site struct {
	testing.TB
	cfg    PlaneConfig
	plane  *Plane
	folder string
	stop   func()
}

func openSite(t testing.TB, change ...func(*PlaneConfig)) *site {
	t.Helper()
	folder, err := os.MkdirTemp("/run", "aloft-net-")
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Base(folder)
	s := &site{TB: t, folder: folder, cfg: PlaneConfig{
		RunDir: filepath.Join(
			folder,
			"network",
		), Name: "t" + name[len(name)-5:], PublicRange: netip.MustParsePrefix("203.0.113.0/24"),
		Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	}}
	for _, c := range change {
		c(&s.cfg)
	}
	s.open()
	t.Cleanup(func() {
		if err := s.plane.Remove(context.Background()); err != nil {
			t.Error(err)
		}
		s.stop()
		entries, _ := os.ReadDir(filepath.Join(folder, "machines"))
		for _, entry := range entries {
			if err := unpin(filepath.Join(folder, "machines", entry.Name())); err != nil {
				t.Error(err)
			}
		}
		s.assertNothingLeft()
		if err := os.RemoveAll(folder); err != nil {
			t.Error(err)
		}
	})
	return s
}

// open makes a plane as a daemon that starts does.
func (s *site) open() {
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

// reopen ends the plane and makes another, as when a daemon is replaced.
func (s *site) reopen() {
	s.Helper()
	s.stop()
	s.open()
}

func (s *site) assertNothingLeft() {
	s.Helper()
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		s.Fatal(err)
	}
	if strings.Contains(string(mounts), s.cfg.RunDir) {
		s.Error("left: a mount below " + s.cfg.RunDir)
	}
	if _, err := os.Stat(s.cfg.RunDir); !errors.Is(err, os.ErrNotExist) {
		s.Errorf("left: %s (%v)", s.cfg.RunDir, err)
	}
	links, err := netlink.LinkList()
	if err != nil {
		s.Fatal(err)
	}
	for _, link := range links {
		if strings.HasPrefix(link.Attrs().Name, s.cfg.Name) {
			s.Errorf("left: device %s", link.Attrs().Name)
		}
	}
	routes, err := netlink.RouteList(nil, netlink.FAMILY_V4)
	if err != nil {
		s.Fatal(err)
	}
	for _, r := range routes {
		if r.Dst != nil && r.Dst.String() == s.cfg.PublicRange.String() {
			s.Errorf("left: route %s", r)
		}
	}
}

func (s *site) set(vpcs ...VPC) {
	s.Helper()
	if err := s.plane.Set(s.Context(), Config{VPCs: vpcs}); err != nil {
		s.Fatal(err)
	}
}

// machine gives the namespace of a machine, with servers that greet by its name.
func (s *site) machine(name string, ports ...uint16) string {
	s.Helper()
	path := filepath.Join(s.folder, "machines", name)
	if err := pin(path); err != nil {
		s.Fatal(err)
	}
	for _, port := range ports {
		s.serveGreeting(path, netip.AddrPortFrom(netip.IPv4Unspecified(), port), name)
	}
	return path
}

// serveGreeting answers each connection with a line and then repeats what it hears.
func (s *site) serveGreeting(path string, at netip.AddrPort, greeting string) {
	s.Helper()
	listener, err := ListenIn(path, at)
	if err != nil {
		s.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			s.Cleanup(func() { _ = conn.Close() })
			running.Go(func() {
				defer func() { _ = conn.Close() }()
				from, _, _ := net.SplitHostPort(conn.RemoteAddr().String())
				fmt.Fprintf(conn, "%s to %s\n", greeting, from)
				for lines := bufio.NewScanner(conn); lines.Scan(); {
					fmt.Fprintln(conn, lines.Text())
				}
			})
		}
	})
	s.Cleanup(func() { _ = listener.Close(); running.Wait() })
}

// dial opens a connection and reads the greeting.
func (s *site) dial(from, to string) (net.Conn, string, error) {
	ctx, cancel := context.WithTimeout(s.Context(), silenceTimeout)
	defer cancel()
	conn, err := DialIn(ctx, from, netip.MustParseAddrPort(to))
	if err != nil {
		return nil, "", err
	}
	s.Cleanup(func() { _ = conn.Close() })
	greeting, err := s.readLine(conn)
	return conn, greeting, err
}

func (s *site) readLine(conn net.Conn, patience ...time.Duration) (string, error) {
	if err := conn.SetReadDeadline(time.Now().Add(append(patience, silenceTimeout)[0])); err != nil {
		return "", err
	}
	line, err := bufio.NewReader(conn).ReadString('\n')
	return strings.TrimSuffix(line, "\n"), err
}

// assertAnswers asserts that the greeting comes, and returns it.
func (s *site) assertAnswers(from, to, want string) net.Conn {
	s.Helper()
	conn, got, err := s.dial(from, to)
	if err != nil || !strings.HasPrefix(got, want) {
		s.Fatalf("%s to %s: %q, %v; want %q", filepath.Base(from), to, got, err, want)
	}
	return conn
}

// assertSilent asserts that a connection is neither taken nor refused.
func (s *site) assertSilent(from, to string) {
	s.Helper()
	conn, _, err := s.dial(from, to)
	if err == nil || conn != nil ||
		!errors.Is(err, os.ErrDeadlineExceeded) && !errors.Is(err, context.DeadlineExceeded) {
		s.Fatalf("%s to %s: %v; want silence", filepath.Base(from), to, err)
	}
}

// assertRefused asserts that a connection is refused by the far end itself.
func (s *site) assertRefused(from, to string) {
	s.Helper()
	if _, _, err := s.dial(from, to); !errors.Is(err, unix.ECONNREFUSED) {
		s.Fatalf("%s to %s: %v; want it refused", filepath.Base(from), to, err)
	}
}

// assertAlive asserts that a connection still carries data.
func (s *site) assertAlive(conn net.Conn) {
	s.Helper()
	fmt.Fprintln(conn, "still there?")
	if got, err := s.readLine(conn); got != "still there?" {
		s.Fatalf("the connection is dead: %q, %v", got, err)
	}
}

// assertDead asserts that a connection carries nothing, and has not been ended.
func (s *site) assertDead(conn net.Conn) {
	s.Helper()
	fmt.Fprintln(conn, "still there?")
	if got, err := s.readLine(conn); !errors.Is(err, os.ErrDeadlineExceeded) {
		s.Fatalf("the connection is not silent: %q, %v", got, err)
	}
}

var (
	world = netip.MustParsePrefix("0.0.0.0/0")
	open  = firewall.SecurityGroup{ID: "sg-open", Ingress: []firewall.Rule{all(world)}, Egress: []firewall.Rule{all(world)}}
)

func all(from netip.Prefix) firewall.Rule {
	return firewall.Rule{Protocol: "-1", FromPort: -1, ToPort: -1, CIDR: from}
}

func tcp(port int, from string) firewall.Rule {
	return firewall.Rule{Protocol: "tcp", FromPort: port, ToPort: port, CIDR: netip.MustParsePrefix(from)}
}

// vpc is 10.0.0.0/16 with two subnets, open to all and without a gateway.
func vpc(id string, interfaces ...Interface) VPC {
	local := []Route{{Destination: netip.MustParsePrefix("10.0.0.0/16"), Via: Local}}
	return VPC{
		ID: id, Region: "us-east-1", CIDR: netip.MustParsePrefix("10.0.0.0/16"), DNSSupport: true,
		Subnets: []Subnet{
			{ID: "subnet-a" + id, CIDR: netip.MustParsePrefix("10.0.1.0/24"), Routes: local},
			{ID: "subnet-b" + id, CIDR: netip.MustParsePrefix("10.0.2.0/24"), Routes: local},
		},
		Interfaces: interfaces, SecurityGroups: []firewall.SecurityGroup{open},
	}
}

// online gives the VPC a gateway and its subnets a route to it.
func online(v VPC) VPC {
	v.Gateway = true
	v.Subnets = append([]Subnet(nil), v.Subnets...)
	for i := range v.Subnets {
		v.Subnets[i].Routes = append(
			append([]Route(nil), v.Subnets[i].Routes...),
			Route{Destination: world, Via: Gateway},
		)
	}
	return v
}

// nic is an interface in the subnet that its address is of (10.0.1.x: a, 10.0.2.x: b).
func nic(vpc, private, namespace string, groups ...string) Interface {
	addr := netip.MustParseAddr(private)
	b := addr.As4()
	if len(groups) == 0 {
		groups = []string{open.ID}
	}
	return Interface{
		ID: "eni-" + vpc + private, SubnetID: "subnet-" + string('a'+rune(b[2])-1) + vpc, MAC: net.HardwareAddr{2, 0, b[0], b[1], b[2], b[3]},
		Private: addr, SecurityGroups: groups, Namespace: namespace, SourceDestCheck: true,
	}
}

func public(i Interface, addr string) Interface {
	i.Public = netip.MustParseAddr(addr)
	return i
}
