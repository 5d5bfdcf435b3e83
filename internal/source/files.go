package source

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/project"
	"aloft.dev/aloft/internal/spec"
)

// resolveFolder finds the folder that machines get: the application's own, or that of
// the workspace that it is a member of.
func resolveFolder(s *spec.Spec) (Source, error) {
	folder := s.Source.Path
	info, err := os.Stat(folder)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Source{}, &diag.Diagnostic{Where: specFile(s), Summary: "source: no folder " + folder,
			Hint: "name the folder of the application, or a repository with git:", Cause: err}
	case err != nil:
		return Source{}, &diag.Diagnostic{
			Where:   specFile(s),
			Summary: "source: the folder cannot be read",
			Detail:  err.Error(),
			Cause:   err,
		}
	case !info.IsDir():
		return Source{}, &diag.Diagnostic{Where: specFile(s), Summary: "source: " + folder + " is not a folder",
			Hint: "name the folder of the application"}
	}
	root, dir := project.Locate(folder)
	source := Source{Root: root, Dir: cleanDir(dir)}
	for _, file := range []string{s.File, s.EnvFile} {
		if within, err := filepath.Rel(root, file); err == nil && file != "" {
			source.omit = append(source.omit, filepath.ToSlash(within))
		}
	}
	return source, nil
}

// read lists the source's files, computes digests, and finds out what the files say
// about the application.
func (s Source) read(ctx context.Context, of *spec.Spec) (Source, error) {
	files, err := listFiles(ctx, s)
	if err == nil {
		s.content, err = digest(ctx, s.Root, files)
	}
	if err != nil {
		return Source{}, &diag.Diagnostic{
			Where: s.String(), Summary: "the source cannot be read", Detail: err.Error(),
			Hint: "check the files' permissions", Cause: err,
		}
	}
	if len(files) == 0 {
		return Source{}, &diag.Diagnostic{
			Where: s.String(), Summary: "the source has no files",
			Hint: "name the folder of the application; files that git ignores do not count",
		}
	}
	if s.Digest == "" {
		s.Digest = s.content
	}
	s.Project, err = of.Describe(os.DirFS(s.Root), s.Dir)
	return s, err
}

// listFiles returns the application's files in a folder, sorted: those that git would
// commit if the folder belongs to a repository, else all. It excludes what npm
// installs, what tools keep for themselves, and the spec.
func listFiles(ctx context.Context, s Source) ([]string, error) {
	var files []string
	var err error
	if s.Git == "" {
		files, err = listGit(ctx, s.Root)
	}
	if err != nil || len(files) == 0 { // no repository, no git, or a folder that git ignores
		files, err = walkFiles(s.Root, ".")
	}
	if err != nil {
		return nil, err
	}
	files = slices.DeleteFunc(files, func(name string) bool {
		return slices.Contains(s.omit, name) || path.Base(name) == spec.FileName || excluded(name)
	})
	slices.Sort(files)
	return slices.Compact(files), nil
}

// excludedFolders are folders that tools install or keep for themselves.
var excludedFolders = []string{"node_modules", ".git", ".aloft", ".venv", "__pycache__"}

// excluded reports whether a path leads through a folder that is not the application's
// own work.
func excluded(name string) bool {
	for part := range strings.SplitSeq(name, "/") {
		if slices.Contains(excludedFolders, part) {
			return true
		}
	}
	return false
}

// listGit returns the tracked files and the untracked files that git does not ignore.
func listGit(ctx context.Context, dir string) ([]string, error) {
	// When Aloft runs as root, the folder may belong to another user. Git must not run
	// any command that the folder's configuration names.
	cmd := exec.CommandContext(
		ctx, "git", "-c", "safe.directory=*", "-c", "core.fsmonitor=false", "ls-files", "-coz", "--exclude-standard",
	)
	cmd.Dir = dir
	cmd.Env = append(cmd.Environ(), "GIT_OPTIONAL_LOCKS=0")
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("list the files in git: %w", err)
	}
	var files []string
	for name := range strings.SplitSeq(strings.TrimRight(string(out), "\x00"), "\x00") {
		name = strings.TrimSuffix(name, "/")
		info, err := os.Lstat(filepath.Join(dir, name))
		switch {
		case name == "" || errors.Is(err, fs.ErrNotExist): // deleted, but still in git's index
		case err != nil:
			return nil, err
		case info.IsDir(): // a submodule, or a repository within this one
			within, err := walkFiles(dir, name)
			if err != nil {
				return nil, err
			}
			files = append(files, within...)
		default:
			files = append(files, name)
		}
	}
	return files, nil
}

// walkFiles returns all files below root/dir, relative to root.
func walkFiles(root, dir string) ([]string, error) {
	var files []string
	err := fs.WalkDir(os.DirFS(root), dir, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && excluded(name):
			return fs.SkipDir
		case !entry.IsDir():
			files = append(files, name)
		}
		return nil
	})
	return files, err
}

// digest returns a digest of the files' names, executable bits and content. Times and
// owners do not count.
func digest(ctx context.Context, dir string, files []string) (string, error) {
	sum := sha256.New()
	for _, name := range files {
		if err := ctx.Err(); err != nil {
			return "", err
		}
		f, err := openFile(dir, name)
		if err != nil {
			return "", err
		}
		err = f.hash(sum)
		_ = f.Close()
		if err != nil {
			return "", fmt.Errorf("read %s: %w", name, err)
		}
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// file is a file of a source as it is shipped: a symbolic link or a regular file.
type file struct {
	name string
	info fs.FileInfo
	mode fs.FileMode // 0644 or 0755, as in git
	link string
	size int64
	io.ReadCloser
}

func openFile(dir, name string) (*file, error) {
	full := filepath.Join(dir, filepath.FromSlash(name))
	info, err := os.Lstat(full)
	if err != nil {
		return nil, err
	}
	f := &file{name: path.Clean(name), info: info, mode: 0o644, ReadCloser: io.NopCloser(strings.NewReader(""))}
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		f.link, err = os.Readlink(full)
		f.link = filepath.ToSlash(f.link)
		return f, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is neither a file nor a symbolic link", name)
	}
	f.size = info.Size()
	opened, err := os.Open(full)
	if err != nil {
		return nil, err
	}
	f.ReadCloser = opened
	executable, err := isExecutable(opened, info)
	if err != nil {
		_ = opened.Close()
		return nil, err
	}
	if executable {
		f.mode = 0o755
	}
	return f, nil
}

// hash adds the file to a digest. A length precedes every part, so that different
// sources have different digests.
func (f *file) hash(to io.Writer) error {
	if _, err := fmt.Fprintf(
		to, "%d:%s %o %d:%s %d:", len(f.name), f.name, f.mode, len(f.link), f.link, f.size,
	); err != nil {
		return err
	}
	n, err := io.Copy(to, f)
	if err == nil && n != f.size {
		err = ErrChanged
	}
	return err
}
