//go:build linux && root

package network

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	mdns "github.com/miekg/dns"
	"golang.org/x/sys/unix"
)

// linkLocalUser is the user of the link-local process.
const linkLocalUser = 0x0ffffffd

// linkLocalPID returns the PID of the site's link-local process.
func (s *site) linkLocalPID() int {
	s.Helper()
	return s.processID(linkLocalArgument, s.cfg.LinkLocal.Dir())
}

func TestRealLinkLocalProcessHasNoPrivileges(t *testing.T) {
	s := newSite(t, withMachineServices(t))
	a := s.machine("a")
	s.set(newVPC("v", eni("v", "10.0.1.10", a)))
	if _, err := readInstanceID(a); err != nil {
		t.Fatal(err)
	}
	pid := s.linkLocalPID()
	s.assertNoPrivileges(pid, linkLocalUser, filepath.Join(s.cfg.LinkLocal.Dir(), "linklocal.sock"))
	own, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	if network, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/net", pid)); err != nil || network == own {
		t.Errorf("its network is the host's: %s, %v", network, err)
	}
}

func TestRealRequestsWaitForTheNextDaemon(t *testing.T) {
	s := newSite(t, withMachineServices(t))
	a := s.machine("a")
	v := newVPC("v", eni("v", "10.0.1.10", a))
	s.set(v)
	if _, err := readInstanceID(a); err != nil {
		t.Fatal(err)
	}
	pid := s.linkLocalPID()
	s.stop()
	type answer struct {
		text string
		err  error
	}
	answers := make(chan answer, 3)
	for _, ask := range []func() (string, error){
		func() (string, error) { return readInstanceID(a) },
		func() (string, error) { return resolve(a, "udp", "10.0.0.2:53") },
		func() (string, error) { return callAPI(a) },
	} {
		go func() {
			text, err := ask()
			answers <- answer{text, err}
		}()
	}
	s.startPlane()
	s.set(v)
	for range 3 {
		if got := <-answers; got.err != nil || !strings.HasPrefix(got.text, "v 10.0.1.10") &&
			got.text != "10.0.0.100" && !strings.HasPrefix(got.text, "10.0.1.10:") {
			t.Errorf("a request that the next daemon answers: %q, %v", got.text, got.err)
		}
	}
	if now := s.linkLocalPID(); now != pid {
		t.Errorf("the process was replaced: %d, then %d", pid, now)
	}
}

func TestRealRequestsFailClearlyWithoutADaemon(t *testing.T) {
	s := newSite(t, withMachineServices(t))
	a := s.machine("a")
	s.set(newVPC("v", eni("v", "10.0.1.10", a)))
	if _, err := readInstanceID(a); err != nil {
		t.Fatal(err)
	}
	s.stop()
	client := clientIn(a)
	for _, at := range []string{"http://169.254.169.254/latest", "http://169.254.169.254:4566/"} {
		response, err := client.Get(at)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != http.StatusServiceUnavailable || response.Header.Get("Retry-After") == "" {
			t.Errorf("%s: %s", at, response.Status)
		}
	}
	s.startPlane()
}

func TestRealLinkLocalProcessIsReplacedWhenItDies(t *testing.T) {
	s := newSite(t, withMachineServices(t))
	a := s.machine("a")
	v := newVPC("v", eni("v", "10.0.1.10", a))
	s.set(v)
	for range 2 { // also one that the next daemon has adopted
		if _, err := readInstanceID(a); err != nil {
			t.Fatal(err)
		}
		if err := unix.Kill(s.linkLocalPID(), unix.SIGKILL); err != nil {
			t.Fatal(err)
		}
		// The kernel accepts at once, and the next process answers.
		start := time.Now()
		if got, err := callAPI(a); err != nil {
			t.Errorf("after a kill: got %q, %v", got, err)
		}
		if took := time.Since(start); took > time.Second {
			t.Errorf("after a kill, the next process answers after %v", took)
		}
		if got, err := resolve(a, "udp", "169.254.169.253:53"); got != "10.0.0.100" {
			t.Errorf("after a kill: resolved %q, %v", got, err)
		}
		s.restartPlane()
		s.set(v)
	}
}

func TestRealOneMachineDoesNotUseUpServices(t *testing.T) {
	const connectionsPerMachine = 128
	s := newSite(t, withMachineServices(t))
	a, b := s.machine("a"), s.machine("b")
	s.set(newVPC("v", eni("v", "10.0.1.10", a), eni("v", "10.0.1.11", b)))
	for _, to := range []string{"169.254.169.254:80", "169.254.169.254:4566"} {
		held := s.hold(a, to, 300, "GET / HTTP/1.1\r\nHost: 169.254.169.254\r\n\r\n")
		if held != connectionsPerMachine {
			t.Errorf("one machine holds %d connections to %s, want %d", held, to, connectionsPerMachine)
		}
	}
	if got, err := readInstanceID(b); got != "v 10.0.1.11" {
		t.Errorf("metadata of another machine: got %q, %v", got, err)
	}
	if _, err := callAPI(b); err != nil {
		t.Errorf("API of another machine: %v", err)
	}
	if _, err := readInstanceID(a); err == nil {
		t.Error("the machine itself is served beyond its limit")
	}
}

// linkLocalLog returns what the link-local process has logged.
func (s *site) linkLocalLog() string {
	s.Helper()
	text, err := os.ReadFile(filepath.Join(s.dir, "linklocal.log"))
	if err != nil {
		s.Fatal(err)
	}
	return string(text)
}

func TestRealOneMachineDoesNotUseUpTheResolver(t *testing.T) {
	upstream, err := net.ListenPacket("udp4", "127.0.0.1:0") // and never answers
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = upstream.Close() }()
	s := newSite(t, withMachineServices(t, netip.MustParseAddrPort(upstream.LocalAddr().String())))
	a, b := s.machine("a"), s.machine("b")
	s.set(newVPC("v", eni("v", "10.0.1.10", a), eni("v", "10.0.1.11", b)))
	flooding, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- inNamespace(a, func() error {
			conn, err := net.Dial("udp4", "10.0.0.2:53")
			if err != nil {
				return err
			}
			defer func() { _ = conn.Close() }()
			for n := 0; flooding.Err() == nil; n++ {
				query, err := new(mdns.Msg).SetQuestion(fmt.Sprintf("n%d.outside.", n), mdns.TypeA).Pack()
				if err != nil {
					return err
				}
				_, _ = conn.Write(query)
			}
			return nil
		})
	}()
	for range 50 {
		for _, network := range []string{"udp", "tcp"} {
			got, err := resolve(b, network, "10.0.0.2:53")
			if err != nil { // machines ask again too: the network may lose a packet
				got, err = resolve(b, network, "10.0.0.2:53")
			}
			if got != "10.0.0.100" {
				t.Errorf("%s, while another machine floods: resolved %q, %v", network, got, err)
			}
		}
		if _, err := readInstanceID(b); err != nil {
			t.Errorf("while another machine floods: %v", err)
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if text := s.linkLocalLog(); !strings.Contains(text, `service="dns queries" vpc=v machine=10.0.1.10`) {
		t.Errorf("the log does not name the machine:\n%s", text)
	}
}

func TestRealResolverForwards(t *testing.T) {
	upstream, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	stream, err := net.Listen("tcp4", upstream.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	answer := mdns.HandlerFunc(func(w mdns.ResponseWriter, query *mdns.Msg) {
		response := new(mdns.Msg).SetReply(query)
		record, _ := mdns.NewRR(query.Question[0].Name + " 5 IN A 192.0.2.9")
		response.Answer = append(response.Answer, record)
		_ = w.WriteMsg(response)
	})
	for _, server := range []*mdns.Server{
		{PacketConn: upstream, Handler: answer}, {Listener: stream, Handler: answer},
	} {
		ended := make(chan error, 1)
		started := make(chan struct{})
		server.NotifyStartedFunc = func() { close(started) }
		go func() { ended <- server.ActivateAndServe() }()
		<-started
		t.Cleanup(func() {
			if err := errors.Join(server.Shutdown(), <-ended); err != nil {
				t.Error(err)
			}
		})
	}
	s := newSite(t, withMachineServices(t, netip.MustParseAddrPort(upstream.LocalAddr().String())))
	a := s.machine("a")
	s.set(newVPC("v", eni("v", "10.0.1.10", a)))
	for _, network := range []string{"udp", "tcp"} {
		if got, err := resolveName(a, network, "10.0.0.2:53", "www.outside."); got != "192.0.2.9" {
			t.Errorf("%s: got %q, %v", network, got, err)
		}
	}
}

func TestRealLargeBodiesReachTheAPI(t *testing.T) {
	s := newSite(t, withMachineServices(t))
	a := s.machine("a")
	s.set(newVPC("v", eni("v", "10.0.1.10", a)))
	const size = 8 << 20
	for name, body := range map[string]io.Reader{
		"with a length": bytes.NewReader(make([]byte, size)),
		"in chunks":     io.LimitReader(zeros{}, size),
	} {
		response, err := clientIn(a).Post("http://169.254.169.254:4566/", "application/octet-stream", body)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if err != nil || !strings.HasSuffix(string(text), fmt.Sprint(" ", size)) {
			t.Errorf("%s: got %q, %v", name, text, err)
		}
	}
}
