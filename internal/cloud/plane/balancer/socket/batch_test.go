package socket

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// round has do done by a task, and returns after the end of the loop's round.
func round(l *Loop, do func(t *Task)) {
	over := make(chan struct{})
	begin(l, work(func(t *Task) {
		do(t)
		t.yieldTurn()
		close(over)
	}))
	<-over
}

// got tells whether something has come to a client that has not read yet.
func got(t *testing.T, client *net.TCPConn) bool {
	t.Helper()
	raw, err := client.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	some := false
	if err := raw.Control(func(fd uintptr) { some = peek(int(fd)) != unix.EAGAIN }); err != nil {
		t.Fatal(err)
	}
	return some
}

// hears reads what the client should get.
func hears(t *testing.T, client *net.TCPConn, want string) {
	t.Helper()
	all := make([]byte, len(want))
	if n, err := io.ReadFull(client, all); err != nil || string(all) != want {
		t.Errorf("heard %q, %v", all[:n], err)
	}
}

func TestABatchIsSentAtTheEndOfTheRound(t *testing.T) {
	l := running(t)
	a, first := pair(t)
	b, second := pair(t)
	var batch Batch
	round(l, func(*Task) {
		a.Attach(l)
		b.Attach(l)
		text := []byte("one")
		batch.Write(a, text)
		copy(text, "two") // it is the caller's again
		batch.Write(b, text)
		if got(t, first) || got(t, second) {
			t.Error("sent at once")
		}
	})
	hears(t, first, "one")
	hears(t, second, "two")
	round(l, func(*Task) {
		batch.Write(a, []byte("before "))
		batch.Write(a, []byte("and after")) // a second one does not overtake the first
		batch.Write(b, bytes.Repeat([]byte("x"), maxMessage+1))
		if a.pending || b.pending {
			t.Error("not sent at once")
		}
	})
	hears(t, first, "before and after")
	hears(t, second, string(bytes.Repeat([]byte("x"), maxMessage+1)))
}

func TestABatchThatIsTooLongForTheLoopIsSentInParts(t *testing.T) {
	l := running(t)
	var batch Batch
	var clients []*net.TCPConn
	var conns []*Conn
	for range maxText/maxMessage + 1 {
		c, client := pair(t)
		conns, clients = append(conns, c), append(clients, client)
	}
	message := bytes.Repeat([]byte("m"), maxMessage)
	round(l, func(*Task) {
		for i, c := range conns {
			c.Attach(l)
			batch.Write(c, message)
			if last := i == len(conns)-1; conns[0].pending == last {
				t.Errorf("after %d messages the first is sent: %v", i+1, !last)
			}
		}
	})
	for _, client := range clients {
		hears(t, client, string(message))
	}
}

// stuff fills what the kernel holds for the connection, and leaves a message in the batch
// that it does not take.
func stuff(t *testing.T, c *Conn, b *Batch) (sent []byte) {
	t.Helper()
	for n := byte(0); !c.pending; n++ {
		message := bytes.Repeat([]byte{n}, maxMessage)
		b.Write(c, message)
		c.loop.flushBatches()
		sent = append(sent, message...)
	}
	if len(b.messages) != 1 || len(c.loop.batches) != 1 {
		t.Errorf("%d messages in %d batches are left", len(b.messages), len(c.loop.batches))
	}
	return sent
}

func TestWhatTheKernelDoesNotTakeIsSentWhenItDoes(t *testing.T) {
	for name, then := range map[string]func(t *Task, c *Conn, b *Batch) (more string){
		"at the end of a round": func(*Task, *Conn, *Batch) string { return "" },
		"by the next message": func(_ *Task, c *Conn, b *Batch) string {
			b.Write(c, []byte("next"))
			return "next"
		},
		"before a goroutine writes": func(t *Task, c *Conn, _ *Batch) string {
			t.RunBlocking(func() { _, _ = c.Write([]byte("away")) }, c)
			return "away"
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := running(t)
			c, client := pair(t)
			var batch Batch
			stuffed, more := make(chan []byte, 1), make(chan string, 1)
			begin(l, work(func(task *Task) {
				stuffed <- stuff(t, c, &batch)
				more <- then(task, c, &batch)
			}), c)
			hears(t, client, string(<-stuffed))
			hears(t, client, <-more)
			round(l, func(*Task) {
				if c.pending || len(l.batches) > 0 || len(batch.messages) > 0 {
					t.Errorf("owes %v, %d batches, %d messages", c.pending, len(l.batches), len(batch.messages))
				}
			})
		})
	}
}

func TestAConnectionThatCannotWaitForItsMessageIsCut(t *testing.T) {
	l := running(t)
	c, client := pair(t)
	var batch Batch
	var want []byte
	serve(l, func() {
		want = stuff(t, c, &batch)
		_ = c.SetWriteDeadline(time.Unix(1, 0))
		if _, err := c.Write([]byte("more")); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("writing ended with %v", err)
		}
		_ = c.SetWriteDeadline(time.Time{})
		if _, err := c.Write([]byte("more")); !errors.Is(err, unix.EPIPE) {
			t.Errorf("writing ended with %v", err)
		}
		if _, err := text(c); !errors.Is(err, io.EOF) {
			t.Errorf("reading ended with %v", err)
		}
	}, c)
	if all, err := io.ReadAll(client); err != nil || len(all) >= len(want) || !bytes.HasPrefix(want, all) {
		t.Errorf("the client read %d of %d, %v", len(all), len(want), err)
	}
}

func TestNothingIsSentOverAConnectionThatIsClosed(t *testing.T) {
	l := running(t)
	c, client := pair(t)
	gone, peer := pair(t)
	_ = peer.SetLinger(0)
	_ = peer.Close()
	next, other := pair(t)
	var batch Batch
	round(l, func(*Task) {
		c.Attach(l)
		gone.Attach(l)
		batch.Write(c, []byte("late"))
		batch.Write(gone, []byte("in vain"))
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		number, err := unix.FcntlInt(uintptr(next.fd), unix.F_DUPFD_CLOEXEC, c.fd) // another has its number then
		if err != nil {
			t.Error(err)
		}
		t.Cleanup(func() { _ = unix.Close(number) })
	})
	if got(t, other) {
		t.Error("another client has got it")
	}
	if n, err := client.Read(make([]byte, 10)); n != 0 || !errors.Is(err, io.EOF) {
		t.Errorf("read %d, %v", n, err)
	}
	serve(l, func() {
		if _, err := text(gone); !errors.Is(err, unix.ECONNRESET) && !errors.Is(err, io.EOF) {
			t.Errorf("reading from one that is gone ended with %v", err)
		}
		if len(l.batches) > 0 || len(batch.messages) > 0 {
			t.Errorf("%d batches, %d messages", len(l.batches), len(batch.messages))
		}
	})
}
