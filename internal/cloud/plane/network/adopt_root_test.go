//go:build linux && root

package network

import (
	"errors"
	"net/netip"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

func TestRealNetworkOutlivesTheDaemonAndIsAdopted(t *testing.T) {
	s := newSite(t)
	a, b := s.machine("a", 3000), s.machine("b", 3000)
	v := withGateway(newVPC("v", withPublicIP(eni("v", "10.0.1.10", a), "203.0.113.20"), eni("v", "10.0.2.10", b)))
	s.set(v, newVPC("gone"))
	inside := s.assertAnswers(a, "10.0.2.10:3000", "b")
	fromHost := s.assertAnswers(hostNamespace, "203.0.113.20:3000", "a")
	before := s.deviceIndices("v")

	s.stop()
	s.assertAlive(inside)
	s.assertAlive(fromHost)
	s.assertAnswers(b, "10.0.1.10:3000", "a")
	s.startPlane()
	s.set(v)
	s.assertAlive(inside)
	s.assertAlive(fromHost)
	if after := s.deviceIndices("v"); before != after {
		t.Errorf("devices were created again: %s, then %s", before, after)
	}
	if _, err := os.Stat(s.plane.routerPath("gone")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the router of a deleted VPC is still there: %v", err)
	}
	s.restartPlane()
	s.set(v)
	s.assertAlive(fromHost)
}

func TestRealPartialNetworkIsCompleted(t *testing.T) {
	s := newSite(t)
	a, b := s.machine("a"), s.machine("b", 3000)
	v := withGateway(newVPC(
		"v", withPublicIP(eni("v", "10.0.1.10", a), "203.0.113.20"),
		withPublicIP(eni("v", "10.0.2.10", b), "203.0.113.21"),
	))
	s.set(v)
	// Undo what follows the creation of the devices, as if the daemon had been killed then.
	for path, name := range map[string]string{
		b: machineDevice(0), s.plane.routerPath("v"): uplink, hostNamespace: s.cfg.Name + hostSuffix,
	} {
		n, err := openNamespace(path)
		if err != nil {
			t.Fatal(err)
		}
		link, err := n.netlink.LinkByName(name)
		if err == nil {
			err = errors.Join(n.netlink.LinkSetDown(link), n.setAddresses(link, nil))
		}
		if err := errors.Join(err, n.close()); err != nil {
			t.Fatal(err)
		}
	}
	s.restartPlane()
	s.set(v)
	s.assertAnswers(a, "10.0.2.10:3000", "b")
	s.assertAnswers(a, "203.0.113.21:3000", "b")
	s.assertAnswers(hostNamespace, "203.0.113.21:3000", "b")
}

// deviceIndices returns the names and indexes of the devices of a VPC's router.
func (s *site) deviceIndices(vpc string) string {
	s.Helper()
	n, err := openNamespace(s.plane.routerPath(vpc))
	if err != nil {
		s.Fatal(err)
	}
	defer func() { _ = n.close() }()
	links, err := n.netlink.LinkList()
	if err != nil {
		s.Fatal(err)
	}
	var all []string
	for _, link := range links {
		all = append(all, link.Attrs().Name+":"+strconv.Itoa(link.Attrs().Index))
	}
	return strings.Join(all, " ")
}

func TestRealRemoveByALaterDaemonLeavesNothing(t *testing.T) {
	s := newSite(t)
	a := s.machine("a")
	node := eni("v", "10.0.2.20", "")
	node.OwnNamespace = true
	s.set(withGateway(newVPC("v", withPublicIP(eni("v", "10.0.1.10", a), "203.0.113.20"), node)))
	s.restartPlane()
	if err := s.plane.Remove(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.assertNoInterface(a)
	s.assertNothingLeft()
}

func TestRealRestartedMachineIsAttachedAgain(t *testing.T) {
	s := newSite(t)
	a, b := s.machine("a"), s.machine("b", 3000)
	v := newVPC("v", eni("v", "10.0.1.10", a), eni("v", "10.0.2.10", b))
	s.set(v)
	s.assertAnswers(a, "10.0.2.10:3000", "b")
	for range 3 { // the kernel soon reuses inode numbers
		if err := unpin(a); err != nil {
			t.Fatal(err)
		}
		s.machine("a")
		s.set(v)
		s.assertAnswers(a, "10.0.2.10:3000", "b")
	}
	if err := unpin(a); err != nil {
		t.Fatal(err)
	}
	err := s.plane.Set(t.Context(), Config{VPCs: []VPC{v}})
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing namespace: got error %v, want os.ErrNotExist", err)
	}
	s.machine("a")
	s.set(v)
	s.assertAnswers(a, "10.0.2.10:3000", "b")
	v.Interfaces = v.Interfaces[1:]
	s.set(v)
	s.assertNoInterface(a)
}

// assertNoInterface asserts that the machine at path has no network interface.
func (s *site) assertNoInterface(path string) {
	s.Helper()
	n, err := openNamespace(path)
	if err != nil {
		s.Fatal(err)
	}
	defer func() { _ = n.close() }()
	if _, err := n.netlink.LinkByName(machineDevice(0)); err == nil {
		s.Errorf("%s still has its interface", path)
	}
}

func TestRealOwnNamespace(t *testing.T) {
	s := newSite(t)
	a := s.machine("a", 3000)
	node := withPublicIP(eni("v", "10.0.2.20", ""), "203.0.113.30")
	node.OwnNamespace = true
	v := withGateway(newVPC("v", eni("v", "10.0.1.10", a), node))
	s.set(v)
	path := s.plane.NodeNamespace(node.ID)
	s.assertAnswers(path, "10.0.1.10:3000", "a to 10.0.2.20")
	s.serveGreeting(path, netip.AddrPortFrom(node.Private, 3000), "node")
	s.assertAnswers(hostNamespace, "203.0.113.30:3000", "node")
	v.Interfaces = v.Interfaces[:1]
	s.set(v)
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the namespace is still there: %v", err)
	}
}

func TestRealNamespaceOfAnotherUserIsAttached(t *testing.T) {
	s := newSite(t)
	a := s.machine("a", 3000)
	const firstUID = 0x51000000
	ids := []syscall.SysProcIDMap{{ContainerID: 0, HostID: firstUID, Size: 1 << 16}}
	cmd := exec.Command("cat")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET,
		UidMappings: ids, GidMappings: ids, GidMappingsEnableSetgroups: true,
	}
	input, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = input.Close(); _ = cmd.Wait() }()
	path := "/proc/" + strconv.Itoa(cmd.Process.Pid) + "/ns/net"
	s.set(newVPC("v", eni("v", "10.0.1.10", a), eni("v", "10.0.2.10", path)))
	s.assertAnswers(path, "10.0.1.10:3000", "a to 10.0.2.10")
}
