package release

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"aloft.dev/aloft/internal/diag"
)

// ours tells of a repository's URL that only this machine can read it: over SSH
// with its user's keys, with credentials in the URL, or off this machine itself
// (git-clone(1), "GIT URLS").
func ours(raw string) bool {
	u, err := url.Parse(raw)
	if err != nil || u.User != nil {
		return true // user@host:path is no URL of RFC 3986
	}
	switch u.Scheme {
	case "http", "https", "git":
		host := u.Hostname()
		address, err := netip.ParseAddr(host)
		return host == "localhost" || strings.HasSuffix(host, ".localhost") || err == nil && address.IsLoopback()
	}
	return true
}

// gitHere runs git, or a script of it, with no terminal to ask on: where
// credentials are missing, it fails instead of waiting.
func gitHere(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(cmd.Environ(), "GIT_TERMINAL_PROMPT=0", "LC_ALL=C")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	cmd.WaitDelay = time.Second // for what git itself has started
	return cmd
}

// asStranger takes from git all that is its user's: what it can read then,
// a machine can read too.
func asStranger(cmd *exec.Cmd) *exec.Cmd {
	cmd.Env = append(cmd.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "HOME=/nonexistent", "GIT_ASKPASS=",
		"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=credential.helper", "GIT_CONFIG_VALUE_0=")
	return cmd
}

// carry clones a repository that machines cannot read into a folder of this
// machine, to be shipped from here: the user's credentials stay with the user.
func carry(ctx context.Context, s Source) (folder Source, remove func(), err error) {
	room, err := os.MkdirTemp("", "aloft-source-")
	if err != nil {
		return Source{}, nil, fmt.Errorf("make a folder for the source: %w", err)
	}
	clean := func() { _ = os.RemoveAll(room) }
	defer func() {
		if err != nil {
			clean()
		}
	}()
	home := filepath.Join(room, "source")
	folder = Source{Path: home + ".new"}
	if err := os.Mkdir(folder.Path, 0o700); err != nil {
		return Source{}, nil, fmt.Errorf("make a folder for the source: %w", err)
	}
	// The machine's own script, so that both ways give the same files.
	cmd := gitHere(ctx, "sh", "-euc", read("clone.sh"))
	cmd.Env = append(cmd.Environ(), "home="+home, "url="+s.Git, "commit="+s.Commit)
	var complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = &complaints, &complaints
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return Source{}, nil, context.Cause(ctx)
		}
		return Source{}, nil, &diag.Diagnostic{
			Where:   redact(s.Git),
			Summary: "commit " + s.Commit + " cannot be cloned",
			Cause:   err,
			Detail: strings.TrimSpace(
				tail(strings.ReplaceAll(complaints.String(), s.Git, redact(s.Git)), tailLines),
			),
			Hint: "clone it by hand to see why, then run aloft up again",
		}
	}
	files, err := list(ctx, folder)
	if err != nil {
		return Source{}, nil, fmt.Errorf("list the files of %s: %w", redact(s.Git), err)
	}
	folder.Digest, err = digest(ctx, folder.Path, files)
	return folder, clean, err
}
