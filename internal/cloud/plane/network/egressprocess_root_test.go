//go:build linux && root

package network

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// egressPID returns the PID of the site's egress process.
func (s *site) egressPID() int {
	s.Helper()
	return s.processID(egressArgument, s.cfg.Egress.Dir())
}

// processID returns the PID of a process of the plane.
func (s *site) processID(argument, dir string) int {
	s.Helper()
	commands, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		s.Fatal(err)
	}
	for _, path := range commands {
		text, _ := os.ReadFile(path) // a process may have ended
		words := strings.Split(strings.TrimSuffix(string(text), "\x00"), "\x00")
		if len(words) == 3 && words[1] == argument && words[2] == dir {
			pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
			if err != nil {
				s.Fatal(err)
			}
			return pid
		}
	}
	s.Fatalf("no process %s runs", argument)
	return 0
}

// assertNoPrivileges asserts that a process has the user id, and no files, capabilities or way to
// get them, and that other users cannot call it.
func (s *site) assertNoPrivileges(pid, user int, socket string) {
	s.Helper()
	proc := fmt.Sprintf("/proc/%d", pid)
	threads, err := filepath.Glob(proc + "/task/*/status")
	if err != nil || len(threads) == 0 {
		s.Fatalf("%d threads, %v", len(threads), err)
	}
	ids := strings.Repeat(fmt.Sprintf("\t%d", user), 4)
	for _, path := range threads {
		status, err := os.ReadFile(path)
		if err != nil {
			s.Fatal(err)
		}
		for _, want := range []string{
			"Uid:" + ids, "Gid:" + ids,
			"Groups:\t \n", "CapInh:\t0000000000000000", "CapPrm:\t0000000000000000", "CapEff:\t0000000000000000",
			"CapAmb:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2",
		} {
			if !strings.Contains(string(status), want) {
				s.Errorf("%s does not have %q:\n%s", path, want, status)
			}
		}
	}
	if files, err := os.ReadDir(proc + "/root/"); err != nil || len(files) != 0 {
		s.Errorf("it sees the files %v, %v", files, err)
	}
	info, err := os.Stat(socket)
	if err != nil || info.Mode().Perm() != 0o600 {
		s.Errorf("its control socket: %v, %v", info, err)
	}
}

// withOutside connects machines of one VPC with an external host, which it returns.
func (s *site) withOutside(machines ...string) (outside string) {
	s.Helper()
	outside = s.addExternalHost().String()
	interfaces := make([]Interface, 0, len(machines))
	for i, m := range machines {
		interfaces = append(interfaces, withPublicIP(
			eni("v", fmt.Sprintf("10.0.1.%d", 10+i), m), fmt.Sprintf("203.0.113.%d", 20+i)))
	}
	s.set(withGateway(newVPC("v", interfaces...)))
	return outside
}

func TestRealEgressProcessHasNoPrivileges(t *testing.T) {
	s := newSite(t)
	a := s.machine("a")
	s.assertAnswers(a, s.withOutside(a)+":80", "outside")
	s.assertNoPrivileges(s.egressPID(), 0x0ffffffe, filepath.Join(s.cfg.Egress.Dir(), "egress.sock"))
}

func TestRealEgressOutlivesTheDaemon(t *testing.T) {
	s := newSite(t)
	a := s.machine("a")
	out := s.withOutside(a) + ":80"
	conn := s.assertAnswers(a, out, "outside")
	pid := s.egressPID()
	s.stop()
	s.assertAlive(conn)
	s.assertAnswers(a, out, "outside")
	s.startPlane()
	s.set(withGateway(newVPC("v", withPublicIP(eni("v", "10.0.1.10", a), "203.0.113.20"))))
	s.assertAlive(conn)
	s.assertAnswers(a, out, "outside")
	if now := s.egressPID(); now != pid {
		t.Errorf("the process was replaced: %d, then %d", pid, now)
	}
}

func TestRealEgressProcessIsReplacedWhenItDies(t *testing.T) {
	s := newSite(t)
	a := s.machine("a")
	out := s.withOutside(a) + ":80"
	for range 2 { // also one that the next daemon has adopted
		s.assertAnswers(a, out, "outside")
		if err := unix.Kill(s.egressPID(), unix.SIGKILL); err != nil {
			t.Fatal(err)
		}
		// The kernel accepts at once, and the next process answers.
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		conn, err := DialIn(ctx, a, netip.MustParseAddrPort(out))
		cancel()
		if err != nil {
			t.Fatal(err)
		}
		if got, err := s.readLine(conn, 10*time.Second); !strings.HasPrefix(got, "outside") {
			t.Fatalf("got %q, %v", got, err)
		}
		_ = conn.Close()
		s.restartPlane()
		s.set(withGateway(newVPC("v", withPublicIP(eni("v", "10.0.1.10", a), "203.0.113.20"))))
	}
}

// hold opens connections from a namespace and returns how many stay open until the test ends.
// Each of those sends a line if the server does not begin.
func (s *site) hold(from string, to string, n int, line string) (held int) {
	s.Helper()
	conns := make([]net.Conn, 0, n)
	for range n {
		conn, err := DialIn(s.Context(), from, netip.MustParseAddrPort(to))
		if err != nil {
			continue
		}
		s.Cleanup(func() { _ = conn.Close() })
		if _, err := io.WriteString(conn, line); err == nil {
			conns = append(conns, conn)
		}
	}
	for _, conn := range conns {
		_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
		if _, err := conn.Read(make([]byte, 1)); err == nil {
			held++
		}
	}
	return held
}

// countFiles returns how many descriptors a process has open.
func (s *site) countFiles(pid int) int {
	s.Helper()
	files, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		s.Fatal(err)
	}
	return len(files)
}

func TestRealOneMachineDoesNotUseUpEgress(t *testing.T) {
	s := newSite(t)
	a, b := s.machine("a"), s.machine("b")
	out := s.withOutside(a, b) + ":80"
	s.assertAnswers(b, out, "outside")
	process, own := s.countFiles(s.egressPID()), s.countFiles(os.Getpid())
	held := s.hold(a, out, 1500, "")
	t.Logf("one machine holds %d of 1500 connections", held)
	if held != 1024 {
		t.Errorf("one machine holds %d connections, want 1024", held)
	}
	if more := s.countFiles(s.egressPID()) - process; more > 2*1024+16 {
		t.Errorf("its connections cost the process %d descriptors", more)
	}
	s.assertAnswers(b, out, "outside")
	// The test has an end of each of the connections here and outside.
	if more := s.countFiles(os.Getpid()) - own; more > 2*1500+16 {
		t.Errorf("its connections cost the daemon %d descriptors", more)
	}
}

func TestRealMachinesDoNotReachTheHostsNetworks(t *testing.T) {
	others := []string{"168.63.129.16", "100.100.100.200", "192.0.0.192", "172.31.255.2", "10.77.0.2"}
	for name, allowed := range map[string][]netip.Prefix{
		"nothing allowed": nil, "two ranges allowed": {
			netip.MustParsePrefix("10.77.0.0/16"), netip.MustParsePrefix("100.64.0.0/10"),
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, func(c *PlaneConfig) { c.Reach.Private = allowed })
			a := s.machine("a")
			s.assertAnswers(a, s.withOutside(a)+":80", "outside")
			for _, other := range others {
				s.addOutsideAddress(netip.MustParseAddr(other))
				s.assertAnswers(hostNamespace, other+":80", "outside")
				if other == "10.77.0.2" && allowed != nil {
					s.assertAnswers(a, other+":80", "outside")
					continue
				}
				if _, _, err := s.dial(a, other+":80"); !errors.Is(err, unix.ECONNRESET) {
					t.Errorf("dial %s: got error %v, want a reset", other, err)
				}
			}
		})
	}
}

// addOutsideAddress gives the external host another address, which the host has a route to.
func (s *site) addOutsideAddress(addr netip.Addr) {
	s.Helper()
	far, err := openNamespace(filepath.Join(s.dir, "machines", "outside"))
	if err != nil {
		s.Fatal(err)
	}
	defer func() { _ = far.close() }()
	lo, err := far.setUpLoopback()
	if err != nil {
		s.Fatal(err)
	}
	if err := far.netlink.AddrAdd(lo, &netlink.Addr{IPNet: ipNet(hostPrefix(addr))}); err != nil {
		s.Fatal(err)
	}
	link, err := netlink.LinkByName(s.cfg.Name + "-out")
	if err != nil {
		s.Fatal(err)
	}
	// The route ends with its device.
	via := net.IPv4(198, 51, 100, 2)
	err = netlink.RouteAdd(&netlink.Route{LinkIndex: link.Attrs().Index, Dst: ipNet(hostPrefix(addr)), Gw: via})
	if err != nil {
		s.Fatal(err)
	}
}
