// Package release turns a machine into a server of an application: it resolves the
// exact source, names the release by its content, and installs the application over SSH
// until it answers (steps 10 to 16 of the manual process).
package release

import (
	"context"
	"strings"

	"aloft.dev/aloft/internal/spec"
)

// Source is an exact version of an application's source.
type Source struct {
	Path       string // folder on this computer; "" for git
	Git        string // URL for git; "" for a folder
	Commit     string // full commit id; "" for a folder
	Dir        string // folder in the repository that contains package.json
	ClonedHere bool   // machines cannot read the repository: it is cloned on this computer and shipped
	Locked     bool   // the folder has a lock file of npm; unknown for git
	Digest     string // identifies the content

	omit string // the spec's file, which is not part of the source
}

// String describes the source without the credentials that a URL may contain.
func (s Source) String() string {
	if s.Git == "" {
		return s.Path
	}
	return redact(s.Git) + " at " + s.Commit[:min(12, len(s.Commit))]
}

// Describe describes the source so that it can be found again: a repository, its full
// commit and the ref that named it, or a folder and the digest of its content.
func (s Source) Describe(ref string) string {
	if s.Git == "" {
		return s.Path + " with content " + s.Digest[:min(12, len(s.Digest))]
	}
	return redact(s.Git) + " at " + s.Commit + " (" + ref + ")"
}

// Resolve returns the current exact version of the spec's source: the digest of a
// folder's content, or the commit of a git ref. Its errors are diagnostics.
func Resolve(ctx context.Context, s *spec.Spec) (Source, error) {
	if s.Source.Git != "" {
		return resolveGit(ctx, s)
	}
	return resolveFolder(ctx, s)
}

// specFile returns the file at which a mistake in the spec's source is reported.
func specFile(s *spec.Spec) string {
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
