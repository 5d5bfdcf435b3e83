//go:build linux

package socket

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// onEach runs a test with on, which runs functions on a loop or on a goroutine.
func onEach(t *testing.T, test func(t *testing.T, on func(do func(), conns ...*Conn))) {
	onLoopAndGoroutine(t, func(t *testing.T, l *Loop) {
		test(t, func(do func(), conns ...*Conn) { runOn(l, do, conns...) })
	})
}

func TestReadAndWrite(t *testing.T) {
	onEach(t, func(t *testing.T, on func(func(), ...*Conn)) {
		c, client := newPair(t)
		large := make([]byte, 8<<20) // more than the kernel buffers, so the writer has to wait
		go func() {
			_, _ = client.Write([]byte("hello"))
			_, _ = io.CopyN(client, client, int64(len(large)))
			_ = client.CloseWrite()
		}()
		on(func() {
			if got, err := readText(c); got != "hello" || err != nil {
				t.Errorf("read %q, %v", got, err)
			}
			if n, err := c.Write(large[:100]); n != 100 || err != nil {
				t.Errorf("wrote %d bytes: %v", n, err)
			}
			read := 0
			for left := large[100:]; len(left) > 0; left = left[min(len(left), 64<<10):] {
				if _, err := c.Write(left[:min(len(left), 64<<10)]); err != nil {
					t.Error(err)
					return
				}
				for read < len(large)-len(left) {
					n, err := c.Read(large)
					if read += n; err != nil {
						t.Error(err)
						return
					}
				}
			}
			for {
				n, err := c.Read(large)
				if read += n; err != nil {
					if !errors.Is(err, io.EOF) || read != len(large) {
						t.Errorf("read ended after %d bytes: %v", read, err)
					}
					return
				}
			}
		}, c)
	})
}

func TestWriteWaitsForASlowClient(t *testing.T) {
	onEach(t, func(t *testing.T, on func(func(), ...*Conn)) {
		c, client := newPair(t)
		const much = 32 << 20
		read := make(chan int64, 1)
		go func() {
			n, _ := io.CopyN(io.Discard, client, much)
			read <- n
		}()
		on(func() {
			if n, err := c.Write(make([]byte, much)); n != much || err != nil {
				t.Errorf("wrote %d bytes: %v", n, err)
			}
		}, c)
		if n := <-read; n != much {
			t.Errorf("the client read %d bytes, want %d", n, much)
		}
	})
}

func TestDeadlineFromAnotherGoroutineEndsARead(t *testing.T) {
	onEach(t, func(t *testing.T, on func(func(), ...*Conn)) {
		for _, at := range []time.Time{time.Unix(1, 0), time.Now().Add(50 * time.Millisecond)} {
			c, client := newPair(t)
			_ = time.AfterFunc(10*time.Millisecond, func() { _ = c.SetReadDeadline(at) })
			on(func() {
				if _, err := readText(c); !errors.Is(err, os.ErrDeadlineExceeded) {
					t.Errorf("read: got error %v, want a deadline exceeded", err)
				}
				if n, err := c.Write([]byte("x")); n != 1 || err != nil { // the deadline is for reads only
					t.Errorf("wrote %d bytes: %v", n, err)
				}
				if err := c.SetDeadline(time.Time{}); err != nil {
					t.Error(err)
				}
				go func() { _, _ = client.Write([]byte("go on")) }()
				if got, err := readText(c); got != "go on" || err != nil {
					t.Errorf("read %q, %v", got, err)
				}
				_ = c.SetWriteDeadline(time.Unix(1, 0))
				if _, err := c.Write(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
					t.Errorf("write: got error %v, want a deadline exceeded", err)
				}
			}, c)
		}
	})
}

func TestDeadlineServesADeferredRead(t *testing.T) {
	l := runningLoop(t)
	c, _ := newPair(t)
	ended := make(chan error, 1)
	var s Server
	s = serverFunc(func(*Task) {
		_, err := readOrDefer(c, make([]byte, 1), s)
		if !errors.Is(err, ErrNotReady) {
			ended <- err
		}
	})
	startServer(l, s, c)
	_ = c.SetReadDeadline(time.Unix(1, 0))
	if err := <-ended; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("read: got error %v, want a deadline exceeded", err)
	}
}

func TestShutdownEndsBothSidesAndLeavesClosingToTheOwner(t *testing.T) {
	onEach(t, func(t *testing.T, on func(func(), ...*Conn)) {
		c, client := newPair(t)
		_ = time.AfterFunc(10*time.Millisecond, c.Shutdown)
		on(func() {
			if _, err := readText(c); !errors.Is(err, io.EOF) {
				t.Errorf("read: got error %v, want EOF", err)
			}
		}, c)
		if n, err := client.Read(make([]byte, 1)); n != 0 || err == nil {
			t.Errorf("the client read %d bytes, %v; want an end", n, err)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		c.Shutdown() // must not touch the number, which another socket may have by now
		for what, err := range map[string]error{
			"Close": c.Close(), "SetDeadline": c.SetDeadline(time.Now()), "CloseWrite": c.CloseWrite(),
			"Control": c.Control(func(uintptr) { t.Error("Control ran on a closed socket") }),
		} {
			if !errors.Is(err, net.ErrClosed) {
				t.Errorf("%s: got error %v, want net.ErrClosed", what, err)
			}
		}
	})
}

func TestReusableSeesWhatThePeerDid(t *testing.T) {
	onEach(t, func(t *testing.T, on func(func(), ...*Conn)) {
		for what, do := range map[string]func(*net.TCPConn){
			"nothing": func(*net.TCPConn) {},
			"a close": func(c *net.TCPConn) { _ = c.Close() },
			"data":    func(c *net.TCPConn) { _, _ = c.Write([]byte("unexpected")) },
			"a reset": func(c *net.TCPConn) { _ = c.SetLinger(0); _ = c.Close() },
		} {
			c, client := newPair(t)
			go func() { _, _ = client.Write([]byte("used")) }()
			on(func() {
				if got, err := readText(c); got != "used" {
					t.Errorf("read %q, %v", got, err)
				}
			}, c)
			do(client)
			on(func() {
				if reusable := c.Reusable(false); reusable != (what == "nothing") {
					t.Errorf("after %s: Reusable is %v", what, reusable)
				}
			})
		}
	})
}

func TestPollerIsUsedOnlyToWait(t *testing.T) {
	c, client := newPair(t)
	if _, err := client.Write([]byte("a")); err != nil {
		t.Fatal(err)
	}
	for peek(c.fd) == unix.EAGAIN { // wait for the first byte
	}
	next := func(want byte) {
		t.Helper()
		var got [1]byte
		if n, err := readOrDefer(c, got[:], nil); n != 1 || err != nil || got[0] != want {
			t.Errorf("read %q, %v", got, err)
		}
	}
	if next('a'); c.dup != nil {
		t.Error("used the poller for a byte that had arrived")
	}
	late := time.AfterFunc(10*time.Millisecond, func() { _, _ = client.Write([]byte("b")) })
	defer late.Stop()
	if next('b'); c.dup == nil {
		t.Error("did not use the poller to wait for a byte")
	}
	_ = c.Close()
	if err := c.WaitRead(nil); !errors.Is(err, net.ErrClosed) { // the number may be another socket's by now
		t.Errorf("wait on a closed connection: got error %v, want net.ErrClosed", err)
	}
}
