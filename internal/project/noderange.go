package project

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/Masterminds/semver/v3"
)

// Range is a range of Node.js versions, as engines.node, .nvmrc and their like write
// it.
type Range struct {
	text       string
	constraint *semver.Constraints // nil for any version
	lts        bool                // only long-term support
	line       string              // "jod": only that line of long-term support
	current    bool                // the newest, long-term support or not
}

var (
	comparatorSpace = regexp.MustCompile(`([<>=~^]+)\s+`)
	equalsV         = regexp.MustCompile(`(^|[\s<>=~^|])[vV](\d)`)
)

// ParseRange reads a range: "20", "v20.11", ">=18 <21", "^20 || ^22", "lts/*",
// "lts/jod", "node" (nvm's documentation, ".nvmrc"; node-semver, "Ranges"). The empty
// text is any version.
func ParseRange(text string) (Range, error) {
	r := Range{text: strings.TrimSpace(text)}
	switch lower := strings.ToLower(r.text); {
	case lower == "" || lower == "*" || lower == "x":
		return r, nil
	case lower == "node" || lower == "latest" || lower == "current" || lower == "stable":
		r.current = true
		return r, nil
	case lower == "lts" || lower == "lts/*":
		r.lts = true
		return r, nil
	case strings.HasPrefix(lower, "lts/"):
		r.lts, r.line = true, strings.TrimPrefix(lower, "lts/")
		if !regexp.MustCompile(`^[a-z]+$`).MatchString(r.line) {
			return Range{}, fmt.Errorf("%q is no range of versions", r.text)
		}
		return r, nil
	}
	normal := equalsV.ReplaceAllString(comparatorSpace.ReplaceAllString(r.text, "$1"), "$1$2")
	var err error
	if r.constraint, err = semver.NewConstraint(normal); err != nil {
		return Range{}, fmt.Errorf("%q is no range of versions", r.text)
	}
	return r, nil
}

// String returns the range as it was written.
func (r Range) String() string { return r.text }

// PrefersLTS reports whether long-term support goes before newer versions: always, but
// for a range that names the newest.
func (r Range) PrefersLTS() bool { return !r.current }

// Contains reports whether a version is in the range. line is the name of the version's
// line of long-term support, and "" for a version without it.
func (r Range) Contains(v *semver.Version, line string) bool {
	switch {
	case r.line != "":
		return strings.EqualFold(line, r.line)
	case r.lts:
		return line != ""
	case r.constraint == nil:
		return v.Prerelease() == ""
	}
	return r.constraint.Check(v)
}

var plainVersion = regexp.MustCompile(`^[vV]?(\d+)(?:\.(\d+))?(?:\.(\d+))?$`)

// within reports whether the versions that a plain version such as "20" or "20.11.1"
// means can be in the range. Names such as lts/* are not compared.
func (r Range) within(plain string) bool {
	m := plainVersion.FindStringSubmatch(strings.TrimSpace(plain))
	if m == nil || r.constraint == nil {
		return true
	}
	for _, rest := range []string{"0", "99999"} {
		parts := []string{m[1], m[2], m[3]}
		for i := range parts {
			if parts[i] == "" {
				parts[i] = rest
			}
		}
		if v, err := semver.NewVersion(strings.Join(parts, ".")); err == nil && r.constraint.Check(v) {
			return true
		}
	}
	return false
}
