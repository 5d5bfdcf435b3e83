package release

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/Masterminds/semver/v3"

	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/project"
	"aloft.dev/aloft/internal/remote"
)

// python returns the step that compares the distribution's Python with the one that the
// application asks for, if it asks for one.
func (b *Builder) python() []step {
	p := b.Source.Project
	if p.Language != project.Python || p.Version == "" {
		return nil
	}
	return []step{{
		number: "13", name: "check that Python is " + p.Version,
		check: func(ctx context.Context, m *machine) error {
			has := ""
			if err := m.Query(ctx, "python3 --version", remote.Text(""), func(line string) {
				has = strings.TrimPrefix(line, "Python ")
			}); err != nil {
				return m.problem("read the version of Python", nil, err)
			}
			ok, err := pythonSatisfies(p.Version, has)
			if err != nil {
				return &diag.Diagnostic{
					Where: p.VersionFrom, Summary: fmt.Sprintf("%q is no range of versions of Python", p.Version),
					Hint: `for example: ">=3.11"`, Cause: err,
				}
			}
			if !ok {
				return &diag.Diagnostic{
					Where:   p.VersionFrom,
					Summary: fmt.Sprintf("asks for Python %s, and %s has %s", p.Version, b.Spec.Machines.Image, has),
					Hint: "choose another machines.image (debian-12 has Python 3.11, debian-13 3.13, " +
						"ubuntu-24.04 3.12), or another version",
				}
			}
			return nil
		},
	}}
}

// compatible matches a compatible release clause: ~=3.11 (PEP 440, "Compatible release").
var compatible = regexp.MustCompile(`~=\s*(\d+)\.(\d+)(?:\.\d+)?`)

// pythonSatisfies reports whether a version of Python is in a range.
func pythonSatisfies(wanted, has string) (bool, error) {
	wanted = compatible.ReplaceAllStringFunc(wanted, func(clause string) string {
		part := compatible.FindStringSubmatch(clause)
		if strings.Count(clause, ".") > 1 {
			return fmt.Sprintf("~%s.%s", part[1], part[2])
		}
		return fmt.Sprintf("^%s.%s", part[1], part[2])
	})
	limits, err := semver.NewConstraint(strings.ReplaceAll(wanted, "==", "="))
	if err != nil {
		return false, fmt.Errorf("parse the range of versions: %w", err)
	}
	version, err := semver.NewVersion(has)
	if err != nil {
		return false, fmt.Errorf("parse Python's version %q: %w", has, err)
	}
	return limits.Check(version), nil
}
