//go:build linux

package host

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
)

func TestFindDaemonIgnoresAReusedPid(t *testing.T) {
	layout, err := LayoutFor(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	layout.RunDir = t.TempDir()
	ticks, err := startTicks(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if err := (Daemon{PID: os.Getpid(), Started: ticks}).write(layout); err != nil {
		t.Fatal(err)
	}
	if _, err := FindDaemon(t.Context(), layout); err != nil {
		t.Errorf("find this process: %v", err)
	}
	if err := (Daemon{PID: os.Getpid(), Started: ticks - 1}).write(layout); err != nil {
		t.Fatal(err)
	}
	if _, err := FindDaemon(t.Context(), layout); !errors.Is(err, ErrNotRunning) {
		t.Errorf("find a process with another start time: got %v, want ErrNotRunning", err)
	}
}

func TestStatusDecodesWhatTheDaemonServes(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != StatusPath {
			t.Errorf("requested %s, want %s", r.URL.Path, StatusPath)
		}
		if !strings.Contains(r.Header.Get("Authorization"), "/aloft/aws4_request") {
			t.Errorf("signed by %q", r.Header.Get("Authorization"))
		}
		_, _ = w.Write([]byte(`{"version":"v1","images":[],"machines":[{"id":"i-1","memory_bytes":7}]}`))
	}))
	defer server.Close()
	layout, err := LayoutFor(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := EnsureCredentials(layout); err != nil {
		t.Fatal(err)
	}
	status, err := Daemon{PID: os.Getpid(), Address: server.Listener.Addr().String()}.Status(t.Context(), layout)
	if err != nil {
		t.Fatal(err)
	}
	if status.Version != "v1" || len(status.Machines) != 1 || status.Machines[0].MemoryBytes != 7 {
		t.Errorf("got %+v", status)
	}
}
