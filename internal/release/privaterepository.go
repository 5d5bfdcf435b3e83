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
	"time"

	"aloft.dev/aloft/internal/diag"
)

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

// withoutUserSettings hides the user's git settings and credentials from a command. What
// git can read then, a machine can read too.
func withoutUserSettings(cmd *exec.Cmd) *exec.Cmd {
	cmd.Env = append(cmd.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "HOME=/nonexistent", "GIT_ASKPASS=",
		"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=credential.helper", "GIT_CONFIG_VALUE_0=")
	return cmd
}

// cloneHere clones a repository that machines cannot read into a folder on this
// computer. Aloft ships the folder to the machine, so the user's credentials stay here.
func cloneHere(ctx context.Context, s Source) (folder Source, remove func(), err error) {
	room, err := os.MkdirTemp("", "aloft-source-")
	if err != nil {
		return Source{}, nil, fmt.Errorf("create a folder for the source: %w", err)
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
		return Source{}, nil, fmt.Errorf("create a folder for the source: %w", err)
	}
	// The same script as on machines, so that both ways produce the same files. Git runs
	// it as an alias, because Windows has no other shell than the one that git brings.
	script := "!set -eu\nhome=$room/source\n" + readScript("clone.sh") + ":"
	cmd := localGit(ctx, "-c", "core.autocrlf=false", "-c", "alias.clone-here="+script, "clone-here")
	cmd.Dir = room // git runs an alias at the top of the repository that it is in
	cmd.Env = append(cmd.Environ(), "GIT_CEILING_DIRECTORIES="+filepath.Dir(room),
		"room="+filepath.ToSlash(room), "url="+s.Git, "commit="+s.Commit)
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
			Detail:  strings.TrimSpace(tail(strings.ReplaceAll(complaints.String(), s.Git, redact(s.Git)), tailLines)),
			Hint:    "clone it by hand to see the reason, then run aloft up again",
		}
	}
	files, err := listFiles(ctx, folder)
	if err != nil {
		return Source{}, nil, fmt.Errorf("list the files of %s: %w", redact(s.Git), err)
	}
	folder.Digest, err = digest(ctx, folder.Path, files)
	return folder, clean, err
}
