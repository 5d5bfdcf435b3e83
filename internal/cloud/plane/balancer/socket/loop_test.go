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

// echo says back what it hears, as often as a message ends in a line feed; between
// messages nothing waits for the connection but the loop.
type echo struct {
	c    *Conn
	held []byte
}

func (e *echo) Serve(*Task) {
	buf := make([]byte, 512)
	for {
		n, err := read(e.c, buf, e)
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

func TestALoopServesManyClients(t *testing.T) {
	const clients, messages = 50, 40
	to, loops := listening(t), []*Loop{running(t), running(t)}
	for _, l := range loops {
		l.Post(func() {
			if err := l.WatchListener(to, func() {
				if c, err := to.Accept(); err == nil {
					c.Attach(l)
					l.Start(&echo{c: c})
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
				message := strings.Repeat("x", 1+i*i*i) + "\n" // up to 59 KB: it comes and goes in parts
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

func TestWhatIsServedLaterHoldsNoTask(t *testing.T) {
	l := running(t)
	var clients []net.Conn
	for range 20 {
		c, client := pair(t)
		clients = append(clients, client)
		begin(l, &echo{c: c}, c)
	}
	for range 3 {
		for _, client := range clients {
			if _, err := io.WriteString(client, "hello\n"); err != nil {
				t.Fatal(err)
			}
			got := make([]byte, len("hello\n"))
			if _, err := io.ReadFull(client, got); err != nil || string(got) != "hello\n" {
				t.Fatalf("%q %v", got, err)
			}
		}
	}
	tasks := make(chan int, 1)
	l.Post(func() { tasks <- len(l.idle) })
	if n := <-tasks; n != 1 {
		t.Errorf("%d tasks for clients one of which speaks at a time", n)
	}
	for _, client := range clients {
		_ = client.Close()
	}
	for served := 1; served > 0; served = <-tasks { // only who uses a connection may close it
		l.Post(func() { tasks <- l.active })
	}
}

func TestALoopThatEndsLeavesNothing(t *testing.T) {
	open := func() int {
		entries, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(entries)
	}
	c, client := pair(t)
	before := open()
	l, stop, ended := start(t, true)
	served := make(chan string, 1)
	begin(l, work(func(*Task) { got, _ := text(c); served <- got }), c)
	stop() // what is being served goes on
	if _, err := client.Write([]byte("late")); err != nil {
		t.Fatal(err)
	}
	if got := <-served; got != "late" {
		t.Errorf("%q", got)
	}
	<-ended
	if l.Post(func() { t.Error("done by a loop that has ended") }) {
		t.Error("a loop that has ended takes jobs")
	}
	if after := open(); after != before {
		t.Errorf("%d file descriptors, %d before", after, before)
	}
}

func TestALoopThatHoldsOnIsInterruptedAndGoesOn(t *testing.T) {
	l, stop, ended := start(t, true)
	for range 20 {
		done := make(chan struct{})
		l.Post(func() { close(done) })
		<-done
		runtime.GC() // stops all processors, the one that the loop holds on to as well
	}
	stop()
	<-ended
}

func TestAClientWithMuchToSayLeavesTimeForOthers(t *testing.T) {
	l := running(t)
	loud, loudClient := pair(t)
	quiet, quietClient := pair(t)
	heard := make(chan string, 1)
	begin(l, work(func(*Task) { got, _ := text(quiet); heard <- got }), quiet)
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
	begin(l, work(func(*Task) {
		defer close(ended)
		for {
			if _, err := loud.Read(make([]byte, 1)); err != nil { // there is always another byte
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
			t.Errorf("%q", got)
		}
	case <-time.After(10 * time.Second):
		t.Error("the other was not served")
	}
	close(stop)
	loud.Shutdown()
	<-ended
}

func TestALoopGoesOnWhileATaskIsAway(t *testing.T) {
	l := running(t)
	c, client := pair(t)
	other, otherClient := pair(t)
	back := make(chan string, 2)
	hear := func() {
		got, err := text(c)
		if err != nil {
			t.Error(err)
		}
		back <- got
	}
	begin(l, work(func(task *Task) {
		task.RunBlocking(func() {
			task.RunBlocking(hear) // is away already
		}, c)
		hear() // on the loop again
	}), c)
	go func() { _, _ = otherClient.Write([]byte("other")) }()
	serve(l, func() {
		if got, err := text(other); got != "other" {
			t.Errorf("%q %v", got, err)
		}
	}, other)
	for _, want := range []string{"first", "second"} {
		if _, err := client.Write([]byte(want)); err != nil {
			t.Fatal(err)
		}
		if got := <-back; got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	var none *Task
	done := false
	if none.RunBlocking(func() { done = true }); !done {
		t.Error("a goroutine is always away")
	}
}
