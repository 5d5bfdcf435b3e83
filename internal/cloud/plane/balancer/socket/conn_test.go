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

// each runs a test of a connection on a loop and on a goroutine.
func each(t *testing.T, test func(t *testing.T, on func(do func(), conns ...*Conn))) {
	withAndWithout(t, func(t *testing.T, l *Loop) {
		test(t, func(do func(), conns ...*Conn) { serve(l, do, conns...) })
	})
}

func TestBytesComeAndGo(t *testing.T) {
	each(t, func(t *testing.T, on func(func(), ...*Conn)) {
		c, client := pair(t)
		large := make([]byte, 8<<20) // more than the kernel holds: the writer has to wait
		go func() {
			_, _ = client.Write([]byte("hello"))
			_, _ = io.CopyN(client, client, int64(len(large)))
			_ = client.CloseWrite()
		}()
		on(func() {
			if got, err := text(c); got != "hello" || err != nil {
				t.Errorf("%q %v", got, err)
			}
			if n, err := c.Write(large[:100]); n != 100 || err != nil {
				t.Errorf("wrote %d: %v", n, err)
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
						t.Errorf("after %d bytes: %v", read, err)
					}
					return
				}
			}
		}, c)
	})
}

func TestAWriterWaitsForAClientThatIsSlow(t *testing.T) {
	each(t, func(t *testing.T, on func(func(), ...*Conn)) {
		c, client := pair(t)
		const much = 32 << 20
		read := make(chan int64, 1)
		go func() {
			n, _ := io.CopyN(io.Discard, client, much)
			read <- n
		}()
		on(func() {
			if n, err := c.Write(make([]byte, much)); n != much || err != nil {
				t.Errorf("wrote %d: %v", n, err)
			}
		}, c)
		if n := <-read; n != much {
			t.Errorf("read %d", n)
		}
	})
}

func TestAnybodyEndsTheWaitingByADeadline(t *testing.T) {
	each(t, func(t *testing.T, on func(func(), ...*Conn)) {
		for _, at := range []time.Time{time.Unix(1, 0), time.Now().Add(50 * time.Millisecond)} {
			c, client := pair(t)
			_ = time.AfterFunc(10*time.Millisecond, func() { _ = c.SetReadDeadline(at) })
			on(func() {
				if _, err := text(c); !errors.Is(err, os.ErrDeadlineExceeded) {
					t.Errorf("waiting ended with %v", err)
				}
				if n, err := c.Write([]byte("x")); n != 1 || err != nil { // it was for reading
					t.Errorf("wrote %d: %v", n, err)
				}
				if err := c.SetDeadline(time.Time{}); err != nil {
					t.Error(err)
				}
				go func() { _, _ = client.Write([]byte("go on")) }()
				if got, err := text(c); got != "go on" || err != nil {
					t.Errorf("%q %v", got, err)
				}
				_ = c.SetWriteDeadline(time.Unix(1, 0))
				if _, err := c.Write(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
					t.Errorf("writing ended with %v", err)
				}
			}, c)
		}
	})
}

func TestADeadlineBringsWhatWaitsForLater(t *testing.T) {
	l := running(t)
	c, _ := pair(t)
	ended := make(chan error, 1)
	var s Server
	s = work(func(*Task) {
		_, err := read(c, make([]byte, 1), s)
		if !errors.Is(err, ErrNotReady) {
			ended <- err
		}
	})
	begin(l, s, c)
	_ = c.SetReadDeadline(time.Unix(1, 0))
	if err := <-ended; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("waiting ended with %v", err)
	}
}

func TestAConnectionThatIsCutEndsForBothAndIsStillItsOwners(t *testing.T) {
	each(t, func(t *testing.T, on func(func(), ...*Conn)) {
		c, client := pair(t)
		_ = time.AfterFunc(10*time.Millisecond, c.Shutdown)
		on(func() {
			if _, err := text(c); !errors.Is(err, io.EOF) {
				t.Errorf("reading ended with %v", err)
			}
		}, c)
		if n, err := client.Read(make([]byte, 1)); n != 0 || err == nil {
			t.Errorf("the client read %d, %v", n, err)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		c.Shutdown() // of what is closed: another may have the number by now
		for what, err := range map[string]error{
			"closing": c.Close(), "a deadline": c.SetDeadline(time.Now()), "half a close": c.CloseWrite(),
			"a look": c.Control(func(uintptr) { t.Error("looked at a closed socket") }),
		} {
			if !errors.Is(err, net.ErrClosed) {
				t.Errorf("%s: %v", what, err)
			}
		}
	})
}

func TestWhatThePeerDidToAConnectionThatNobodyUsesIsSeen(t *testing.T) {
	each(t, func(t *testing.T, on func(func(), ...*Conn)) {
		for what, do := range map[string]func(*net.TCPConn){
			"nothing": func(*net.TCPConn) {},
			"a close": func(c *net.TCPConn) { _ = c.Close() },
			"a word":  func(c *net.TCPConn) { _, _ = c.Write([]byte("unasked")) },
			"a reset": func(c *net.TCPConn) { _ = c.SetLinger(0); _ = c.Close() },
		} {
			c, client := pair(t)
			go func() { _, _ = client.Write([]byte("used")) }()
			on(func() {
				if got, err := text(c); got != "used" {
					t.Errorf("%q %v", got, err)
				}
			}, c)
			do(client)
			on(func() {
				if open := c.Reusable(false); open != (what == "nothing") {
					t.Errorf("after %s it is open: %v", what, open)
				}
			})
		}
	})
}

func TestOffALoopThePollerIsMetWhenThereIsToWait(t *testing.T) {
	c, client := pair(t)
	if _, err := client.Write([]byte("a")); err != nil {
		t.Fatal(err)
	}
	for peek(c.fd) == unix.EAGAIN { // the first byte is on its way
	}
	next := func(want byte) {
		t.Helper()
		var got [1]byte
		if n, err := read(c, got[:], nil); n != 1 || err != nil || got[0] != want {
			t.Errorf("%q %v", got, err)
		}
	}
	if next('a'); c.dup != nil {
		t.Error("the poller knows it after a byte that was there")
	}
	late := time.AfterFunc(10*time.Millisecond, func() { _, _ = client.Write([]byte("b")) })
	defer late.Stop()
	if next('b'); c.dup == nil {
		t.Error("the poller does not know it after a byte that was waited for")
	}
	_ = c.Close()
	if err := c.WaitRead(nil); !errors.Is(err, net.ErrClosed) { // another may have its number by now
		t.Errorf("waiting for what is closed: %v", err)
	}
}
