package spec

import (
	"io/fs"
	"maps"

	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/project"
)

// Describe returns what the files of an application say about how to build and run it,
// with what the spec says in its place. files holds everything that machines get, and
// dir is the application's folder in it. Its errors are diagnostics.
func (s *Spec) Describe(files fs.FS, dir string) (*project.Project, error) {
	p, err := project.DetectStart(files, dir, s.givenStart())
	switch {
	case err != nil && !s.byHand():
		return nil, err
	case err != nil:
		p = &project.Project{}
	}
	if len(s.Build.Commands) > 0 {
		p.Install, p.Build, p.Prune = nil, s.Build.Commands, nil
	}
	if start := s.givenStart(); start != "" {
		p.Start, p.StartFrom = start, FileName
	}
	if s.Release.Command != "" {
		p.Release = s.Release.Command
	}
	if len(s.Processes) > 0 {
		p.Processes = maps.Clone(s.Processes)
	}
	if p.Start == "" {
		return nil, diag.List{p.NoStart}
	}
	return p, nil
}

// byHand reports whether the spec says itself how the application is built and started.
func (s *Spec) byHand() bool { return len(s.Build.Commands) > 0 && s.Start != "" }

// givenStart returns the start command that the spec itself has, or "".
func (s *Spec) givenStart() string {
	if s.Detected != nil && s.Detected.StartFrom != FileName {
		return ""
	}
	return s.Start
}
