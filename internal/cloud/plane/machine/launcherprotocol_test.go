//go:build linux

package machine

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
)

// newIdleLauncher returns a launcher whose systems end at once, and a function that waits
// until it is not used any longer.
func newIdleLauncher(t *testing.T) (l *launcher, end func()) {
	t.Helper()
	l = &launcher{starts: make(chan *system), changed: make(chan struct{}), report: report{PID: 1, State: Prepared}}
	var running sync.WaitGroup
	running.Go(func() {
		for s := range l.starts {
			if s == nil {
				t.Error("asked to start no system")
			}
			l.update(func(r *report) { r.State, r.Detail = Exited, "this launcher starts nothing" })
		}
	})
	return l, func() { close(l.starts); running.Wait() }
}

// exchange sends bytes to a launcher as the daemon does and returns what it replies until it
// hangs up or, for a watch, until its first report.
func exchange(l *launcher, sent []byte) []byte {
	ours, theirs := net.Pipe()
	var serving sync.WaitGroup
	serving.Go(func() {
		l.handle(theirs)
		_ = theirs.Close()
	})
	serving.Go(func() {
		_, _ = ours.Write(append(bytes.Clone(sent), '\n'))
		if !json.Valid(sent) {
			_ = ours.Close() // the launcher waits for the rest
		}
	})
	reply := make([]byte, 4096)
	n, _ := ours.Read(reply)
	_ = ours.Close()
	serving.Wait()
	return reply[:n]
}

func FuzzRequest(f *testing.F) {
	for _, do := range []operation{opReport, opBoot, opHalt, opKill, opReboot, opReset, opWatch, "unknown"} {
		f.Add([]byte(`{"do":"` + string(do) + `"}`))
		f.Add([]byte(`{"do":"` + string(do) + `","system":{"hostname":"a","files":{"../x":"y"}}}`))
	}
	for _, seed := range []string{
		"", "{", "null", "[]", `{"do":1}`, strings.Repeat("[", 20000), `{"do":"report"}{"do":"kill"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, sent []byte) {
		l, end := newIdleLauncher(t)
		defer end()
		reply := exchange(l, sent)
		if len(reply) == 0 {
			return
		}
		if _, err := newReports(bytes.NewReader(reply)).next(); err != nil {
			t.Errorf("%q was answered %q: %v", sent, reply, err)
		}
	})
}

func FuzzReports(f *testing.F) {
	for _, seed := range []string{
		`{"pid":7,"state":"running","init":9,"boots":1}` + "\n" + `{"pid":7,"state":"exited","exit":"crash"}` + "\n",
		"", "\n", "null\n", "{\n", `{"pid":1e99}` + "\n", `{"state":"` + strings.Repeat("a", maxReport) + `"}` + "\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, sent []byte) {
		count := 0
		for all := newReports(bytes.NewReader(sent)); ; count++ {
			if _, err := all.next(); err != nil {
				break
			}
		}
		if lines := bytes.Count(sent, []byte("\n")) + 1; count > lines {
			t.Errorf("%d reports in %d lines", count, lines)
		}
	})
}

// endless is a launcher that sends one report without an end.
type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'a'
	}
	e.read += len(p)
	return len(p), nil
}

func TestMessagesAreBounded(t *testing.T) {
	reports, requests := &endless{}, &endless{}
	if _, err := newReports(reports).next(); err == nil || reports.read > 2*maxReport {
		t.Errorf("read %d bytes of a report: %v", reports.read, err)
	}
	quoted := io.MultiReader(strings.NewReader(`{"do":"`), requests)
	if _, err := readRequest(quoted); !errors.Is(err, io.ErrUnexpectedEOF) || requests.read > 2*maxRequest {
		t.Errorf("read %d bytes of a request: %v", requests.read, err)
	}
	if _, err := readRequest(strings.NewReader(`{"do":"boot"}`)); err == nil {
		t.Error("a request to boot nothing was accepted")
	}
}
