//go:build linux

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

// Backend is a server that runs in its own process.
type Backend struct {
	Port int
	cmd  *exec.Cmd
	kill sync.Once
}

// backendRole is the argument that turns the benchmark's program into a backend.
const backendRole = "backend"

// IsBackend reports whether this process was started as a backend. If so, it must call
// ServeBackend and do nothing else.
func IsBackend() bool { return len(os.Args) > 1 && os.Args[1] == backendRole }

// ServeBackend responds to /N with N bytes, for the given sizes, until it is killed. It
// responds to /N?after=1s after a second.
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

// PID returns the ID of the backend's process.
func (b *Backend) PID() int { return b.cmd.Process.Pid }

// StartBackends starts n backends. If one fails to start, it stops the others.
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

// Kill ends the backend like a crash: the kernel closes its connections and refuses new
// ones. It returns when the process has ended.
func (b *Backend) Kill() error {
	var err error
	b.kill.Do(func() {
		err = b.cmd.Process.Kill()
		_ = b.cmd.Wait() // returns an error, because the process was killed
	})
	return err
}

// Freeze makes the backend hang: its connections stay open and the kernel accepts new
// ones, but it does not respond.
func (b *Backend) Freeze() error { return b.cmd.Process.Signal(syscall.SIGSTOP) }

// StopBackends kills the backends.
func StopBackends(backends []*Backend) {
	for _, b := range backends {
		_ = b.Kill()
	}
}
