package release

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/crypto/ssh"

	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/event"
	"aloft.dev/aloft/internal/spec"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// story records events as lines, such as "start 15 npm ci".
type story struct {
	mu    sync.Mutex
	lines []string
	each  func(event.Event)
}

func (s *story) sink(e event.Event) {
	s.mu.Lock()
	s.lines = append(s.lines, fmt.Sprintf("%s %s %s %s", e.Address, e.Kind, e.Step, e.Message))
	s.mu.Unlock()
	if s.each != nil {
		s.each(e)
	}
}

func problem(t *testing.T, err error) *diag.Diagnostic {
	t.Helper()
	var d *diag.Diagnostic
	if !errors.As(err, &d) {
		t.Fatalf("not a diagnostic: %v", err)
	}
	return d
}

func TestBuildReportsEveryStepWithItsOutput(t *testing.T) {
	application, source := folder(t)
	shipped := map[string]string{}
	s := serve(t, listen(t), func(c command) int {
		if !strings.HasPrefix(c.text, "sudo -n -H setsid -w sh -euc ") {
			t.Errorf("not as root: %.60s", c.text)
		}
		if strings.Contains(c.text, "tar -xzf") {
			unpacked, err := gzip.NewReader(c.input)
			if err != nil {
				t.Error(err)
				return 1
			}
			archive := tar.NewReader(unpacked)
			for h, err := archive.Next(); err == nil; h, err = archive.Next() {
				data, _ := io.ReadAll(archive)
				shipped[h.Name] = fmt.Sprintf("%o %s%s", h.Mode, h.Linkname, data)
			}
			_, _ = fmt.Fprint(c.output, "\x1b[32mfirst\x1b[0m\r\npartial", "\rlast without an end")
		}
		return 0
	})
	var told story
	if err := Build(t.Context(), s.target(), application, source, told.sink); err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, step := range append([]Step{{Number: "10", Name: "connect over SSH"}}, Recipe(application, source)...) {
		want = append(want, "server-1 start "+step.Number+" "+step.Name)
		if step.Ships {
			want = append(want, "server-1 output 12,14 first", "server-1 output 12,14 last without an end")
		}
		want = append(want, "server-1 done "+step.Number+" "+step.Name)
	}
	if !slices.Equal(told.lines, want) {
		t.Errorf("told\n%s\nwant\n%s", strings.Join(told.lines, "\n"), strings.Join(want, "\n"))
	}
	wantFiles := map[string]string{"package.json": "644 {}", "bin/run": "755 #!/bin/sh\n", "link": "644 bin/run"}
	if !maps.Equal(shipped, wantFiles) {
		t.Errorf("shipped %v, want %v", shipped, wantFiles)
	}
}

func TestFailingStepStopsTheBuild(t *testing.T) {
	application, source := folder(t)
	ran := 0
	s := serve(t, listen(t), func(c command) int {
		ran++
		_, _ = io.Copy(io.Discard, c.input)
		if !strings.Contains(c.text, "npm $verb") {
			return 0
		}
		for i := range 30 {
			_, _ = fmt.Fprintf(c.output, "npm error %d\n", i)
		}
		return 7
	})
	var told story
	d := problem(t, Build(t.Context(), s.target(), application, source, told.sink))
	lines := strings.Split(d.Detail, "\n")
	if d.Where != "server-1" || d.Summary != "npm install failed (exit 7)" || len(lines) != 20 ||
		lines[19] != "npm error 29" ||
		!strings.Contains(d.Hint, "aloft ssh server-1") {
		t.Errorf("%+v", d)
	}
	if ran != 5 || told.lines[len(told.lines)-1] != "server-1 fail 15 npm install failed (exit 7)" {
		t.Errorf("%d commands; %v", ran, told.lines[len(told.lines)-1])
	}
}

func TestChangedFolderIsNotShipped(t *testing.T) {
	application, source := folder(t)
	s := serve(t, listen(t), func(c command) int {
		unpacked, err := gzip.NewReader(c.input)
		if err != nil {
			return 0
		}
		if _, err := io.Copy(io.Discard, unpacked); err != nil {
			return 2 // like gzip for a truncated stream
		}
		return 0
	})
	write(t, source.Path, "package.json", "[]", 0o644)
	d := problem(t, Build(t.Context(), s.target(), application, source, (&story{}).sink))
	if !strings.Contains(d.Summary, "changed in the meantime") {
		t.Errorf("%+v", d)
	}
}

func TestWrongHostKeyIsRefusedAtOnce(t *testing.T) {
	s := serve(t, listen(t), func(command) int { t.Error("a command was run"); return 0 })
	target := s.target()
	target.HostKeys = []ssh.PublicKey{newKey(t).PublicKey()}
	_, err := Dial(t.Context(), target)
	if d := problem(t, err); !errors.Is(d, errWrongHostKey) || !strings.Contains(d.Detail, "console") {
		t.Errorf("%+v", d)
	}
	target.HostKeys = nil
	if _, err := Dial(t.Context(), target); !strings.Contains(problem(t, err).Detail, "no host key") {
		t.Error(err)
	}
}

func TestDialWaitsForAStartingMachine(t *testing.T) {
	first := listen(t)
	address := first.Addr().String()
	first.Close()
	refused := make(chan struct{})
	var dialled sync.WaitGroup
	client, hostKey := newKey(t), newKey(t)
	dialled.Go(func() {
		m, err := Dial(
			t.Context(),
			Target{Address: address, Signer: client, HostKeys: []ssh.PublicKey{hostKey.PublicKey()}},
		)
		if err != nil {
			t.Error(err)
			return
		}
		m.Close()
	})
	go func() { // wait until the port refuses connections
		defer close(refused)
		for {
			conn, err := net.Dial("tcp", address)
			if err != nil {
				return
			}
			conn.Close()
		}
	}()
	<-refused
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	serveAs(t, listener, hostKey, client, func(command) int { return 0 })
	dialled.Wait()
}

func TestCancelStopsTheRemoteCommand(t *testing.T) {
	application, source := folder(t)
	stopped := make(chan struct{})
	s := serve(t, listen(t), func(c command) int {
		if !strings.Contains(c.text, "setsid") {
			close(stopped)
			return 0
		}
		_, _ = fmt.Fprintln(c.output, "begun")
		<-stopped
		return 143
	})
	ctx, cancel := context.WithCancelCause(t.Context())
	interrupted := errors.New("interrupted")
	told := story{each: func(e event.Event) {
		if e.Kind == event.Output {
			cancel(interrupted)
		}
	}}
	err := Build(ctx, s.target(), application, source, told.sink)
	if !errors.Is(err, interrupted) {
		t.Errorf("got %v", err)
	}
	select {
	case <-stopped:
	default:
		t.Error("the command runs on")
	}
}

func TestCancelEndsDial(t *testing.T) {
	listener := listen(t) // accepts connections and sends nothing
	defer listener.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	s := Target{Address: listener.Addr().String(), Signer: newKey(t), HostKeys: []ssh.PublicKey{newKey(t).PublicKey()}}
	if _, err := Dial(ctx, s); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

func TestLogsFollowUntilTheContextEnds(t *testing.T) {
	s := serve(t, listen(t), func(c command) int {
		if !strings.Contains(c.text, "journalctl") || !strings.Contains(c.text, "aloft-shop.service") ||
			!strings.Contains(c.text, "-n 5") {
			t.Errorf("ran %s", c.text)
		}
		_, _ = fmt.Fprintln(c.output, "one line")
		_, _ = io.Copy(io.Discard, c.input)
		return 0
	})
	ctx, cancel := context.WithCancel(t.Context())
	var got []string
	err := Logs(ctx, s.target(), "shop", LogOptions{Lines: 5, Follow: true}, func(line string) {
		got = append(got, line)
		cancel()
	})
	if err != nil || !slices.Equal(got, []string{"one line"}) {
		t.Errorf("%v %v", got, err)
	}
}

// folder creates a small application.
func folder(t *testing.T) (*spec.Spec, Source) {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, "package.json", "{}", 0o644)
	write(t, dir, "aloft.yaml", "app: shop\nstart: node server.js\n", 0o644)
	write(t, dir, "bin/run", "#!/bin/sh\n", 0o755)
	write(t, dir, "node_modules/x/index.js", "", 0o644)
	if err := os.Symlink("bin/run", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	s, err := spec.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	source, err := Resolve(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	return s, source
}

func write(t *testing.T, dir, name, text string, mode os.FileMode) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}
