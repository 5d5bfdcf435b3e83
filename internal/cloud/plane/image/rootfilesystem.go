//go:build linux

package image

import (
	"bufio"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"regexp"
	"strings"
)

// Reasons not to boot what an archive contains.
var (
	ErrNotRootFilesystem = errors.New("it is not a root filesystem with systemd")
	ErrArchitecture      = errors.New("its programs are for another processor")
)

// RootFilesystem describes an imported root filesystem.
type RootFilesystem struct {
	System string   // its own name: "Debian GNU/Linux 13 (trixie)"
	User   string   // login user: the first user if it has sudo, or else root
	Notes  []string // what its machines lack, as sentences
}

// machines are the processors in the headers of programs, by Go's names of architectures.
var machines = map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}

// inspect checks that a root filesystem can boot on an architecture.
func inspect(root *os.Root, arch string) (RootFilesystem, error) {
	var found RootFilesystem
	program, err := resolve(root, "sbin/init")
	if err != nil {
		return found, fmt.Errorf("%w: there is no /sbin/init", ErrNotRootFilesystem)
	}
	if path.Base(program) != "systemd" {
		return found, fmt.Errorf("%w: /sbin/init is /%s", ErrNotRootFilesystem, program)
	}
	if err := checkArchitecture(root, program, arch); err != nil {
		return found, err
	}
	release, err := readLines(root, "etc/os-release")
	if err != nil {
		return found, fmt.Errorf("%w: there is no /etc/os-release", ErrNotRootFilesystem)
	}
	for _, line := range release {
		if value, ok := strings.CutPrefix(line, "PRETTY_NAME="); ok {
			found.System = strings.Trim(value, `"'`)
		}
	}
	accounts, err := readLines(root, "etc/passwd")
	if err != nil {
		return found, fmt.Errorf("%w: there is no /etc/passwd", ErrNotRootFilesystem)
	}
	found.User = "root"
	if first := firstUser(accounts); first != "" && has(root, "usr/bin/sudo") {
		found.User = first
	}
	found.Notes = missing(root)
	return found, nil
}

// missing returns what machines of the image lack without some programs.
func missing(root *os.Root) []string {
	var notes []string
	if !has(root, "usr/sbin/sshd", "usr/bin/sshd") || !has(root, "usr/bin/ssh-keygen") {
		notes = append(notes, "It has no SSH server: nobody can log in to its machines.")
	}
	if !has(root, "usr/bin/curl") && !(has(root, "usr/bin/bash", "bin/bash") && has(root, "usr/bin/timeout")) {
		notes = append(notes, "It has neither curl nor bash: its machines do not learn their SSH key.")
	}
	return notes
}

// checkArchitecture returns an error unless a program runs on an architecture, by Go's name.
func checkArchitecture(root *os.Root, program, arch string) error {
	file, err := root.Open(program)
	if err != nil {
		return fmt.Errorf("read /%s: %w", program, err)
	}
	defer func() { _ = file.Close() }()
	header, err := elf.NewFile(file)
	if err != nil {
		return fmt.Errorf("%w: /%s is not a program: %w", ErrNotRootFilesystem, program, err)
	}
	if header.Machine != machines[arch] {
		return fmt.Errorf("%w: they are for %v, and this computer has %v",
			ErrArchitecture, header.Machine, machines[arch])
	}
	return nil
}

var userName = regexp.MustCompile(`^[a-z_][a-z0-9_-]{0,31}$`)

// firstUser returns the name of the user with id 1000, whom distributions create first, or "".
func firstUser(accounts []string) string {
	for _, line := range accounts {
		fields := strings.Split(line, ":")
		if len(fields) == 7 && fields[2] == "1000" && userName.MatchString(fields[0]) {
			return fields[0]
		}
	}
	return ""
}

// has reports whether one of the files exists.
func has(root *os.Root, paths ...string) bool {
	for _, name := range paths {
		if _, err := resolve(root, name); err == nil {
			return true
		}
	}
	return false
}

// readLines returns the lines of a small text file.
func readLines(root *os.Root, name string) ([]string, error) {
	const limit = 1 << 20
	resolved, err := resolve(root, name)
	if err != nil {
		return nil, err
	}
	file, err := root.Open(resolved)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	var lines []string
	scanner := bufio.NewScanner(io.LimitReader(file, limit))
	for scanner.Scan() {
		lines = append(lines, scanner.Text())
	}
	return lines, scanner.Err()
}

// resolve returns the path of the regular file that name leads to within the root, as it
// does for the machine's processes: an absolute link begins at the root.
func resolve(root *os.Root, name string) (string, error) {
	const maxLinks = 40 // as the kernel (path_resolution(7))
	done, rest := ".", strings.Split(name, "/")
	for links := 0; len(rest) > 0; {
		next := path.Join(done, rest[0])
		rest = rest[1:]
		if strings.HasPrefix(next, "..") { // the root is its own parent
			next = "."
		}
		info, err := root.Lstat(next)
		if err != nil {
			return "", err
		}
		if info.Mode()&os.ModeSymlink == 0 {
			done = next
			continue
		}
		if links++; links > maxLinks {
			return "", fmt.Errorf("%s: too many links", name)
		}
		target, err := root.Readlink(next)
		if err != nil {
			return "", err
		}
		if path.IsAbs(target) {
			done = "."
		}
		rest = append(strings.Split(strings.Trim(target, "/"), "/"), rest...)
	}
	info, err := root.Lstat(done)
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New(name + " is not a file")
	}
	return done, err
}
