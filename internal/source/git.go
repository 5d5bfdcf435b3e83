package source

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/spec"
)

// gitTimeout is for listing a repository's refs.
const gitTimeout = 30 * time.Second

var (
	fullCommit  = regexp.MustCompile(`^[0-9a-f]{40}([0-9a-f]{24})?$`) // SHA-1 or SHA-256
	shortCommit = regexp.MustCompile(`^[0-9a-f]{7,63}$`)
)

// resolveGit finds the commit that the spec's ref names, and checks it out.
func resolveGit(ctx context.Context, s *spec.Spec, cache string) (Source, error) {
	source := Source{Git: s.Source.Git, Dir: cleanDir(s.Source.Dir)}
	if u, err := url.Parse(source.Git); err == nil && u.Scheme == "" && !filepath.IsAbs(source.Git) {
		source.Git = filepath.Join(s.Dir, source.Git) // relative to the spec, like a folder
	}
	refs, err := remoteRefs(ctx, s, source.Git)
	if err != nil {
		return Source{}, err
	}
	ref := cmp.Or(s.Source.Ref, "HEAD")
	if source.Commit = commitOf(refs, ref); source.Commit == "" {
		return Source{}, &diag.Diagnostic{
			Where:   specFile(s),
			Summary: fmt.Sprintf("source.ref: %s has no ref %s", redact(s.Source.Git), ref),
			Hint:    suggestRefs(refs, ref),
		}
	}
	source.Digest = source.Commit
	source.Root, err = checkout(ctx, cache, source.Git, source.Commit)
	return source, err
}

// commitOf returns the commit that a ref names, by git's order of precedence
// (gitrevisions(7)), or "". A full commit id names itself.
func commitOf(refs map[string]string, ref string) string {
	for _, name := range []string{ref, "refs/" + ref, "refs/tags/" + ref, "refs/heads/" + ref} {
		if commit, ok := refs[name+"^{}"]; ok { // the commit of an annotated tag
			return commit
		}
		if commit, ok := refs[name]; ok {
			return commit
		}
	}
	if fullCommit.MatchString(ref) {
		return ref
	}
	if !shortCommit.MatchString(ref) {
		return ""
	}
	found := ""
	for _, commit := range refs {
		switch {
		case !strings.HasPrefix(commit, ref) || commit == found:
		case found != "":
			return "" // ambiguous
		default:
			found = commit
		}
	}
	return found
}

// suggestRefs returns a hint with the refs that the user may have meant.
func suggestRefs(refs map[string]string, ref string) string {
	if shortCommit.MatchString(ref) {
		return "use the full commit id, a branch or a tag: a repository lists no other commits"
	}
	var names []string
	for name := range refs {
		for _, prefix := range []string{"refs/heads/", "refs/tags/"} {
			if short, ok := strings.CutPrefix(name, prefix); ok && !strings.HasSuffix(short, "^{}") {
				names = append(names, short)
			}
		}
	}
	slices.Sort(names)
	if near := spec.Nearest(ref, names); near != "" {
		return fmt.Sprintf("did you mean %s?", near)
	}
	if len(names) == 0 {
		return "the repository is empty: push a commit first"
	}
	if len(names) > 10 {
		names = append(names[:10], "…")
	}
	return "it has " + strings.Join(names, ", ")
}

// remoteRefs returns the commits of a repository's refs by name.
func remoteRefs(ctx context.Context, s *spec.Spec, repository string) (map[string]string, error) {
	within, cancel := context.WithTimeout(ctx, gitTimeout)
	defer cancel()
	cmd := localGit(within, "ls-remote", "--", repository)
	var out, complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaints
	if err := cmd.Run(); err != nil {
		return nil, gitProblem(ctx, within, s, complaints.String(), err)
	}
	refs := map[string]string{}
	for line := range strings.Lines(out.String()) {
		if commit, name, ok := strings.Cut(strings.TrimSpace(line), "\t"); ok {
			refs[name] = commit
		}
	}
	return refs, nil
}

func gitProblem(ctx, within context.Context, s *spec.Spec, complaints string, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("list the refs of %s: %w", redact(s.Source.Git), context.Cause(ctx))
	}
	d := &diag.Diagnostic{
		Where:   specFile(s),
		Summary: "source.git: " + redact(s.Source.Git) + " cannot be read",
		Cause:   err,
		Detail:  strings.TrimSpace(tail(strings.ReplaceAll(complaints, s.Source.Git, redact(s.Source.Git)), 5)),
		Hint:    "try: git ls-remote " + redact(s.Source.Git),
	}
	switch {
	case errors.Is(err, exec.ErrNotFound):
		d.Summary, d.Hint = "source.git: git is not installed on this computer", "install it (apt install git), or "+
			"deploy a folder"
	case os.Geteuid() == 0 && needsOwnCredentials(s.Source.Git):
		d.Hint = "try: sudo git ls-remote " + redact(
			s.Source.Git,
		) + " (git uses the keys and credentials of the user that runs aloft, which is root here)"
	}
	if within.Err() != nil {
		d.Summary = fmt.Sprintf("source.git: %s did not answer within %s", redact(s.Source.Git), gitTimeout)
	}
	return d
}

// redact hides the credentials of a URL. Over HTTP the user name is often a token.
func redact(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.User == nil {
		return raw
	}
	if u.Scheme == "http" || u.Scheme == "https" {
		u.User = url.User("xxxxx")
	}
	return u.Redacted()
}
