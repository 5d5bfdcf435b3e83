package balancer

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"
)

// pair is a connection as a listener accepts it, and its client.
func pair(t *testing.T) (*accepted, net.Conn) {
	t.Helper()
	at := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), freePort(t))
	l, err := listenAt(at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	client, err := net.Dial("tcp", at.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	a, err := l.accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() })
	if a.RemoteAddr().String() != client.LocalAddr().String() {
		t.Errorf("from %s, want %s", a.RemoteAddr(), client.LocalAddr())
	}
	return a, client
}

func (a *accepted) known() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.file != nil
}

func TestASocketMeetsThePollerWhenItHasToWait(t *testing.T) {
	a, client := pair(t)
	raw := rawOf(a)
	if _, err := client.Write([]byte("a")); err != nil {
		t.Fatal(err)
	}
	for there := false; !there; { // the first byte is on its way
		if err := raw.Control(func(fd uintptr) { there = peek(fd) == 0 }); err != nil {
			t.Fatal(err)
		}
	}
	var got [1]byte
	next := func() {
		t.Helper()
		if err := raw.Read(func(fd uintptr) bool { n, errno := rawRead(fd, got[:]); return n == 1 && errno == 0 }); err != nil {
			t.Fatal(err)
		}
	}
	if next(); got[0] != 'a' || a.known() {
		t.Errorf("after %q the poller knows it: %v", got, a.known())
	}
	late := time.AfterFunc(10*time.Millisecond, func() { _, _ = client.Write([]byte("b")) })
	defer late.Stop()
	if next(); got[0] != 'b' || !a.known() {
		t.Errorf("after %q the poller knows it: %v", got, a.known())
	}
	if _, err := a.Write([]byte("c")); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(client, got[:]); err != nil || got[0] != 'c' {
		t.Errorf("%q %v", got, err)
	}
}

func TestASocketThatIsCutEndsForBothAndIsStillItsOwners(t *testing.T) {
	for _, waiting := range []bool{false, true} {
		a, client := pair(t)
		ended := make(chan error, 1)
		if waiting {
			if _, err := a.polled(); err != nil {
				t.Fatal(err)
			}
			go func() { _, err := a.Read(make([]byte, 1)); ended <- err }()
		}
		a.cut()
		if !waiting {
			_, err := a.Read(make([]byte, 1))
			ended <- err
		}
		if err := <-ended; !errors.Is(err, io.EOF) {
			t.Errorf("reading ended with %v", err)
		}
		if n, err := client.Read(make([]byte, 1)); n != 0 || err == nil {
			t.Errorf("the client read %d, %v", n, err)
		}
		if err := a.Close(); err != nil {
			t.Error(err)
		}
		a.cut() // of what is closed: another may have the number by now
		for what, err := range map[string]error{
			"closing": a.Close(), "a deadline": a.SetDeadline(time.Now()), "half a close": a.CloseWrite(),
			"a look": rawOf(a).Control(func(uintptr) { t.Error("looked at a closed socket") }),
			"a read": rawOf(a).Read(func(uintptr) bool { t.Error("read a closed socket"); return true }),
		} {
			if !errors.Is(err, net.ErrClosed) {
				t.Errorf("%s: %v", what, err)
			}
		}
	}
}
