// Package source resolves the exact source of an application: a folder on this computer
// or a commit of a git repository. It packs the source for machines, which never see the
// user's credentials.
package source

import (
	"context"
	"path"
	"path/filepath"
	"strings"

	"aloft.dev/aloft/internal/project"
	"aloft.dev/aloft/internal/spec"
)

// Source is an exact version of an application's source.
type Source struct {
	Root    string // folder on this computer with everything that machines get
	Dir     string // the application's folder in it; "" for the folder itself
	Git     string // URL for git; "" for a folder
	Commit  string // full commit id; "" for a folder
	Digest  string // identifies the content
	Project *project.Project

	content string   // digest of the files
	omit    []string // files that are not part of the source: the spec, and the variables
}

// String describes the source without the credentials that a URL may contain.
func (s Source) String() string {
	if s.Git == "" {
		return filepath.Join(s.Root, filepath.FromSlash(s.Dir))
	}
	return redact(s.Git) + " at " + s.Commit[:min(12, len(s.Commit))]
}

// Describe describes the source so that it can be found again: a repository, its full
// commit and the ref that named it, or a folder and the digest of its content.
func (s Source) Describe(ref string) string {
	if s.Git == "" {
		return s.String() + " with content " + s.Digest[:min(12, len(s.Digest))]
	}
	return redact(s.Git) + " at " + s.Commit + " (" + ref + ")"
}

// Resolve returns the current exact version of the spec's source: the digest of a
// folder's content, or the commit of a git ref, which it checks out below cache. Its
// errors are diagnostics.
func Resolve(ctx context.Context, s *spec.Spec, cache string) (Source, error) {
	source, err := Source{}, error(nil)
	if s.Source.Git != "" {
		source, err = resolveGit(ctx, s, cache)
	} else {
		source, err = resolveFolder(s)
	}
	if err != nil {
		return Source{}, err
	}
	return source.read(ctx, s)
}

// specFile returns the file at which a mistake in the spec's source is reported.
func specFile(s *spec.Spec) string {
	if s.File == "" {
		return spec.FileName
	}
	return s.File
}

// cleanDir returns a folder's path relative to a root, or "" for the root.
func cleanDir(dir string) string { return strings.Trim(path.Clean("/"+filepath.ToSlash(dir)), "/") }

// tail returns the last n lines of a text.
func tail(text string, n int) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
