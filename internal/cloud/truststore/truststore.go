//go:build linux

// Package truststore adds a root certificate to the stores that programs of this host
// trust, and removes it: the system's store, and those of Chromium and Firefox, which
// they keep for each user.
package truststore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"aloft.dev/aloft/internal/cloud/durable"
)

// User is whose browsers trust the certificate.
type User struct {
	Name, Home string
	UID, GID   uint32
}

// Stores are the stores of a host.
type Stores struct {
	Name string // of the certificate in each store, and of its file
	Root string // of the filesystem; empty: "/"
	User *User  // nil: only the system's store

	// Run runs a program as a user, or as this one if user is nil, and returns what it
	// prints. nil: Run of this package.
	Run func(ctx context.Context, user *User, name string, args ...string) ([]byte, error)
}

// Result describes what was done to one store.
type Result struct {
	Store   string // "the system's store (/usr/local/share/ca-certificates/…)"
	Changed bool
	Note    string // why nothing could be done; empty: the store is as wanted
}

// system is a way to keep certificates in the system's store.
type system struct {
	folder, extension string
	update, remove    []string // commands
}

// systems are the ways of Debian, Ubuntu and Alpine; Fedora and Red Hat; openSUSE; Arch.
var systems = []system{
	{
		"usr/local/share/ca-certificates", ".crt",
		[]string{"update-ca-certificates"}, []string{"update-ca-certificates", "--fresh"},
	},
	{"etc/pki/ca-trust/source/anchors", ".pem", []string{"update-ca-trust", "extract"}, nil},
	{"usr/share/pki/trust/anchors", ".pem", []string{"update-ca-certificates"}, nil},
	{"etc/ca-certificates/trust-source/anchors", ".crt", []string{"trust", "extract-compat"}, nil},
}

// Install adds a certificate in PEM to all stores, or replaces an earlier one of the name.
func (s Stores) Install(ctx context.Context, certificate []byte) ([]Result, error) {
	found, path := s.system()
	if found == nil {
		return nil, errors.New("this system keeps its trusted certificates in no folder that Aloft knows")
	}
	result := Result{Store: "the system's store (" + path + ")"}
	if old, err := os.ReadFile(path); err != nil || !bytes.Equal(old, certificate) {
		if err := durable.WriteFile(path, certificate, 0o644); err != nil {
			return nil, fmt.Errorf("add the certificate to the system's store: %w", err)
		}
		if err := s.command(ctx, found.update); err != nil {
			// Without the file the next run tries again.
			return nil, errors.Join(err, os.Remove(path))
		}
		result.Changed = true
	}
	browsers, err := s.installInBrowsers(ctx, certificate, path)
	return append([]Result{result}, browsers...), err
}

// Remove removes the certificate of the name from all stores.
func (s Stores) Remove(ctx context.Context) ([]Result, error) {
	var results []Result
	if found, path := s.system(); found != nil {
		result := Result{Store: "the system's store (" + path + ")"}
		err := os.Remove(path)
		switch {
		case err == nil:
			remove := found.remove
			if remove == nil {
				remove = found.update
			}
			if err := s.command(ctx, remove); err != nil {
				return nil, err
			}
			result.Changed = true
		case !errors.Is(err, fs.ErrNotExist):
			return nil, fmt.Errorf("remove the certificate from the system's store: %w", err)
		}
		results = append(results, result)
	}
	browsers, err := s.removeFromBrowsers(ctx)
	return append(results, browsers...), err
}

// Installed reports whether the system's store has a certificate of the name.
func (s Stores) Installed() bool {
	found, path := s.system()
	if found == nil {
		return false
	}
	_, err := os.Stat(path)
	return err == nil
}

// system returns how this system keeps certificates, and the path of this one.
func (s Stores) system() (*system, string) {
	for i := range systems {
		folder := filepath.Join(s.root(), systems[i].folder)
		if info, err := os.Stat(folder); err == nil && info.IsDir() {
			return &systems[i], filepath.Join(folder, s.Name+systems[i].extension)
		}
	}
	return nil, ""
}

func (s Stores) root() string {
	if s.Root == "" {
		return "/"
	}
	return s.Root
}

func (s Stores) command(ctx context.Context, argv []string) error {
	if out, err := s.run(ctx, nil, argv[0], argv[1:]...); err != nil {
		return fmt.Errorf("update the system's store with %s: %w: %s", argv[0], err, bytes.TrimSpace(out))
	}
	return nil
}

func (s Stores) run(ctx context.Context, user *User, name string, args ...string) ([]byte, error) {
	if s.Run != nil {
		return s.Run(ctx, user, name, args...)
	}
	return run(ctx, user, name, args...)
}

// run runs a program. It has a user's own rights if it works on the user's files, so that
// links in them lead no further than the user could go.
func run(ctx context.Context, user *User, name string, args ...string) ([]byte, error) {
	c := exec.CommandContext(ctx, name, args...)
	if user != nil {
		c.Dir, c.Env = "/", append(c.Environ(), "HOME="+user.Home)
		c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: user.UID, Gid: user.GID}}
	}
	return c.CombinedOutput()
}
