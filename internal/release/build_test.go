package release

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/event"
	"aloft.dev/aloft/internal/project"
	"aloft.dev/aloft/internal/remote/remotetest"
	"aloft.dev/aloft/internal/source"
	"aloft.dev/aloft/internal/spec"
	"aloft.dev/aloft/internal/toolchain"
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

// archives is a Toolchain of archives that hold only their names.
type archives struct{ dir string }

func (a archives) write(name, version, arch string) (toolchain.Archive, error) {
	path := filepath.Join(a.dir, name)
	return toolchain.Archive{Path: path, Version: version}, os.WriteFile(path, []byte(name+" for "+arch), 0o600)
}

func (a archives) Node(_ context.Context, version, arch string) (toolchain.Archive, error) {
	return a.write("node", version, arch)
}

func (a archives) Go(_ context.Context, version, arch string) (toolchain.Archive, error) {
	return a.write("go", version, arch)
}

func (a archives) Manager(
	_ context.Context, name project.Manager, version, arch string,
) (toolchain.Archive, error) {
	return a.write(string(name), version, arch)
}

// answers answers what Build asks on the side of its scripts.
func answers(c remotetest.Command) bool {
	for question, answer := range map[string]string{
		"uname -m": "x86_64", "hostname -I": "127.0.0.1", "systemctl show": "NRestarts=0\nInvocationID=1",
	} {
		if strings.HasPrefix(strings.TrimPrefix(c.Text, "sudo -n -H "), question) {
			_, _ = fmt.Fprintln(c.Output, answer)
			return true
		}
	}
	return false
}

// folder creates a small application that answers on a port of this computer.
func folder(t *testing.T) *Builder {
	t.Helper()
	application := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(application.Close)
	at, err := url.Parse(application.URL)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write(t, dir, "package.json", `{"engines": {"node": ">=20"}}`, 0o644)
	write(t, dir, "aloft.yaml", "app: shop\nstart: node server.js\nport: "+at.Port()+"\n", 0o644)
	write(t, dir, "bin/run", "#!/bin/sh\n", 0o755)
	write(t, dir, "node_modules/x/index.js", "", 0o644)
	if err := os.Symlink("bin/run", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	s, err := spec.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	from, err := source.Resolve(t.Context(), s, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return &Builder{Spec: s, Source: from, Toolchain: archives{t.TempDir()}}
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

func TestBuildReportsEveryStepWithItsOutput(t *testing.T) {
	b := folder(t)
	shipped := map[string]string{}
	s := remotetest.Serve(t, remotetest.Listen(t), func(c remotetest.Command) int {
		switch {
		case answers(c):
			return 0
		case strings.Contains(c.Text, "is-active"): // which changes nothing
		case !strings.HasPrefix(c.Text, "sudo -n -H setsid -w sh -euc "):
			t.Errorf("not as root: %.60s", c.Text)
		case strings.Contains(c.Text, "/opt/aloft/"):
			text, _ := io.ReadAll(c.Input)
			shipped["toolchain"] = string(text)
		case strings.Contains(c.Text, "tar -xzf"):
			unpacked, err := gzip.NewReader(c.Input)
			if err != nil {
				t.Error(err)
				return 1
			}
			archive := tar.NewReader(unpacked)
			for h, err := archive.Next(); err == nil; h, err = archive.Next() {
				data, _ := io.ReadAll(archive)
				shipped[h.Name] = fmt.Sprintf("%o %s%s", h.Mode, h.Linkname, data)
			}
			_, _ = fmt.Fprint(c.Output, "\x1b[32mfirst\x1b[0m\r\npartial", "\rlast without an end")
		}
		return 0
	})
	var told story
	if err := b.Build(t.Context(), s.Target(), told.sink); err != nil {
		t.Fatal(err)
	}
	want := []string{"server-1 start 10 connect over SSH", "server-1 done 10 connect over SSH"}
	for _, step := range b.recipe() {
		want = append(want, "server-1 start "+step.number+" "+step.name)
		if step.number == "13" {
			want = append(want, "server-1 progress 13 "+step.name+": fetching it on this computer")
		}
		if step.number == "12,14" {
			want = append(want, "server-1 output 12,14 first", "server-1 output 12,14 last without an end")
		}
		want = append(want, "server-1 done "+step.number+" "+step.name)
	}
	want = append(want, "server-1 start 16 start node server.js", "server-1 done 16 start node server.js",
		"server-1 start 16 prove that it answers",
		"server-1 output 16 http://127.0.0.1:"+strconv.Itoa(b.Spec.Port)+"/ answers 200",
		"server-1 done 16 prove that it answers",
		"server-1 start 17 forget the machine's own identity", "server-1 done 17 forget the machine's own identity")
	if !slices.Equal(told.lines, want) {
		t.Errorf("told\n%s\nwant\n%s", strings.Join(told.lines, "\n"), strings.Join(want, "\n"))
	}
	wantFiles := map[string]string{
		"package.json": `644 {"engines": {"node": ">=20"}}`, "bin/run": "755 #!/bin/sh\n", "link": "644 bin/run",
		"toolchain": "node for amd64",
	}
	if !maps.Equal(shipped, wantFiles) {
		t.Errorf("shipped %v, want %v", shipped, wantFiles)
	}
}

func TestFailingStepStopsTheBuild(t *testing.T) {
	b := folder(t)
	b.Source.Project.Install = []string{"npm ci"}
	b.Source.Project.Build = []string{"npm run build"}
	s := remotetest.Serve(t, remotetest.Listen(t), func(c remotetest.Command) int {
		if answers(c) {
			return 0
		}
		_, _ = io.Copy(io.Discard, c.Input)
		if strings.Contains(c.Text, "npm run build") {
			t.Error("the build goes on")
		}
		if !strings.Contains(c.Text, "npm ci") {
			return 0
		}
		for i := range 30 {
			_, _ = fmt.Fprintf(c.Output, "npm error %d\n", i)
		}
		return 7
	})
	var told story
	d := problem(t, b.Build(t.Context(), s.Target(), told.sink))
	lines := strings.Split(d.Detail, "\n")
	if d.Where != "server-1" || d.Summary != "npm ci failed (exit 7)" || len(lines) != 20 ||
		lines[19] != "npm error 29" || !strings.Contains(d.Hint, "aloft ssh server-1") {
		t.Errorf("%+v", d)
	}
	if last := told.lines[len(told.lines)-1]; last != "server-1 fail 15 npm ci failed (exit 7)" {
		t.Errorf("told %s", last)
	}
}

func TestChangedFolderIsNotShipped(t *testing.T) {
	b := folder(t)
	s := remotetest.Serve(t, remotetest.Listen(t), func(c remotetest.Command) int {
		if answers(c) {
			return 0
		}
		unpacked, err := gzip.NewReader(c.Input)
		if err != nil {
			return 0
		}
		if _, err := io.Copy(io.Discard, unpacked); err != nil {
			return 2 // like gzip for a truncated stream
		}
		return 0
	})
	write(t, b.Source.Root, "package.json", "[]", 0o644)
	d := problem(t, b.Build(t.Context(), s.Target(), (&story{}).sink))
	if !strings.Contains(d.Summary, "changed in the meantime") {
		t.Errorf("%+v", d)
	}
}

func TestCancelStopsTheRemoteCommand(t *testing.T) {
	b := folder(t)
	stopped := make(chan struct{})
	s := remotetest.Serve(t, remotetest.Listen(t), func(c remotetest.Command) int {
		if answers(c) {
			return 0
		}
		if !strings.Contains(c.Text, "setsid") {
			close(stopped)
			return 0
		}
		_, _ = fmt.Fprintln(c.Output, "begun")
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
	err := b.Build(ctx, s.Target(), told.sink)
	if !errors.Is(err, interrupted) {
		t.Errorf("got %v", err)
	}
	select {
	case <-stopped:
	default:
		t.Error("the command runs on")
	}
}

func TestFailedProofShowsTheLogAndWhatToDo(t *testing.T) {
	b := folder(t)
	for name, test := range map[string]struct {
		matcher       string
		worker        int // exit code of running.sh
		summary, hint string
	}{
		"status": {"404", 0, "prove that it answers failed: http://127.0.0.1", "load_balancer.health"},
		"worker": {"200", 3, "failed: aloft-shop-worker does not run", "aloft ssh"},
	} {
		t.Run(name, func(t *testing.T) {
			s := remotetest.Serve(t, remotetest.Listen(t), func(c remotetest.Command) int {
				switch {
				case answers(c):
					return 0
				case strings.Contains(c.Text, "journalctl"):
					_, _ = fmt.Fprintln(c.Output, "the last words")
				case strings.Contains(c.Text, "is-active"):
					if test.worker != 0 {
						_, _ = fmt.Fprintln(c.Output, "aloft-shop-worker.service")
					}
					return test.worker
				}
				return 0
			})
			checked := *b.Spec
			checked.LoadBalancer.Health.Matcher = test.matcher
			checked.Release.Watch = 0
			proving := Builder{Spec: &checked, Source: b.Source, Patience: time.Second}
			d := problem(t, proving.Prove(t.Context(), s.Target(), (&story{}).sink))
			if !strings.Contains(d.Summary, test.summary) || !strings.Contains(d.Hint, test.hint) ||
				d.Detail != "the last words" {
				t.Errorf("%+v", d)
			}
		})
	}
}

func TestLogsFollowUntilTheContextEnds(t *testing.T) {
	s := remotetest.Serve(t, remotetest.Listen(t), func(c remotetest.Command) int {
		if !strings.Contains(c.Text, "journalctl") || !strings.Contains(c.Text, "aloft-shop.service") ||
			!strings.Contains(c.Text, "aloft-shop-*.service") || !strings.Contains(c.Text, "-n 5") {
			t.Errorf("ran %s", c.Text)
		}
		_, _ = fmt.Fprintln(c.Output, "one line")
		_, _ = io.Copy(io.Discard, c.Input)
		return 0
	})
	ctx, cancel := context.WithCancel(t.Context())
	var got []string
	err := Logs(ctx, s.Target(), "shop", LogOptions{Lines: 5, Follow: true}, func(line string) {
		got = append(got, line)
		cancel()
	})
	if err != nil || !slices.Equal(got, []string{"one line"}) {
		t.Errorf("%v %v", got, err)
	}
}

func TestMeterReportsARate(t *testing.T) {
	var said []string
	w := &meter{
		to: io.Discard, began: time.Now().Add(-2 * time.Second),
		say: func(bytes int64, rate float64) { said = append(said, fmt.Sprintf("%d at %.0f", bytes, rate/1000)) },
	}
	for range 3 {
		if _, err := w.Write(make([]byte, 4000)); err != nil {
			t.Fatal(err)
		}
	}
	if len(said) != 1 || said[0] != "4000 at 2" {
		t.Errorf("said %v", said)
	}
}
