package source

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"aloft.dev/aloft/internal/diag"
)

// cloneScript checks out a commit.
//
//go:embed clone.sh
var cloneScript string

// keepCheckouts is how long checkouts of other commits are kept.
const keepCheckouts = 7 * 24 * time.Hour

// needsOwnCredentials reports whether only this computer can read a repository: over
// SSH with the user's keys, with credentials in the URL, or from this computer itself
// (git-clone(1), "GIT URLS").
func needsOwnCredentials(raw string) bool {
	u, err := url.Parse(raw)
	if err != nil || u.User != nil {
		return true // user@host:path is not a URL (RFC 3986)
	}
	switch u.Scheme {
	case "http", "https", "git":
		host := u.Hostname()
		address, err := netip.ParseAddr(host)
		return host == "localhost" || strings.HasSuffix(host, ".localhost") || err == nil && address.IsLoopback()
	}
	return true
}

// localGit returns a git command without a terminal: if credentials are missing, it
// fails instead of asking for them.
func localGit(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Env = append(cmd.Environ(), "GIT_TERMINAL_PROMPT=0", "LC_ALL=C")
	withoutTerminal(cmd)
	cmd.WaitDelay = time.Second // for the processes that git has started
	return cmd
}

// checkout returns a folder below cache with the files of a commit. It clones the
// repository with the user's credentials unless an earlier call did.
func checkout(ctx context.Context, cache, repository, commit string) (string, error) {
	sum := sha256.Sum256([]byte(repository))
	room := filepath.Join(cache, "source", hex.EncodeToString(sum[:8]))
	folder := filepath.Join(room, commit)
	if _, err := os.Stat(folder); err == nil {
		return folder, nil
	}
	if err := os.MkdirAll(room, 0o700); err != nil {
		return "", fmt.Errorf("create a folder for the source: %w", err)
	}
	removeOld(room)
	work, err := os.MkdirTemp(room, ".clone-")
	if err != nil {
		return "", fmt.Errorf("create a folder for the source: %w", err)
	}
	defer func() { _ = os.RemoveAll(work) }() // removeOld tries again
	if err := clone(ctx, work, repository, commit); err != nil {
		return "", err
	}
	err = os.Rename(work, folder)
	if _, done := os.Stat(folder); err != nil && done == nil {
		return folder, nil // another run was faster
	}
	if err != nil {
		return "", fmt.Errorf("keep the source: %w", err)
	}
	return folder, nil
}

// clone checks out a commit in a folder, without git's own files.
func clone(ctx context.Context, folder, repository, commit string) error {
	// Git runs the script as an alias, because Windows has no other shell than the one
	// that git brings.
	script := "!set -eu\n" + cloneScript + ":"
	cmd := localGit(ctx, "-c", "core.autocrlf=false", "-c", "alias.clone-here="+script, "clone-here")
	cmd.Dir = folder // git runs an alias at the top of the repository that it is in
	cmd.Env = append(cmd.Environ(), "GIT_CEILING_DIRECTORIES="+filepath.Dir(folder),
		"folder="+filepath.ToSlash(folder), "url="+repository, "commit="+commit)
	var complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = &complaints, &complaints
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		shown := strings.ReplaceAll(complaints.String(), repository, redact(repository))
		return &diag.Diagnostic{
			Where: redact(repository), Summary: "commit " + commit + " cannot be cloned", Cause: err,
			Detail: strings.TrimSpace(tail(shown, complaintLines)),
			Hint:   "clone it by hand to see the reason, then run aloft up again",
		}
	}
	return nil
}

// complaintLines is how many lines of git's complaints an error shows.
const complaintLines = 20

// removeOld removes checkouts that nothing has made or used for a while.
func removeOld(room string) {
	entries, err := os.ReadDir(room)
	if err != nil {
		return // the next run tries again
	}
	for _, entry := range entries {
		if info, err := entry.Info(); err == nil && isOld(info) {
			_ = os.RemoveAll(filepath.Join(room, entry.Name()))
		}
	}
}

func isOld(info fs.FileInfo) bool { return time.Since(info.ModTime()) > keepCheckouts }
