package project

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"
	"github.com/goccy/go-yaml"
)

// checkLock reports dependencies in package.json that the lock file does not have:
// the package manager would refuse, or install other versions.
func (f *folder) checkLock(p *Project, pkg *packageJSON, top *folder, w *workspace) {
	if !p.Locked {
		return
	}
	name := p.LockFile
	if top.dir != "." {
		name = strings.TrimPrefix(name, top.dir+"/")
	}
	text, _ := top.read(name)
	var differ []string
	var err error
	key := top.relative(f.dir)
	switch p.Manager {
	case NPM:
		differ, err = npmDifferences(text, key, pkg)
	case PNPM:
		differ, err = pnpmDifferences(text, key, pkg)
	case Yarn:
		if patterns := f.workspacePatterns(); w == nil && len(patterns) > 0 { // it is the root itself
			w = &workspace{folder: f, members: map[string]*member{}}
			w.collect(patterns)
		}
		differ = yarnDifferences(text, p.isClassic(), pkg, w)
	case Bun:
		if strings.HasSuffix(name, ".lock") { // bun.lockb is not text
			differ, err = bunDifferences(text, key, pkg)
		}
	}
	if err != nil {
		top.problem(name, "write it again with "+string(p.Manager)+" install", "cannot be read: %v", err)
		return
	}
	if len(differ) > 0 {
		top.problem(name, "run "+string(p.Manager)+" install and commit "+name,
			"does not fit %s: %s", f.path("package.json"), strings.Join(differ, "; "))
	}
}

// npmLock is package-lock.json (npm documentation, "package-lock.json"). Version 1 has
// dependencies, later ones have packages by folder.
type npmLock struct {
	Packages map[string]struct {
		Version string            `json:"version"`
		Link    bool              `json:"link"`
		Prod    map[string]string `json:"dependencies"`
		Dev     map[string]string `json:"devDependencies"`
		Opt     map[string]string `json:"optionalDependencies"`
	} `json:"packages"`
	Dependencies map[string]struct {
		Version string `json:"version"`
	} `json:"dependencies"`
}

// npmDifferences compares as npm ci does: another range is accepted if the locked
// version is in it.
func npmDifferences(text, key string, pkg *packageJSON) ([]string, error) {
	var lock npmLock
	if err := json.Unmarshal([]byte(text), &lock); err != nil {
		return nil, &jsonError{text, err}
	}
	if key == "." {
		key = ""
	}
	entry, found := lock.Packages[key]
	locked := map[string]string{}
	maps.Copy(locked, entry.Dev)
	maps.Copy(locked, entry.Prod)
	maps.Copy(locked, entry.Opt)
	versions := func(name string) string {
		for _, at := range []string{strings.TrimPrefix(key+"/node_modules/", "/") + name, "node_modules/" + name} {
			if v, found := lock.Packages[at]; found {
				return v.Version
			}
		}
		return lock.Dependencies[name].Version
	}
	if !found && len(lock.Packages) == 0 && key == "" { // version 1, which has no ranges
		for name := range lock.Dependencies {
			locked[name] = pkg.all()[name]
		}
	}
	wanted := pkg.all()
	for name := range locked {
		if isRepository(wanted[name]) { // npm may write it in another way
			locked[name] = wanted[name]
		}
	}
	return compare(wanted, locked, versions), nil
}

type jsonError struct {
	text string
	err  error
}

func (e *jsonError) Error() string { return describeJSON(e.text, e.err) }
func (e *jsonError) Unwrap() error { return e.err }

// compare lists the dependencies that are not locked or whose range is another one. It
// accepts another range that contains the version that versions returns.
func compare(wanted, locked map[string]string, versions func(name string) string) []string {
	var differ []string
	for _, name := range slices.Sorted(maps.Keys(wanted)) {
		was, found := locked[name]
		switch {
		case !found:
			differ = append(differ, name+" is missing")
		case was != wanted[name] && !satisfies(versions(name), wanted[name]):
			differ = append(differ, name+" is "+was+" and not "+wanted[name])
		}
	}
	return differ
}

func satisfies(version, wanted string) bool {
	v, err := semver.NewVersion(version)
	if err != nil {
		return false
	}
	r, err := ParseRange(wanted)
	return err == nil && r.constraint != nil && r.constraint.Check(v)
}

func noVersion(string) string { return "" }

// pnpmLock holds the facts of pnpm-lock.yaml about the packages of a workspace. A single
// package has its parts at the top until version 6, and specifiers until version 5.
type pnpmLock struct {
	Importers map[string]pnpmImporter `yaml:"importers"`
	Overrides map[string]string       `yaml:"overrides"`
	Single    pnpmImporter            `yaml:",inline"`
}

type pnpmImporter struct {
	Specifiers map[string]string `yaml:"specifiers"`
	Prod       map[string]any    `yaml:"dependencies"`
	Dev        map[string]any    `yaml:"devDependencies"`
	Opt        map[string]any    `yaml:"optionalDependencies"`
}

// pnpmDifferences compares as pnpm install --frozen-lockfile does: specifiers must be
// equal.
func pnpmDifferences(text, key string, pkg *packageJSON) ([]string, error) {
	var lock pnpmLock
	parts := topLevel(
		text, "overrides", "importers", "specifiers", "dependencies", "devDependencies", "optionalDependencies",
	)
	if err := yaml.Unmarshal([]byte(parts), &lock); err != nil {
		return nil, err
	}
	importer := lock.Single
	if len(lock.Importers) > 0 {
		importer = lock.Importers[key]
	}
	locked := map[string]string{}
	maps.Copy(locked, importer.Specifiers)
	for _, group := range []map[string]any{importer.Dev, importer.Prod, importer.Opt} {
		for name, entry := range group {
			if fields, ok := entry.(map[string]any); ok {
				locked[name], _ = fields["specifier"].(string)
			}
		}
	}
	wanted := pkg.all()
	for name, version := range wanted {
		_, found := locked[name]
		// Newer and older pnpm write different specifiers for catalogs, an override
		// replaces the specifier, and a setting leaves out links.
		if found && (strings.HasPrefix(version, "catalog:") || lock.overrides(name)) ||
			strings.HasPrefix(version, "link:") {
			locked[name] = version
		}
	}
	return compare(wanted, locked, noVersion), nil
}

// overrides reports whether a dependency of the workspace's packages may be replaced:
// "name" or "name@range".
func (l *pnpmLock) overrides(name string) bool {
	for key := range l.Overrides {
		if key == name || strings.HasPrefix(key, name+"@") {
			return true
		}
	}
	return false
}

// topLevel returns some top-level parts of a YAML file: the rest of a lock file is
// long.
func topLevel(text string, keys ...string) string {
	var out strings.Builder
	inside := false
	for line := range strings.Lines(text) {
		if line[0] > ' ' && line[0] != '#' {
			key, _, _ := strings.Cut(line, ":")
			inside = slices.Contains(keys, key)
		}
		if inside {
			out.WriteString(line)
		}
	}
	return out.String()
}

// yarnDifferences compares with the keys of yarn.lock: "express@^4.18.0", and in berry's
// "express@npm:^4.18.0".
func yarnDifferences(text string, classic bool, pkg *packageJSON, w *workspace) []string {
	keys := map[string]bool{}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if list, isKey := strings.CutSuffix(line, ":"); isKey && strings.Contains(line, "@") {
			for key := range strings.SplitSeq(strings.ReplaceAll(list, `"`, ""), ",") {
				keys[strings.TrimSpace(key)] = true
			}
		}
	}
	locked := map[string]string{}
	for name, version := range pkg.all() {
		_, resolved := pkg.Resolutions[name]
		isMember := w != nil && w.members[name] != nil
		isRange := satisfiesSyntax(version)
		if keys[name+"@"+version] || keys[name+"@npm:"+version] || resolved || isMember ||
			!classic && !isRange || strings.HasPrefix(version, "workspace:") || strings.HasPrefix(version, "link:") {
			locked[name] = version
		}
	}
	return compare(pkg.all(), locked, noVersion)
}

// satisfiesSyntax reports whether a dependency is a range of versions and no URL, tag or
// protocol.
func satisfiesSyntax(version string) bool {
	r, err := ParseRange(version)
	return err == nil && r.constraint != nil
}

// bunDifferences compares with the workspaces of bun.lock, which is JSON with trailing
// commas.
func bunDifferences(text, key string, pkg *packageJSON) ([]string, error) {
	if key == "." {
		key = ""
	}
	text, _, _ = strings.Cut(text, "\n  \"packages\": {")
	if !strings.HasSuffix(strings.TrimSpace(text), "}") || strings.Count(text, "{") > strings.Count(text, "}") {
		text += "}"
	}
	var lock struct {
		Workspaces map[string]struct {
			Prod map[string]string `yaml:"dependencies"`
			Dev  map[string]string `yaml:"devDependencies"`
			Opt  map[string]string `yaml:"optionalDependencies"`
		} `yaml:"workspaces"`
	}
	if err := yaml.Unmarshal([]byte(text), &lock); err != nil {
		return nil, err
	}
	entry := lock.Workspaces[key]
	locked := map[string]string{}
	maps.Copy(locked, entry.Dev)
	maps.Copy(locked, entry.Prod)
	maps.Copy(locked, entry.Opt)
	return compare(pkg.all(), locked, noVersion), nil
}
