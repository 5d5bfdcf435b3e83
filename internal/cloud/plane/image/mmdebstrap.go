//go:build linux

package image

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// interruptTimeout is how long mmdebstrap may clean up after an interrupt before it is killed.
const interruptTimeout = 10 * time.Second

// buildStages maps mmdebstrap's messages to the stages of a build and to the fraction of
// the build that is complete when they appear.
var buildStages = []struct {
	message, stage string
	completed      float64
}{
	{"running apt-get update", "read the package lists", 0.01},
	{"downloading packages", "download packages", 0.07},
	{"extracting archives", "extract packages", 0.15},
	{"installing essential packages", "install essential packages", 0.28},
	{"installing remaining packages", "install packages", 0.5},
	{"cleaning package lists", "clean up", 0.96},
}

// exclusionsHook writes the list of files that dpkg leaves out. It runs before most packages
// are installed; customizeHook deletes such files of the first packages. mmdebstrap's own
// option for exclusions would pass every package through a filter, which takes ten seconds more.
const (
	exclusionsFile = "etc/dpkg/dpkg.cfg.d/50-aloft"
	exclusionsHook = `cat >"$1/` + exclusionsFile + "\" <<'end'\n"
)

// customizeHook returns the script that runs after the image's packages are installed. $1 is
// the image's root.
func customizeHook(user string) string {
	return `chroot "$1" useradd --create-home --uid 1000 --user-group --groups adm,sudo --shell /bin/bash ` + user + `
chroot "$1" passwd --lock ` + user + ` >/dev/null
chmod u+s "$1/usr/bin/ping"
setcap -r "$1/usr/bin/ping" 2>/dev/null || true
find "$1/usr/share/doc" -type f ! -name copyright -delete
rm -rf "$1"/usr/share/man/* "$1"/usr/share/locale/*
for section in 1 2 3 4 5 6 7 8; do mkdir "$1/usr/share/man/man$section"; done # some packages install links there
rm -f "$1"/etc/ssh/ssh_host_* "$1"/etc/apt/sources.list.d/* "$1"/var/log/*.log "$1"/var/log/apt/*
install -d -m 755 "$1/var/log/journal"`
}

// runMmdebstrap installs the base in dir.
func runMmdebstrap(ctx context.Context, b base, mirrors Mirrors, dir string, progress func(string, float64)) error {
	program, err := exec.LookPath("mmdebstrap")
	if err != nil {
		return fmt.Errorf("find mmdebstrap (apt-get install mmdebstrap): %w", err)
	}
	if _, err := os.Stat(b.keyring); err != nil {
		return fmt.Errorf("find the keys that sign the archive (apt-get install %s, which %s have): %w",
			b.keyringPackage, b.keyringOrigin, err)
	}
	args, err := mmdebstrapArgs(ctx, b, mirrors, dir)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, program, args...)
	// Interrupt the whole process group, as Ctrl-C in a terminal does: mmdebstrap then
	// cleans up. Pdeathsig ends it with the thread that started it, so that thread is locked
	// until mmdebstrap has exited.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGINT) }
	cmd.WaitDelay = interruptTimeout
	out, err := cmd.StderrPipe()
	if err != nil {
		return fmt.Errorf("run mmdebstrap: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("run mmdebstrap: %w", err)
	}
	tail := reportProgress(out, progress)
	if err := cmd.Wait(); err != nil {
		if ctx.Err() != nil {
			return fmt.Errorf("run mmdebstrap: %w", ctx.Err())
		}
		return fmt.Errorf("install %s from %s (aloft local start --mirror %s=URL names another archive): %w\n%s",
			b.name, b.archive, b.distribution.name, err, tail)
	}
	return nil
}

func mmdebstrapArgs(ctx context.Context, b base, mirrors Mirrors, dir string) ([]string, error) {
	exclusions, err := files.ReadFile("files/" + exclusionsFile)
	if err != nil {
		return nil, fmt.Errorf("read the list of excluded files: %w", err)
	}
	args := []string{
		"--variant=minbase", "--mode=root", "--format=directory",
		"--include=" + strings.Join(packages, ","),
		`--aptopt=APT::Install-Recommends "false"`, `--aptopt=Acquire::Languages "none"`,
		"--dpkgopt=force-unsafe-io", // after a power failure the build starts over anyway
		"--extract-hook=" + exclusionsHook + string(exclusions) + "end", "--customize-hook=" + customizeHook(b.user),
		"--keyring=" + b.keyring,
	}
	for _, setting := range HostAptSettings(ctx) {
		args = append(args, "--aptopt="+setting)
	}
	// Without a mirror named, use the one that the host's apt uses.
	b.distribution = b.with(mirrors.InUse())
	return append(append(args, b.suite, dir), b.sources()...), nil
}

// reportProgress reads mmdebstrap's messages, calls progress for each stage and returns
// the last 15 lines.
func reportProgress(out io.Reader, progress func(string, float64)) string {
	var tail []string
	for lines := bufio.NewScanner(out); lines.Scan(); {
		for _, s := range buildStages {
			if strings.Contains(lines.Text(), s.message) {
				progress(s.stage, s.completed)
			}
		}
		if tail = append(tail, lines.Text()); len(tail) > 15 {
			tail = tail[1:]
		}
	}
	return strings.Join(tail, "\n")
}
