// Package release makes a machine into one that serves: it tells the exact
// source to serve, names the result by its content, and installs the
// application on a machine over SSH until it answers there (steps 10 to 16).
package release

import (
	"context"
	"strings"

	"aloft.dev/aloft/internal/spec"
)

// Source is one exact state of an application's source.
type Source struct {
	Path    string // folder on this machine; "" for git
	Git     string // URL as git takes it; "" for a folder
	Commit  string // full commit id; "" for a folder
	Dir     string // folder within the repository that holds package.json
	Carried bool   // a repository that machines cannot read: it is cloned here and shipped
	Locked  bool   // a folder with a lock file of npm; not known of git
	Digest  string // names the content: equal digests, equal sources

	omit string // the spec's file, which says how to run and is not part of it
}

// String tells people what the source is, without the credentials that a URL
// may hold.
func (s Source) String() string {
	if s.Git == "" {
		return s.Path
	}
	return redact(s.Git) + " at " + s.Commit[:min(12, len(s.Commit))]
}

// Exact names the source so that it can be found again: a repository, its full
// commit and the ref that led there, or a folder and the digest of its content.
func (s Source) Exact(ref string) string {
	if s.Git == "" {
		return s.Path + " with content " + s.Digest[:min(12, len(s.Digest))]
	}
	return redact(s.Git) + " at " + s.Commit + " (" + ref + ")"
}

// Resolve finds the exact state that the spec's source is in now: the digest of
// a folder's content, or the commit that a git ref points to. Its errors are
// diagnostics.
func Resolve(ctx context.Context, s *spec.Spec) (Source, error) {
	if s.Source.Git != "" {
		return resolveGit(ctx, s)
	}
	return resolveFolder(ctx, s)
}

// where is the place that a mistake in the spec's source is reported at.
func where(s *spec.Spec) string {
	if s.File == "" {
		return spec.FileName
	}
	return s.File
}

// tail returns the last n lines of a text.
func tail(text string, n int) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
