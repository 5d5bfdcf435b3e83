//go:build linux

package image

import (
	"bytes"
	"compress/gzip"
	"context"
	"debug/elf"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"
)

// program returns the header of a program for a processor.
func program(t *testing.T, machine elf.Machine) string {
	t.Helper()
	header := elf.Header64{
		Type: uint16(elf.ET_DYN), Machine: uint16(machine), Version: uint32(elf.EV_CURRENT), Ehsize: 64,
	}
	copy(header.Ident[:], elf.ELFMAG)
	header.Ident[elf.EI_CLASS], header.Ident[elf.EI_DATA] = byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB)
	header.Ident[elf.EI_VERSION] = byte(elf.EV_CURRENT)
	var out bytes.Buffer
	if err := binary.Write(&out, binary.LittleEndian, header); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// debianRoot returns the entries of a small root filesystem, except those named in without.
func debianRoot(t *testing.T, machine elf.Machine, without ...string) []entry {
	t.Helper()
	all := []entry{
		dir("./"), symlink("./sbin", "usr/sbin"), symlink("./lib", "usr/lib"),
		symlink("./usr/sbin/init", "/lib/systemd/systemd"), file("./usr/lib/systemd/systemd", program(t, machine)),
		symlink("./etc/os-release", "../usr/lib/os-release"),
		file("./usr/lib/os-release", "ID=debian\nPRETTY_NAME=\"Debian GNU/Linux 13 (trixie)\"\n"),
		file("./etc/passwd", "root:x:0:0:root:/root:/bin/bash\nweb:x:1000:1000::/home/web:/bin/bash\n"),
		file("./usr/bin/sudo", ""), file("./usr/sbin/sshd", ""), file("./usr/bin/ssh-keygen", ""),
		file("./usr/bin/curl", ""), dir("./etc/apt/apt.conf.d"), file("./etc/machine-id", "abc\n"), dir("./etc/cloud"),
	}
	var kept []entry
	for _, e := range all {
		skip := false
		for _, name := range without {
			skip = skip || strings.HasSuffix(e.name, name)
		}
		if !skip {
			kept = append(kept, e)
		}
	}
	return kept
}

func writeArchive(t *testing.T, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "archive")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// compressions compress an archive.
func compressions(t *testing.T) map[string]func([]byte) []byte {
	t.Helper()
	through := func(newWriter func(io.Writer) io.WriteCloser) func([]byte) []byte {
		return func(data []byte) []byte {
			var out bytes.Buffer
			w := newWriter(&out)
			if _, err := w.Write(data); err != nil {
				t.Fatal(err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			return out.Bytes()
		}
	}
	return map[string]func([]byte) []byte{
		"none": func(data []byte) []byte { return data },
		"gzip": through(func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) }),
		"zstd": through(func(w io.Writer) io.WriteCloser {
			encoder, err := zstd.NewWriter(w)
			if err != nil {
				t.Fatal(err)
			}
			return encoder
		}),
		"xz": func(data []byte) []byte {
			cmd := exec.Command("xz", "--stdout")
			cmd.Stdin = bytes.NewReader(data)
			out, err := cmd.Output()
			if err != nil {
				t.Fatal(err) // make test installs xz
			}
			return out
		},
	}
}

// here is the processor of this computer.
var here = machines[runtime.GOARCH]

func TestImportOfEveryCompressionBecomesALayer(t *testing.T) {
	for name, compress := range compressions(t) {
		t.Run(name, func(t *testing.T) {
			s := openStore(t)
			var fractions []float64
			archive := compress(pack(t, debianRoot(t, here)...))
			progress := func(f float64) { fractions = append(fractions, f) }
			i, err := s.Import(t.Context(), writeArchive(t, archive), progress)
			if err != nil {
				t.Fatal(err)
			}
			want := RootFilesystem{System: "Debian GNU/Linux 13 (trixie)", User: "web"}
			if diff := cmp.Diff(want, i.RootFilesystem); diff != "" || i.Bytes == 0 {
				t.Errorf("%d bytes, %s", i.Bytes, diff)
			}
			if len(fractions) == 0 || fractions[len(fractions)-1] != 1 {
				t.Errorf("progress %v", fractions)
			}
			if err := s.CommitImport(t.Context(), i.ID(), "layer-1"); err != nil {
				t.Fatal(err)
			}
			if err := i.Close(); err != nil {
				t.Error(err)
			}
			checkImported(t, s.Path("layer-1"))
			if err := s.CommitImport(t.Context(), i.ID(), "layer-2"); !errors.Is(err, ErrNoImport) {
				t.Errorf("a second commit: %v", err)
			}
			if entries, err := os.ReadDir(s.imports()); err != nil || len(entries) > 0 {
				t.Errorf("left: %v, %v", entries, err)
			}
		})
	}
}

// checkImported checks what an import adds to a root filesystem and what it removes.
func checkImported(t *testing.T, layer string) {
	t.Helper()
	for path, want := range map[string]string{
		"usr/lib/aloft/login-user": "web\n", "etc/sudoers.d/90-aloft": sudoers("web"),
		"etc/cloud/cloud-init.disabled": "The local cloud sets up its machines itself.\n",
	} {
		if got, err := os.ReadFile(filepath.Join(layer, path)); err != nil || string(got) != want {
			t.Errorf("%s contains %q, %v", path, got, err)
		}
	}
	for path, want := range map[string]string{
		"etc/resolv.conf":                                "/run/aloft/resolv.conf",
		"etc/apt/apt.conf.d/90-aloft-machine":            "/run/aloft/apt.conf",
		"etc/systemd/system/systemd-networkd.service":    "/dev/null",
		wantedUnit("aloft-init.service"):                 "/usr/lib/systemd/system/aloft-init.service",
		"etc/systemd/system/systemd-udevd.service":       "/dev/null",
		"etc/systemd/system/systemd-random-seed.service": "/dev/null",
		"etc/systemd/system/NetworkManager.service":      "/dev/null",
		"etc/systemd/system/systemd-networkd.socket":     "/dev/null",
	} {
		if got, err := os.Readlink(filepath.Join(layer, path)); err != nil || got != want {
			t.Errorf("%s leads to %q, %v", path, got, err)
		}
	}
	for _, path := range []string{"etc/machine-id", "etc/dpkg/dpkg.cfg.d/50-aloft", "etc/apt/apt.conf.d/50-aloft"} {
		if _, err := os.Lstat(filepath.Join(layer, path)); err == nil {
			t.Errorf("%s exists", path)
		}
	}
	if info, err := os.Stat(layer); err != nil || info.Mode().Perm() != 0o755 {
		t.Errorf("the root has mode %v, %v", info.Mode(), err)
	}
}

func TestImportWithoutSudoLogsInAsRoot(t *testing.T) {
	s := openStore(t)
	archive := pack(t, debianRoot(t, here, "/sudo", "/sshd", "/curl", "/apt.conf.d")...)
	i, err := s.Import(t.Context(), writeArchive(t, archive), func(float64) {})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = i.Close() }()
	if i.User != "root" || len(i.Notes) != 2 {
		t.Errorf("user %s, notes %q", i.User, i.Notes)
	}
	settings, err := os.ReadFile(filepath.Join(i.dir.path, "etc/ssh/sshd_config.d/00-aloft.conf"))
	if err != nil || !strings.Contains(string(settings), "PermitRootLogin prohibit-password") {
		t.Errorf("sshd's settings %q, %v", settings, err)
	}
	if _, err := os.Lstat(filepath.Join(i.dir.path, "etc/apt")); err == nil {
		t.Error("an image without apt got settings of apt")
	}
}

func TestImportRefusesWhatCannotBoot(t *testing.T) {
	other := elf.EM_AARCH64
	if runtime.GOARCH == "arm64" {
		other = elf.EM_X86_64
	}
	// Everything that an import adds goes below these, and a link could lead out.
	outside := t.TempDir()
	leadsOut := func(name string) []byte {
		return pack(t, append(debianRoot(t, here, "apt.conf.d"), symlink(name, outside))...)
	}
	compress := compressions(t)
	whole := pack(t, debianRoot(t, here)...)
	cut := func(name string) []byte { data := compress[name](whole); return data[:len(data)/2] }
	for name, tc := range map[string]struct {
		archive []byte
		want    error
	}{
		"no archive":         {[]byte("hello"), ErrNotArchive},
		"an empty file":      {nil, ErrNotArchive},
		"no archive in gzip": {compress["gzip"]([]byte(strings.Repeat("hello", 999))), ErrTruncated},
		"half a gzip":        {cut("gzip"), ErrTruncated},
		"half a zstd":        {cut("zstd"), ErrTruncated},
		"half an xz":         {cut("xz"), ErrTruncated},
		"half a tar":         {cut("none"), ErrTruncated},
		"no init":            {pack(t, debianRoot(t, here, "/init")...), ErrNotRootFilesystem},
		"an init that is a link to nothing": {
			pack(t, debianRoot(t, here, "/systemd/systemd")...), ErrNotRootFilesystem,
		},
		"another init": {
			pack(t, append(debianRoot(t, here, "/init"), file("usr/sbin/init", program(t, here)))...),
			ErrNotRootFilesystem,
		},
		"an init that is a script": {
			pack(t, append(debianRoot(t, here), file("usr/lib/systemd/systemd", "#!/bin/sh\n"))...),
			ErrNotRootFilesystem,
		},
		"a circle of links": {
			pack(t, append(debianRoot(t, here, "/init"), symlink("usr/sbin/init", "init"))...), ErrNotRootFilesystem,
		},
		"no os-release":           {pack(t, debianRoot(t, here, "/os-release")...), ErrNotRootFilesystem},
		"no passwd":               {pack(t, debianRoot(t, here, "/passwd")...), ErrNotRootFilesystem},
		"another processor":       {pack(t, debianRoot(t, other)...), ErrArchitecture},
		"a link at usr/lib/aloft": {leadsOut("usr/lib/aloft"), ErrNotRootFilesystem},
		"a link at etc/systemd":   {leadsOut("etc/systemd"), ErrNotRootFilesystem},
		"a link at etc/ssh":       {leadsOut("etc/ssh"), ErrNotRootFilesystem},
		"a link at proc":          {leadsOut("proc"), ErrNotRootFilesystem},
	} {
		t.Run(name, func(t *testing.T) {
			s := openStore(t)
			_, err := s.Import(t.Context(), writeArchive(t, tc.archive), func(float64) {})
			if !errors.Is(err, tc.want) {
				t.Errorf("error %v, want %v", err, tc.want)
			}
			if entries, err := os.ReadDir(s.imports()); err != nil || len(entries) > 0 {
				t.Errorf("left: %v, %v", entries, err)
			}
		})
	}
	if entries, err := os.ReadDir(outside); err != nil || len(entries) > 0 {
		t.Errorf("written outside: %v, %v", entries, err)
	}
}

func TestInterruptedImportLeavesNothing(t *testing.T) {
	s := openStore(t)
	ctx, cancel := context.WithCancel(t.Context())
	large := file("large", strings.Repeat("x", 4<<20))
	_, err := s.Import(ctx, writeArchive(t, pack(t, large)), func(f float64) {
		if f > 0.3 {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want context.Canceled", err)
	}
	if entries, err := os.ReadDir(s.imports()); err != nil || len(entries) > 0 {
		t.Errorf("left: %v, %v", entries, err)
	}
}

func TestCleanKeepsTheImportsOfLiveProcesses(t *testing.T) {
	s := openStore(t)
	alive, err := s.newImportDir()
	if err != nil {
		t.Fatal(err)
	}
	killed, err := s.newImportDir()
	if err != nil {
		t.Fatal(err)
	}
	if err := killed.lock.Close(); err != nil { // as the kernel does when a process ends
		t.Fatal(err)
	}
	if err := s.Clean(t.Context()); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(s.imports())
	if err != nil || len(entries) != 1 || entries[0].Name() != filepath.Base(alive.path) {
		t.Errorf("left: %v, %v; want %s", entries, err, alive.path)
	}
	if err := alive.close(); err != nil {
		t.Error(err)
	}
	if err := s.CommitImport(t.Context(), "../layers/x", "layer-1"); !errors.Is(err, ErrNoImport) {
		t.Errorf("an id that is a path: %v", err)
	}
}
