//go:build linux

package socket

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// echoServer echoes each message that ends in a line feed. Between messages only the loop
// waits for the connection.
type echoServer struct {
	c    *Conn
	held []byte
}

func (e *echoServer) Serve(*Task) {
	buf := make([]byte, 512)
	for {
		n, err := readOrDefer(e.c, buf, e)
		switch {
		case errors.Is(err, ErrNotReady):
			return
		case err != nil:
			_ = e.c.Close()
			return
		}
		if e.held = append(e.held, buf[:n]...); bytes.HasSuffix(e.held, []byte("\n")) {
			if _, err := e.c.Write(e.held); err != nil {
				_ = e.c.Close()
				return
			}
			e.held = e.held[:0]
		}
	}
}

func TestLoopServesManyClients(t *testing.T) {
	const clients, messages = 50, 40
	to, loops := newListener(t), []*Loop{runningLoop(t), runningLoop(t)}
	for _, l := range loops {
		l.Post(func() {
			if err := l.WatchListener(to, func() {
				if c, err := to.Accept(); err == nil {
					c.Attach(l)
					l.Start(&echoServer{c: c})
				}
			}); err != nil {
				t.Error(err)
			}
		})
	}
	var all sync.WaitGroup
	for range clients {
		all.Go(func() {
			conn, err := net.Dial("tcp", to.Addr().String())
			if err != nil {
				t.Error(err)
				return
			}
			defer func() { _ = conn.Close() }()
			_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
			for i := range messages {
				message := strings.Repeat("x", 1+i*i*i) + "\n" // up to 59 KB, so it arrives in parts
				go func() { _, _ = io.WriteString(conn, message) }()
				got := make([]byte, len(message))
				if _, err := io.ReadFull(conn, got); err != nil || string(got) != message {
					t.Errorf("message %d: %v", i, err)
					return
				}
			}
		})
	}
	all.Wait()
}

func TestDeferredReadHoldsNoTask(t *testing.T) {
	l := runningLoop(t)
	var clients []net.Conn
	for range 20 {
		c, client := newPair(t)
		clients = append(clients, client)
		startServer(l, &echoServer{c: c}, c)
	}
	for range 3 {
		for _, client := range clients {
			if _, err := io.WriteString(client, "hello\n"); err != nil {
				t.Fatal(err)
			}
			got := make([]byte, len("hello\n"))
			if _, err := io.ReadFull(client, got); err != nil || string(got) != "hello\n" {
				t.Fatalf("read %q, %v", got, err)
			}
		}
	}
	tasks := make(chan int, 1)
	l.Post(func() { tasks <- len(l.idle) })
	if n := <-tasks; n != 1 {
		t.Errorf("%d idle tasks, want 1: clients sent one at a time", n)
	}
	for _, client := range clients {
		_ = client.Close()
	}
	for served := 1; served > 0; served = <-tasks { // only the user of a connection may close it
		l.Post(func() { tasks <- l.active })
	}
}

func TestLoopClosesItsFileDescriptors(t *testing.T) {
	open := func() int {
		entries, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(entries)
	}
	c, client := newPair(t)
	before := open()
	l, stop, ended := startLoop(t, true)
	served := make(chan string, 1)
	startServer(l, serverFunc(func(*Task) { got, _ := readText(c); served <- got }), c)
	stop() // tasks go on
	if _, err := client.Write([]byte("late")); err != nil {
		t.Fatal(err)
	}
	if got := <-served; got != "late" {
		t.Errorf("got %q", got)
	}
	<-ended
	if l.Post(func() { t.Error("ran a function after the loop ended") }) {
		t.Error("Post returned true after the loop ended")
	}
	if after := open(); after != before {
		t.Errorf("%d file descriptors are open, %d before", after, before)
	}
}

func TestLoopWithItsOwnCPUSurvivesSignals(t *testing.T) {
	l, stop, ended := startLoop(t, true)
	for range 20 {
		done := make(chan struct{})
		l.Post(func() { close(done) })
		<-done
		runtime.GC() // signals all threads, the loop's too
	}
	stop()
	<-ended
}

func TestBusyClientDoesNotStarveOthers(t *testing.T) {
	l := runningLoop(t)
	loud, loudClient := newPair(t)
	quiet, quietClient := newPair(t)
	heard := make(chan string, 1)
	startServer(l, serverFunc(func(*Task) { got, _ := readText(quiet); heard <- got }), quiet)
	stop := make(chan struct{})
	go func() {
		for {
			select {
			case <-stop:
				_ = loudClient.Close()
				return
			default:
				_, _ = loudClient.Write(make([]byte, 64<<10))
			}
		}
	}()
	ended := make(chan struct{})
	startServer(l, serverFunc(func(*Task) {
		defer close(ended)
		for {
			if _, err := loud.Read(make([]byte, 1)); err != nil { // more bytes are always available
				return
			}
		}
	}), loud)
	if _, err := quietClient.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	select {
	case got := <-heard:
		if got != "hello" {
			t.Errorf("got %q", got)
		}
	case <-time.After(time.Minute):
		t.Error("the quiet client was not served")
	}
	close(stop)
	loud.Shutdown()
	<-ended
}

func TestLoopRunsWhileATaskBlocks(t *testing.T) {
	l := runningLoop(t)
	c, client := newPair(t)
	other, otherClient := newPair(t)
	back := make(chan string, 2)
	receive := func() {
		got, err := readText(c)
		if err != nil {
			t.Error(err)
		}
		back <- got
	}
	startServer(l, serverFunc(func(task *Task) {
		task.RunBlocking(func() {
			task.RunBlocking(receive) // blocks already
		}, c)
		receive() // back on the loop
	}), c)
	go func() { _, _ = otherClient.Write([]byte("other")) }()
	runOn(l, func() {
		if got, err := readText(other); got != "other" {
			t.Errorf("read %q, %v", got, err)
		}
	}, other)
	for _, want := range []string{"first", "second"} {
		if _, err := client.Write([]byte(want)); err != nil {
			t.Fatal(err)
		}
		if got := <-back; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	var none *Task
	done := false
	if none.RunBlocking(func() { done = true }); !done {
		t.Error("a nil task did not call the function")
	}
}
