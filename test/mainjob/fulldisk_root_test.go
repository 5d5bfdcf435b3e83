//go:build linux && root

package mainjob

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"aloft.dev/aloft/test/program"
)

// fullDisk fills the disk when the application answers on server-1, just before
// aloft creates its image.
func (c *deployed) fullDisk(t *testing.T) {
	d := c.Status(t, program.TutorialFolder)
	dir := t.TempDir()
	program.Write(
		t, filepath.Join(dir, "aloft.yaml"),
		program.SmallSpec("squeezed", d.ImageID, "source: {path: .}", "node server.js"),
	)
	program.Write(t, filepath.Join(dir, "package.json"), `{}`)
	program.Write(t, filepath.Join(dir, "server.js"), fmt.Sprintf(program.Greeter, "room"))
	said, code, empty := c.upWithoutRoom(t, dir)
	defer empty()
	for _, word := range []string{"image squeezed-", "no space left on device", "run aloft up again"} {
		if code != 1 || !strings.Contains(said, word) {
			t.Errorf("exit %d; %q is not in\n%s", code, word, said)
		}
	}
	program.Fetch(t, d.URL)
	machine := c.Status(t, dir).Machines[0]
	if machine.State != "running" {
		t.Errorf("the machine of which no image could be made is %s", machine.State)
	}
	c.Refused(t, []string{"up", dir}, []string{"run aloft up again"})
	empty()
	// What the machine wrote to the full disk is lost. If its own disk became read-only, the
	// local cloud reboots it.
	program.Eventually(t, program.Patience, "up finishes", func() bool {
		_, _, code := c.Run(t, "up", dir)
		return code == 0
	})
	if got := program.Fetch(t, c.Status(t, dir).URL); !strings.HasPrefix(got, "room from ip-10-0-") {
		t.Errorf("the application answers %q", got)
	}
	c.Must(t, "down", dir, "--yes", "--images")
	c.NothingTagged(t, "squeezed")
}

// upWithoutRoom runs aloft up and fills the disk when the application answers.
func (c *deployed) upWithoutRoom(t *testing.T, dir string) (said string, code int, empty func()) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), program.Patience)
	defer cancel()
	cmd := c.Command(ctx, "up", dir)
	story, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(story); lines.Scan(); {
		said += lines.Text() + "\n"
		if empty == nil && strings.Contains(lines.Text(), "answers 200") {
			// While it is stopped it cannot create the image before the disk is full.
			_ = cmd.Process.Signal(syscall.SIGSTOP)
			empty = sync.OnceFunc(c.fill(t))
			_ = cmd.Process.Signal(syscall.SIGCONT)
		}
	}
	if err := cmd.Wait(); err == nil || empty == nil {
		t.Fatalf("the disk was not filled in time: %v\n%s", err, said)
	}
	return said, cmd.ProcessState.ExitCode(), empty
}

// fill keeps the state folder's disk full until empty is called.
func (c *deployed) fill(t *testing.T) (empty func()) {
	t.Helper()
	var disk unix.Statfs_t
	if err := unix.Statfs(c.State, &disk); err != nil {
		t.Fatal(err)
	}
	filler := filepath.Join(filepath.Dir(c.State), "filler")
	f, err := os.Create(filler)
	if err != nil {
		t.Fatal(err)
	}
	at := int64(0)
	grow := func(piece int64) {
		for piece >= 4096 {
			if unix.Fallocate(int(f.Fd()), 0, at, piece) == nil {
				at += piece
				continue
			}
			piece /= 2 // the file system needs some blocks for the file's metadata
		}
	}
	grow(int64(disk.Bavail) * disk.Bsize)
	ctx, cancel := context.WithCancel(t.Context())
	var filling sync.WaitGroup
	filling.Go(func() {
		for ctx.Err() == nil {
			if _, err := f.WriteAt(make([]byte, 4096), at); err == nil {
				at += 4096
			}
		}
	})
	return func() {
		cancel()
		filling.Wait()
		_ = f.Close()
		if err := os.Remove(filler); err != nil {
			t.Error(err)
		}
	}
}
