//go:build linux

package loopback

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// listen listens on a free port of the loopback until the test ends.
func listen(t *testing.T, address string) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func dial(t *testing.T, to net.Addr) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", to.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func TestFindListener(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", "0.0.0.0:0", "[::]:0", "127.0.0.2:0"} {
		port := uint16(listen(t, address).Addr().(*net.TCPAddr).Port)
		at := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port)
		got, err := FindListener(at)
		if address == "127.0.0.2:0" {
			if !errors.Is(err, ErrNoSocket) {
				t.Errorf("%s takes connections to %s: %v, %v", address, at, got, err)
			}
			continue
		}
		if err != nil || got.UID != os.Geteuid() || got.PID != os.Getpid() || got.Name == "" {
			t.Errorf("%s: %+v, %v", address, got, err)
		}
		if text := got.String(); !strings.Contains(text, got.Name+" (pid ") {
			t.Error(text)
		}
	}
}

func TestServerIsChecked(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", "[::]:0"} {
		l := listen(t, address)
		conn := dial(t, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: l.Addr().(*net.TCPAddr).Port})
		if err := CheckServer(conn, os.Geteuid()); err != nil {
			t.Error(err)
		}
		if err := CheckServer(conn, os.Geteuid()+1); !errors.Is(err, ErrStranger) {
			t.Errorf("%s: the server of another user passes: %v", address, err)
		}
		_ = l.Close()
		if err := CheckServer(conn, os.Geteuid()); err == nil {
			t.Errorf("%s: a server that no longer listens passes", address)
		}
	}
}

func TestUserOfAClient(t *testing.T) {
	l := listen(t, "127.0.0.1:0")
	client := dial(t, l.Addr())
	server, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = server.Close() }()
	if uid, ok := UserOf(server); !ok || uid != os.Geteuid() {
		t.Errorf("user %d, %v", uid, ok)
	}
	_ = client.Close()
	if uid, ok := UserOf(server); ok {
		t.Errorf("a closed socket has user %d", uid)
	}
}

func TestRefusedConnectionGetsTheRefusal(t *testing.T) {
	var log bytes.Buffer
	me := os.Geteuid()
	limits := Limits{Total: 3, Others: 2, PerUser: 1, Owner: me + 1}
	l := Limit(listen(t, "127.0.0.1:0"), limits, []byte("no"), slog.New(slog.NewTextHandler(&log, nil)))
	first, second := dial(t, l.Addr()), dial(t, l.Addr())
	accepted, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	next := make(chan net.Conn, 1)
	go func() {
		conn, _ := l.Accept()
		next <- conn
	}()
	if got, _ := io.ReadAll(second); string(got) != "no" {
		t.Errorf("the second connection got %q", got)
	}
	_ = accepted.Close()
	_ = accepted.Close() // leaves once
	third := dial(t, l.Addr())
	conn := <-next
	if conn == nil || conn.RemoteAddr().String() != third.LocalAddr().String() {
		t.Error("the third connection is not accepted after the first has ended")
	}
	if n := strings.Count(log.String(), "refused a connection"); n != 1 {
		t.Errorf("%d log lines, want 1:\n%s", n, log.String())
	}
	_ = first.Close()
	_ = conn.Close()
}

func TestLimitsHold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limits := Limits{Total: 8, Others: 5, PerUser: 3, Owner: 0}
		l := Limit(nil, limits, nil, slog.New(slog.DiscardHandler)).(*limited)
		open := map[int]int{}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			uid := rapid.IntRange(unknown, 3).Draw(t, "user")
			if open[uid] > 0 && rapid.Bool().Draw(t, "leaves") {
				l.open.Leave(uid)
				open[uid]--
				continue
			}
			total := 0
			for _, n := range open {
				total += n
			}
			want := total < 8 && (uid == 0 || total-open[0] < 5 && open[uid] < 3)
			if got := l.open.Enter(uid); got != want {
				t.Fatalf("user %d enters with %v open: %v, want %v", uid, open, got, want)
			} else if got {
				open[uid]++
			}
		}
	})
}
