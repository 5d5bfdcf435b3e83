package image

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// Where Debian is when the host itself has none of it.
const (
	archive  = "http://deb.debian.org/debian"
	security = "http://deb.debian.org/debian-security"
	keyring  = "/usr/share/keyrings/debian-archive-keyring.gpg"
)

// buildStages are mmdebstrap's messages that tell how far it is, and how much of the
// whole is behind when they come.
var buildStages = []struct {
	message, stage string
	behind         float64
}{
	{"running apt-get update", "read the package lists", 0.01},
	{"downloading packages", "download packages", 0.07},
	{"extracting archives", "extract packages", 0.15},
	{"installing essential packages", "install essential packages", 0.28},
	{"installing remaining packages", "install packages", 0.5},
	{"cleaning package lists", "clean up", 0.96},
}

// exclude tells dpkg in the image what to leave out, before it installs most
// packages; finish deletes that of the first. Were mmdebstrap itself told, it would
// pass every package through a filter of its own, which takes ten seconds more.
const (
	exclusionsFile = "etc/dpkg/dpkg.cfg.d/50-aloft"
	exclusionsHook = `cat >"$1/` + exclusionsFile + "\" <<'end'\n"
)

// customizeHook is what is run in the image after its packages are installed.
const customizeHook = `chroot "$1" useradd --create-home --uid 1000 --user-group --groups adm,sudo --shell /bin/bash admin
chroot "$1" passwd --lock admin >/dev/null
chmod u+s "$1/usr/bin/ping"
setcap -r "$1/usr/bin/ping" 2>/dev/null || true
find "$1/usr/share/doc" -type f ! -name copyright -delete
rm -rf "$1"/usr/share/man/* "$1"/usr/share/locale/*
for section in 1 2 3 4 5 6 7 8; do mkdir "$1/usr/share/man/man$section"; done # some packages install links there
rm -f "$1"/etc/ssh/ssh_host_* "$1"/etc/apt/sources.list.d/* "$1"/var/log/*.log "$1"/var/log/apt/*
install -d -m 755 "$1/var/log/journal"`

// runMmdebstrap makes a Debian in dir with mmdebstrap.
func runMmdebstrap(ctx context.Context, dir string, progress func(string, float64)) error {
	program, err := exec.LookPath("mmdebstrap")
	if err != nil {
		return fmt.Errorf("find mmdebstrap (apt-get install mmdebstrap): %w", err)
	}
	exclusions, err := debianFiles.ReadFile("debian/" + exclusionsFile)
	if err != nil {
		return fmt.Errorf("read what to leave out: %w", err)
	}
	args := []string{
		"--variant=minbase", "--mode=root", "--format=directory",
		"--include=" + strings.Join(packages, ","),
		`--aptopt=APT::Install-Recommends "false"`, `--aptopt=Acquire::Languages "none"`,
		"--dpkgopt=force-unsafe-io", // a loss of power loses the whole build anyway
		"--extract-hook=" + exclusionsHook + string(exclusions) + "end", "--customize-hook=" + customizeHook,
	}
	if _, err := os.Stat(keyring); err == nil {
		args = append(args, "--keyring="+keyring)
	}
	for _, setting := range HostAptSettings(ctx) {
		args = append(args, "--aptopt="+setting)
	}
	main, updates := hostMirrors("/etc/apt")
	args = append(args, "bookworm", dir,
		"deb "+main+" bookworm main", "deb "+main+" bookworm-updates main", "deb "+updates+" bookworm-security main")
	cmd := exec.CommandContext(ctx, program, args...)
	// As Ctrl-C in a terminal does, end all of it together; mmdebstrap then cleans up.
	// It does not outlive this process, whose thread is held until it has ended.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGINT) }
	cmd.WaitDelay = 10 * time.Second
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
		return fmt.Errorf("run mmdebstrap: %w\n%s", err, tail)
	}
	return nil
}

// reportProgress tells the progress and returns the last lines.
func reportProgress(out io.Reader, progress func(string, float64)) string {
	var tail []string
	for lines := bufio.NewScanner(out); lines.Scan(); {
		for _, s := range buildStages {
			if strings.Contains(lines.Text(), s.message) {
				progress(s.stage, s.behind)
			}
		}
		if tail = append(tail, lines.Text()); len(tail) > 15 {
			tail = tail[1:]
		}
	}
	return strings.Join(tail, "\n")
}

// HostAptSettings are the settings by which the host's apt reaches its archive. A host may
// have no apt.
func HostAptSettings(ctx context.Context) []string {
	out, err := exec.CommandContext(ctx, "apt-config", "dump").Output()
	if err != nil {
		return nil
	}
	return archiveSettings(out)
}

// archiveSettings picks, from the output of apt-config dump, the settings that apt
// needs to reach an archive: proxies, and tolerance for a mirror's old signatures
// (apt.conf(5)).
func archiveSettings(dump []byte) []string {
	var kept []string
	for line := range bytes.Lines(dump) {
		for _, prefix := range []string{"Acquire::http::Proxy ", "Acquire::https::Proxy ", "Acquire::Check-Valid-Until ", "Acquire::Check-Date "} {
			if bytes.HasPrefix(line, []byte(prefix)) {
				kept = append(kept, string(bytes.TrimSpace(line)))
			}
		}
	}
	return kept
}

// hostMirrors finds where the host gets Debian and its security updates from, if it is
// a Debian (sources.list(5)): a company's mirror is then used here too.
func hostMirrors(apt string) (main, updates string) {
	main, updates = archive, security
	paths := []string{filepath.Join(apt, "sources.list")}
	for _, pattern := range []string{"*.list", "*.sources"} {
		found, _ := filepath.Glob(filepath.Join(apt, "sources.list.d", pattern)) // the pattern is good
		paths = append(paths, found...)
	}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if errors.Is(err, os.ErrNotExist) || err != nil {
			continue
		}
		for word := range strings.FieldsSeq(stripComments(string(data))) {
			if !strings.HasPrefix(word, "http://") && !strings.HasPrefix(word, "https://") {
				continue
			}
			switch address := strings.TrimSuffix(word, "/"); {
			case strings.HasSuffix(address, "/debian"):
				main = address
			case strings.HasSuffix(address, "/debian-security"):
				updates = address
			}
		}
	}
	return main, updates
}

func stripComments(text string) string {
	var kept strings.Builder
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(strings.TrimSpace(line), "#") {
			_, _ = kept.WriteString(line)
		}
	}
	return kept.String()
}
