//go:build linux

package admission

import (
	"bytes"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"
)

func source(n int) Source {
	return Source{VPC: "vpc", Address: netip.AddrFrom4([4]byte{10, 0, 0, byte(n)})}
}

func TestGateKeepsItsLimits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limits := Limits{
			PerSource: rapid.IntRange(1, 4).Draw(t, "per source"), Total: rapid.IntRange(1, 8).Draw(t, "total"),
		}
		g := NewGate("test", limits, slog.New(slog.DiscardHandler))
		open, total := map[int]int{}, 0
		for range rapid.IntRange(1, 100).Draw(t, "steps") {
			s := rapid.IntRange(0, 4).Draw(t, "source")
			if open[s] > 0 && rapid.Bool().Draw(t, "leaves") {
				g.Leave(source(s))
				open[s]--
				total--
				continue
			}
			want := open[s] < limits.PerSource && total < limits.Total
			if got := g.Enter(source(s)); got != want {
				t.Fatalf("with %v open: source %d enters: %v, want %v", open, s, got, want)
			}
			if want {
				open[s]++
				total++
			}
		}
		if used := len(g.uses.open); used > total {
			t.Errorf("%d sources are remembered for %d uses", used, total)
		}
	})
}

func TestLogNamesASourceOnceAMinute(t *testing.T) {
	var log bytes.Buffer
	g := NewGate("metadata", Limits{PerSource: 1, Total: 9}, slog.New(slog.NewTextHandler(&log, nil)))
	now := time.Unix(0, 0)
	g.notices.now = func() time.Time { return now }
	g.Enter(source(7))
	for range 3 {
		for range 10 {
			g.Enter(source(7))
		}
		now = now.Add(noticePeriod)
	}
	text := log.String()
	if n := strings.Count(text, "service=metadata vpc=vpc machine=10.0.0.7"); n != 3 {
		t.Errorf("%d lines name the source, want 3:\n%s", n, text)
	}
	if n := strings.Count(text, "refused-before=9"); n != 2 {
		t.Errorf("%d lines count what was refused before, want 2:\n%s", n, text)
	}
	g.Enter(source(8))
	g.Enter(source(8))
	if len(g.notices.periods) != 1 {
		t.Errorf("%d sources are remembered, want the last", len(g.notices.periods))
	}
}

func TestLimitsLeaveDescriptorsToTheDaemon(t *testing.T) {
	for _, descriptors := range []int{1024, 4096, 1 << 20} {
		l := Within(descriptors, 128)
		if 8*l.Total > descriptors/2 || l.PerSource > l.Total/4 || l.PerSource > 128 {
			t.Errorf("of %d descriptors: %+v", descriptors, l)
		}
	}
}

// listen returns a listener on loopback behind a gate, and the gate.
func listen(t *testing.T, limits Limits) (net.Listener, *Gate) {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := NewGate("test", limits, slog.New(slog.NewTextHandler(t.Output(), nil)))
	admitted := g.Listen("vpc", l)
	t.Cleanup(func() { _ = admitted.Close() })
	return admitted, g
}

func dial(t *testing.T, to net.Addr) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp4", to.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func TestListenerResetsWhatTheGateRefuses(t *testing.T) {
	l, g := listen(t, Limits{PerSource: 1, Total: 2})
	first := dial(t, l.Addr())
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	refused := dial(t, l.Addr())
	var accepting sync.WaitGroup
	accepting.Go(func() {
		if next, err := l.Accept(); err == nil {
			_, _ = next.Write([]byte("admitted"))
			_ = next.Close()
		}
	})
	if _, err := refused.Read(make([]byte, 1)); !errors.Is(err, unix.ECONNRESET) {
		t.Errorf("the second connection ends with %v, want a reset", err)
	}
	_ = conn.Close()
	_ = conn.Close() // leaves once only
	if _, err := first.Read(make([]byte, 1)); err == nil {
		t.Error("the first connection is open")
	}
	next := dial(t, l.Addr())
	if n, err := next.Read(make([]byte, 8)); n != 8 {
		t.Errorf("after the first connection, the next is not served: %v", err)
	}
	accepting.Wait()
	if g.uses.total != 0 || len(g.uses.open) != 0 {
		t.Errorf("after all connections, %d are counted", g.uses.total)
	}
}

// failing is a listener whose first Accept calls fail.
type failing struct {
	net.Listener
	errors []error
}

func (f *failing) Accept() (net.Conn, error) {
	if len(f.errors) == 0 {
		return f.Listener.Accept()
	}
	err := f.errors[0]
	f.errors = f.errors[1:]
	return nil, &net.OpError{Op: "accept", Net: "tcp4", Err: err}
}

func TestListenerContinuesAfterErrors(t *testing.T) {
	l, _ := listen(t, Limits{PerSource: 1, Total: 1})
	inner := l.(*listener)
	inner.Listener = &failing{
		inner.Listener, []error{unix.EMFILE, unix.ENFILE, unix.ECONNABORTED, unix.ENOBUFS, unix.ENOMEM},
	}
	dial(t, l.Addr())
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Close()

	endless := make([]error, 1000)
	for i := range endless {
		endless[i] = unix.EMFILE
	}
	inner.Listener = &failing{inner.Listener.(*failing).Listener, endless}
	ended := make(chan error)
	go func() {
		_, err := l.Accept()
		ended <- err
	}()
	_ = l.Close()
	if err := <-ended; !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept of a closed listener returns %v", err)
	}
}
