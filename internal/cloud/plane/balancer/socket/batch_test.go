//go:build linux

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

// runRound runs do as a task and returns after the end of the loop's round.
func runRound(l *Loop, do func(t *Task)) {
	over := make(chan struct{})
	startServer(l, serverFunc(func(t *Task) {
		do(t)
		t.yieldTurn()
		close(over)
	}))
	<-over
}

// hasUnread reports whether the client has received bytes that it has not read.
func hasUnread(t *testing.T, client *net.TCPConn) bool {
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

// expectRead reads the bytes that the client should receive.
func expectRead(t *testing.T, client *net.TCPConn, want string) {
	t.Helper()
	all := make([]byte, len(want))
	if n, err := io.ReadFull(client, all); err != nil || string(all) != want {
		t.Errorf("read %q, %v; want %q", all[:n], err, want)
	}
}

func TestBatchIsSentAtTheEndOfTheRound(t *testing.T) {
	l := runningLoop(t)
	a, first := newPair(t)
	b, second := newPair(t)
	var batch Batch
	runRound(l, func(*Task) {
		a.Attach(l)
		b.Attach(l)
		text := []byte("one")
		batch.Write(a, text)
		copy(text, "two") // the batch must have copied it
		batch.Write(b, text)
		if hasUnread(t, first) || hasUnread(t, second) {
			t.Error("sent before the end of the round")
		}
	})
	expectRead(t, first, "one")
	expectRead(t, second, "two")
	runRound(l, func(*Task) {
		batch.Write(a, []byte("before "))
		batch.Write(a, []byte("and after")) // must not overtake the first
		batch.Write(b, bytes.Repeat([]byte("x"), maxMessage+1))
		if a.pending || b.pending {
			t.Error("a message is pending that had to be sent at once")
		}
	})
	expectRead(t, first, "before and after")
	expectRead(t, second, string(bytes.Repeat([]byte("x"), maxMessage+1)))
}

func TestBatchBeyondTheLoopsBufferIsSentInParts(t *testing.T) {
	l := runningLoop(t)
	var batch Batch
	var clients []*net.TCPConn
	var conns []*Conn
	for range maxText/maxMessage + 1 {
		c, client := newPair(t)
		conns, clients = append(conns, c), append(clients, client)
	}
	message := bytes.Repeat([]byte("m"), maxMessage)
	runRound(l, func(*Task) {
		for i, c := range conns {
			c.Attach(l)
			batch.Write(c, message)
			if last := i == len(conns)-1; conns[0].pending == last {
				t.Errorf("after %d messages: first one sent is %v, want %v", i+1, !conns[0].pending, last)
			}
		}
	})
	for _, client := range clients {
		expectRead(t, client, string(message))
	}
}

// fillSocket fills the kernel's buffers of the connection and leaves a message in the batch
// that they have no room for.
func fillSocket(t *testing.T, c *Conn, b *Batch) (sent []byte) {
	t.Helper()
	for n := byte(0); !c.pending; n++ {
		message := bytes.Repeat([]byte{n}, maxMessage)
		b.Write(c, message)
		c.loop.flushBatches()
		sent = append(sent, message...)
	}
	if len(b.messages) != 1 || len(c.loop.batches) != 1 {
		t.Errorf("%d messages in %d batches are pending, want 1 in 1", len(b.messages), len(c.loop.batches))
	}
	return sent
}

func TestBatchWaitsForAFullSocket(t *testing.T) {
	for name, then := range map[string]func(t *Task, c *Conn, b *Batch) (more string){
		"at the end of a round": func(*Task, *Conn, *Batch) string { return "" },
		"with the next message": func(_ *Task, c *Conn, b *Batch) string {
			b.Write(c, []byte("next"))
			return "next"
		},
		"before a goroutine writes": func(t *Task, c *Conn, _ *Batch) string {
			t.RunBlocking(func() { _, _ = c.Write([]byte("away")) }, c)
			return "away"
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := runningLoop(t)
			c, client := newPair(t)
			var batch Batch
			stuffed, more := make(chan []byte, 1), make(chan string, 1)
			startServer(l, serverFunc(func(task *Task) {
				stuffed <- fillSocket(t, c, &batch)
				more <- then(task, c, &batch)
			}), c)
			expectRead(t, client, string(<-stuffed))
			expectRead(t, client, <-more)
			runRound(l, func(*Task) {
				if c.pending || len(l.batches) > 0 || len(batch.messages) > 0 {
					t.Errorf("pending is %v, with %d batches and %d messages; want none",
						c.pending, len(l.batches), len(batch.messages))
				}
			})
		})
	}
}

func TestConnectionThatCannotWaitForItsMessageIsShutDown(t *testing.T) {
	l := runningLoop(t)
	c, client := newPair(t)
	var batch Batch
	var want []byte
	runOn(l, func() {
		want = fillSocket(t, c, &batch)
		_ = c.SetWriteDeadline(time.Unix(1, 0))
		if _, err := c.Write([]byte("more")); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("write: got error %v", err)
		}
		_ = c.SetWriteDeadline(time.Time{})
		if _, err := c.Write([]byte("more")); !errors.Is(err, unix.EPIPE) {
			t.Errorf("write: got error %v", err)
		}
		if _, err := readText(c); !errors.Is(err, io.EOF) {
			t.Errorf("read: got error %v", err)
		}
	}, c)
	if all, err := io.ReadAll(client); err != nil || len(all) >= len(want) || !bytes.HasPrefix(want, all) {
		t.Errorf("the client read %d of %d bytes, %v; want a part, then EOF", len(all), len(want), err)
	}
}

func TestNothingIsSentOnAClosedConnection(t *testing.T) {
	l := runningLoop(t)
	c, client := newPair(t)
	gone, peer := newPair(t)
	_ = peer.SetLinger(0)
	_ = peer.Close()
	next, other := newPair(t)
	var batch Batch
	runRound(l, func(*Task) {
		c.Attach(l)
		gone.Attach(l)
		batch.Write(c, []byte("late"))
		batch.Write(gone, []byte("lost"))
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		number, err := unix.FcntlInt(uintptr(next.fd), unix.F_DUPFD_CLOEXEC, c.fd) // reuse its number
		if err != nil {
			t.Error(err)
		}
		t.Cleanup(func() { _ = unix.Close(number) })
	})
	if hasUnread(t, other) {
		t.Error("the message went to another connection")
	}
	if n, err := client.Read(make([]byte, 10)); n != 0 || !errors.Is(err, io.EOF) {
		t.Errorf("read %d bytes, %v; want EOF", n, err)
	}
	runOn(l, func() {
		if _, err := readText(gone); !errors.Is(err, unix.ECONNRESET) && !errors.Is(err, io.EOF) {
			t.Errorf("read after a reset: got error %v", err)
		}
		if len(l.batches) > 0 || len(batch.messages) > 0 {
			t.Errorf("%d batches and %d messages are pending, want none", len(l.batches), len(batch.messages))
		}
	})
}
