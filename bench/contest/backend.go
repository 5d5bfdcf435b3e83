package contest

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Backend is a server in a process of its own.
type Backend struct {
	Port int
	cmd  *exec.Cmd
	ends sync.Once
}

// backendRole is the argument that makes the benchmark's program a backend.
const backendRole = "backend"

// IsBackend tells whether this process was started to be a backend: then it
// calls ServeBackend and does nothing else.
func IsBackend() bool { return len(os.Args) > 1 && os.Args[1] == backendRole }

// ServeBackend answers /N with N bytes, for the sizes that were asked for, until
// it is killed; /N?after=1s does so after a second.
func ServeBackend(sizes ...int) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	bodies := map[string][]byte{}
	for _, n := range sizes {
		bodies["/"+strconv.Itoa(n)] = bytes.Repeat([]byte("x"), n)
	}
	return http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.RawQuery != "" {
			after, _ := time.ParseDuration(r.URL.Query().Get("after"))
			time.Sleep(after)
		}
		body := bodies[r.URL.Path]
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		w.Header().Set("Content-Type", "text/plain")
		_, _ = w.Write(body)
	}))
}

// PID is that of its process.
func (b *Backend) PID() int { return b.cmd.Process.Pid }

// StartBackends starts so many. With an error, none is left.
func StartBackends(ctx context.Context, n int) ([]*Backend, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	var out []*Backend
	for range n {
		b, err := startBackend(ctx, self)
		if err != nil {
			StopBackends(out)
			return nil, fmt.Errorf("start a backend: %w", err)
		}
		out = append(out, b)
	}
	return out, nil
}

func startBackend(ctx context.Context, self string) (*Backend, error) {
	b := &Backend{cmd: exec.CommandContext(ctx, self, backendRole)}
	stdout, err := b.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := b.cmd.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err == nil {
		b.Port, err = strconv.Atoi(strings.TrimSpace(line))
	}
	if err != nil {
		return nil, errors.Join(err, b.Kill())
	}
	return b, nil
}

// Kill ends the backend at once, as a crash does: its kernel closes its
// connections and refuses new ones. It returns when that is so.
func (b *Backend) Kill() error {
	var err error
	b.ends.Do(func() {
		err = b.cmd.Process.Kill()
		_ = b.cmd.Wait() // tells that it was killed
	})
	return err
}

// Freeze lets the backend hang: its connections stand, new ones are accepted by
// its kernel, and nothing is answered.
func (b *Backend) Freeze() error { return b.cmd.Process.Signal(syscall.SIGSTOP) }

// StopBackends ends all.
func StopBackends(backends []*Backend) {
	for _, b := range backends {
		_ = b.Kill()
	}
}
