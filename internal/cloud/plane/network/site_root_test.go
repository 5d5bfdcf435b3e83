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

// silenceTimeout is how long a test waits before it concludes that nothing answers. A
// response within these networks takes less than a millisecond.
const silenceTimeout = 400 * time.Millisecond

// site is a local cloud's network that is removed after the test. Namespaces stand in for
// machines. They have no other network than the one under test.
type site struct {
	testing.TB
	cfg   PlaneConfig
	plane *Plane
	dir   string
	stop  func()
}

func newSite(t testing.TB, change ...func(*PlaneConfig)) *site {
	t.Helper()
	folder, err := os.MkdirTemp("/run", "aloft-net-")
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Base(folder)
	s := &site{TB: t, dir: folder, cfg: PlaneConfig{
		RunDir: filepath.Join(
			folder,
			"network",
		), Name: "t" + name[len(name)-5:], PublicRange: netip.MustParsePrefix("203.0.113.0/24"),
		Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	}}
	for _, c := range change {
		c(&s.cfg)
	}
	s.startPlane()
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
	routes, err := netlink.RouteList(nil, netlink.FAMILY_V4)
	if err != nil {
		s.Fatal(err)
	}
	for _, r := range routes {
		if r.Dst != nil && r.Dst.String() == s.cfg.PublicRange.String() {
			s.Errorf("route %s is left", r)
		}
	}
}

func (s *site) set(vpcs ...VPC) {
	s.Helper()
	if err := s.plane.Set(s.Context(), Config{VPCs: vpcs}); err != nil {
		s.Fatal(err)
	}
}

// machine returns the path of a machine's namespace. Servers on the ports greet with its
// name.
func (s *site) machine(name string, ports ...uint16) string {
	s.Helper()
	path := filepath.Join(s.dir, "machines", name)
	if err := pin(path); err != nil {
		s.Fatal(err)
	}
	for _, port := range ports {
		s.serveGreeting(path, netip.AddrPortFrom(netip.IPv4Unspecified(), port), name)
	}
	return path
}

// serveGreeting sends each connection a line and then echoes its lines.
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

// dial opens a connection from a namespace and reads the greeting.
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

func (s *site) readLine(conn net.Conn, timeout ...time.Duration) (string, error) {
	if err := conn.SetReadDeadline(time.Now().Add(append(timeout, silenceTimeout)[0])); err != nil {
		return "", err
	}
	line, err := bufio.NewReader(conn).ReadString('\n')
	return strings.TrimSuffix(line, "\n"), err
}

// assertAnswers asserts that the greeting starts with want, and returns the connection.
func (s *site) assertAnswers(from, to, want string) net.Conn {
	s.Helper()
	conn, got, err := s.dial(from, to)
	if err != nil || !strings.HasPrefix(got, want) {
		s.Fatalf("%s to %s: got %q, %v; want %q", filepath.Base(from), to, got, err, want)
	}
	return conn
}

// assertSilent asserts that a connection is neither accepted nor refused.
func (s *site) assertSilent(from, to string) {
	s.Helper()
	conn, _, err := s.dial(from, to)
	if err == nil || conn != nil ||
		!errors.Is(err, os.ErrDeadlineExceeded) && !errors.Is(err, context.DeadlineExceeded) {
		s.Fatalf("%s to %s: got error %v, want no response", filepath.Base(from), to, err)
	}
}

// assertRefused asserts that the peer itself refuses a connection.
func (s *site) assertRefused(from, to string) {
	s.Helper()
	if _, _, err := s.dial(from, to); !errors.Is(err, unix.ECONNREFUSED) {
		s.Fatalf("%s to %s: got error %v, want ECONNREFUSED", filepath.Base(from), to, err)
	}
}

// assertAlive asserts that a connection still carries data.
func (s *site) assertAlive(conn net.Conn) {
	s.Helper()
	fmt.Fprintln(conn, "still there?")
	if got, err := s.readLine(conn); got != "still there?" {
		s.Fatalf("the connection carries nothing: got %q, %v", got, err)
	}
}

// assertDead asserts that a connection carries nothing and has not been closed.
func (s *site) assertDead(conn net.Conn) {
	s.Helper()
	fmt.Fprintln(conn, "still there?")
	if got, err := s.readLine(conn); !errors.Is(err, os.ErrDeadlineExceeded) {
		s.Fatalf("the connection is not dead: got %q, %v", got, err)
	}
}

var (
	world     = netip.MustParsePrefix("0.0.0.0/0")
	openGroup = firewall.SecurityGroup{
		ID: "sg-open", Ingress: []firewall.Rule{allTraffic(world)}, Egress: []firewall.Rule{allTraffic(world)},
	}
)

func allTraffic(from netip.Prefix) firewall.Rule {
	return firewall.Rule{Protocol: "-1", FromPort: -1, ToPort: -1, CIDR: from}
}

func tcpRule(port int, from string) firewall.Rule {
	return firewall.Rule{Protocol: "tcp", FromPort: port, ToPort: port, CIDR: netip.MustParsePrefix(from)}
}

// newVPC returns a VPC of 10.0.0.0/16 with two subnets, without filtering and without an
// internet gateway.
func newVPC(id string, interfaces ...Interface) VPC {
	local := []Route{{Destination: netip.MustParsePrefix("10.0.0.0/16"), Via: Local}}
	return VPC{
		ID: id, Region: "us-east-1", CIDR: netip.MustParsePrefix("10.0.0.0/16"), DNSSupport: true,
		Subnets: []Subnet{
			{ID: "subnet-a" + id, CIDR: netip.MustParsePrefix("10.0.1.0/24"), Routes: local},
			{ID: "subnet-b" + id, CIDR: netip.MustParsePrefix("10.0.2.0/24"), Routes: local},
		},
		Interfaces: interfaces, SecurityGroups: []firewall.SecurityGroup{openGroup},
	}
}

// withGateway returns the VPC with an internet gateway and default routes to it.
func withGateway(v VPC) VPC {
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

// newInterface returns an interface in the subnet of its address (10.0.1.x: a, 10.0.2.x: b).
// Its default security group is openGroup.
func newInterface(vpc, private, namespace string, groups ...string) Interface {
	addr := netip.MustParseAddr(private)
	b := addr.As4()
	if len(groups) == 0 {
		groups = []string{openGroup.ID}
	}
	return Interface{
		ID: "eni-" + vpc + private, SubnetID: "subnet-" + string('a'+rune(b[2])-1) + vpc,
		MAC:     net.HardwareAddr{2, 0, b[0], b[1], b[2], b[3]},
		Private: addr, SecurityGroups: groups, Namespace: namespace, SourceDestCheck: true,
	}
}

func withPublicAddress(i Interface, addr string) Interface {
	i.Public = netip.MustParseAddr(addr)
	return i
}
