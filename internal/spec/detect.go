package spec

import (
	"os"
	"path/filepath"

	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/project"
)

// detect reads from the application's files what the spec does not say. Files in a git
// repository are read when it is cloned.
func (s *Spec) detect(d *decoder) {
	if s.Source.Git != "" || !isFolder(s.Source.Path) {
		return
	}
	root, dir := project.Locate(s.Source.Path)
	p, err := s.Describe(os.DirFS(root), dir)
	if err != nil {
		for _, problem := range diag.From(err) {
			if problem.Where == FileName {
				problem.Where = d.nearestPlace("start")
			} else {
				problem.Where = filepath.Join(root, filepath.FromSlash(problem.Where))
			}
			d.problems = append(d.problems, problem)
		}
		return
	}
	s.Start, s.Detected = p.Start, p
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
