//go:build linux && root

package packetrate_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/packetrate"
)

// sendTo names the variable with the address to which a process of the test sends packets.
const sendTo = "ALOFT_TEST_SEND_TO"

// sent is how many packets it sends.
const sent = 20_000

func TestMain(m *testing.M) {
	if to := os.Getenv(sendTo); to != "" {
		if err := send(to); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// send sends packets as fast as it can and prints how long that took.
func send(to string) error {
	c, err := net.Dial("udp", to)
	if err != nil {
		return err
	}
	began := time.Now()
	for range sent {
		if _, err := c.Write([]byte("x")); err != nil {
			return err
		}
	}
	fmt.Print(time.Since(began))
	return c.Close()
}

func TestRealCgroupSendsAtItsRate(t *testing.T) {
	dir := newCgroup(t)
	limit := func(perSecond int) {
		t.Helper()
		err := packetrate.Limit(dir, perSecond)
		if errors.Is(err, packetrate.ErrNotSupported) {
			t.Skip("not tested: the limit of packets: ", err)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, perSecond := range []int{10_000, 1_000} { // the second replaces the first
		limit(perSecond)
		received, took := sendFrom(t, dir)
		burst := perSecond / 50
		most := burst + int(took.Seconds()*float64(perSecond))
		most += most/10 + 2 // packets that two processors count as one
		if received < burst || received > most {
			t.Errorf("at %d packets a second, %d of %d arrived in %v, want %d to %d",
				perSecond, received, sent, took, burst, most)
		}
	}
}

// newCgroup creates a cgroup of version 2 for the test.
func newCgroup(t *testing.T) string {
	t.Helper()
	mount := "/sys/fs/cgroup"
	if _, err := os.Stat(filepath.Join(mount, "unified")); err == nil {
		mount = filepath.Join(mount, "unified")
	}
	dir := filepath.Join(mount, fmt.Sprintf("packetrate-%d", os.Getpid()))
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.Remove(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// sendFrom sends packets to itself from a process in a cgroup, and returns how many arrived.
func sendFrom(t *testing.T, dir string) (received int, took time.Duration) {
	t.Helper()
	c, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	cgroup, err := os.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cgroup.Close() }()
	counted := make(chan int)
	go func() {
		n, buffer := 0, make([]byte, 16)
		for {
			if _, err := c.Read(buffer); err != nil {
				counted <- n
				return
			}
			n++
		}
	}()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), sendTo+"="+c.LocalAddr().String())
	cmd.SysProcAttr = &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: int(cgroup.Fd())}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("send: %v: %s", err, out)
	}
	took, err = time.ParseDuration(strings.TrimSpace(string(out)))
	if err != nil {
		t.Fatal(err)
	}
	// What passed has arrived: loopback delivers within the call that sends. What still waits in
	// the socket is read before the deadline ends the counting.
	if err := c.SetReadDeadline(time.Now().Add(200 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	return <-counted, took
}
