//go:build linux

package engine

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/plane/balancer/balancertest"
)

// seenRequest is a request as a back end understood it.
type seenRequest struct {
	Method string `json:"method"`
	Target string `json:"target"`
	Host   string `json:"host"`
	Length int64  `json:"length"` // of the body
}

// recorder collects the requests that a back end understood, without health checks.
type recorder struct {
	mu      sync.Mutex
	seen    []seenRequest
	changed chan struct{} // closed when seen grows
}

func newRecorder() *recorder { return &recorder{changed: make(chan struct{})} }

func (r *recorder) add(s seenRequest) {
	if s.Target == healthPath {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen = append(r.seen, s)
	close(r.changed)
	r.changed = make(chan struct{})
}

// takeUntil waits for a request with the target. It returns and forgets those before it.
func (r *recorder) takeUntil(t *testing.T, target string) []seenRequest {
	t.Helper()
	late := time.After(time.Minute)
	for {
		r.mu.Lock()
		seen, changed := r.seen, r.changed
		i := slices.IndexFunc(seen, func(s seenRequest) bool { return s.Target == target })
		if i >= 0 {
			r.seen = seen[i+1:]
		}
		r.mu.Unlock()
		if i >= 0 {
			return seen[:i]
		}
		select {
		case <-changed:
		case <-late:
			t.Fatalf("the back end did not see %s, but %v", target, seen)
		}
	}
}

// ServeHTTP records what net/http understood.
func (r *recorder) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if req.UserAgent() == "ELB-HealthChecker/2.0" {
		return
	}
	n, err := io.Copy(io.Discard, req.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s := seenRequest{req.Method, req.RequestURI, req.Host, n}
	r.add(s)
	w.Header().Set("X-Backend", "1")
	_ = json.NewEncoder(w).Encode(s)
}

// readLines records the requests that a process reports as lines of JSON.
func (r *recorder) readLines(out io.Reader) {
	for lines := bufio.NewScanner(out); lines.Scan(); {
		var s seenRequest
		if json.Unmarshal(lines.Bytes(), &s) == nil {
			r.add(s)
		}
	}
}

// healthPath is where the health checks of back ends go.
const healthPath = "/health"

// backends start a back end of each usual kind.
var backends = map[string]func(*testing.T, *recorder) balancer.Target{
	"go": func(t *testing.T, r *recorder) balancer.Target {
		s := httptest.NewUnstartedServer(r)
		s.Config.DisableGeneralOptionsHandler = true
		s.Start()
		t.Cleanup(s.Close)
		return balancertest.Target("go", s.Listener.Addr())
	},
	"node": func(t *testing.T, r *recorder) balancer.Target {
		return startBackend(t, r, listenLocal(t), "nodejs", "node", "testdata/backends/server.js")
	},
	"gunicorn": func(t *testing.T, r *recorder) balancer.Target {
		return startBackend(t, r, listenLocal(t), "gunicorn", "gunicorn", "--bind", "fd://3", "--keep-alive", "60",
			"--worker-class", "gthread", "--threads", "8", "--chdir", "testdata/backends", "app")
	},
	"nginx": startNginx,
}

func startNginx(t *testing.T, r *recorder) balancer.Target {
	t.Helper()
	s := httptest.NewServer(r)
	t.Cleanup(s.Close)
	template, err := os.ReadFile("testdata/backends/nginx.conf")
	if err != nil {
		t.Fatal(err)
	}
	l, dir := listenLocal(t), t.TempDir()
	conf := filepath.Join(dir, "nginx.conf")
	text := strings.NewReplacer("FOLDER", dir, "LISTEN", l.Addr().String(), "RECORDER", s.Listener.Addr().String()).
		Replace(string(template))
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return startBackend(t, r, l, "nginx-light", "nginx", "-c", conf)
}

func listenLocal(t *testing.T) *net.TCPListener {
	t.Helper()
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// startBackend starts a program of a Debian package until the end of the test. It serves
// the listener as its descriptor 3.
func startBackend(
	t *testing.T, r *recorder, l *net.TCPListener, debianPackage, program string, args ...string,
) balancer.Target {
	t.Helper()
	defer func() { _ = l.Close() }()
	path, err := exec.LookPath(program)
	if err != nil {
		path = filepath.Join("/usr/sbin", program) // not in every user's PATH
	}
	socket, err := l.File()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = socket.Close() }()
	c := exec.Command(path, args...)
	c.ExtraFiles = []*os.File{socket}
	c.Env = append(os.Environ(), "NGINX=3;", "PYTHONDONTWRITEBYTECODE=1")
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.Stderr = t.Output()
	out, err := c.StdoutPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		t.Fatalf("start %s, of Debian's package %s: %v", program, debianPackage, err)
	}
	var reading sync.WaitGroup
	reading.Go(func() { r.readLines(out) })
	t.Cleanup(func() {
		_ = syscall.Kill(-c.Process.Pid, syscall.SIGKILL)
		reading.Wait()
		_ = c.Wait()
	})
	return balancertest.Target(program, l.Addr())
}

// serveBackend serves a back end through a load balancer with one loop, so that all clients
// share the connection to the back end. It returns a function that ends the load balancer
// and returns its access log.
func serveBackend(t *testing.T, target balancer.Target, mode string) (port uint16, finish func() []string) {
	t.Helper()
	e, dir := newEngineWithLoops(t, 1), t.TempDir()
	port = balancertest.FreePort(t)
	conf := balancertest.OneGroup(port, 1, target)
	conf.TargetGroups[0].Check.Path = healthPath
	conf.TargetGroups[0].Check.Timeout = time.Second
	conf.TargetGroups[0].Check.UnhealthyThreshold = 1000
	lb := &conf.LoadBalancers[0]
	lb.ARN, lb.LogDir, lb.Desync, lb.IdleTimeout = loadBalancerARN, dir, mode, 3*time.Second
	lb.DropInvalid = mode == "strictest"
	e.Set(conf)
	waitHealthy(t, e)
	return port, func() []string {
		e.Close()
		_, lines := balancertest.AccessLogs(t, dir)
		return lines
	}
}
