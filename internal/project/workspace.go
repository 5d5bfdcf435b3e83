package project

import (
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"aloft.dev/aloft/internal/diag"
)

// workspace is the root of a workspace: several packages with one lock file.
type workspace struct {
	*folder
	pkg     *packageJSON
	members map[string]*member // by name
}

// member is a package of a workspace.
type member struct {
	dir string // relative to the root
	pkg *packageJSON
}

// findWorkspace returns the workspace that the folder is a member of, or nil. A folder
// with a lock file of its own stands alone unless the workspace has one.
func (f *folder) findWorkspace() *workspace {
	for dir := f.dir; dir != "."; {
		dir = path.Dir(dir)
		above := f.at(dir)
		patterns := above.workspacePatterns()
		if len(patterns) == 0 || !matchesAny(patterns, strings.TrimPrefix(f.dir, dir+"/")) {
			continue
		}
		if len(f.lockFiles()) > 0 && len(above.lockFiles()) == 0 {
			return nil
		}
		w := &workspace{folder: above, pkg: &packageJSON{}, members: map[string]*member{}}
		if above.has("package.json") {
			if w.pkg = above.readPackageJSON(); w.pkg == nil {
				return nil
			}
		}
		w.collect(patterns)
		return w
	}
	return nil
}

// workspacePatterns returns the patterns of a workspace's members: packages of
// pnpm-workspace.yaml, or workspaces of package.json.
func (f *folder) workspacePatterns() []string {
	if text, found := f.read("pnpm-workspace.yaml"); found {
		var file struct {
			Packages []string `yaml:"packages"`
		}
		if err := yaml.Unmarshal([]byte(text), &file); err != nil {
			f.problem("pnpm-workspace.yaml", "correct it", "cannot be read: %s", firstLine(err.Error()))
		}
		return file.Packages
	}
	if !f.has("package.json") {
		return nil
	}
	if pkg := f.readPackageJSON(); pkg != nil {
		return pkg.Workspaces
	}
	return nil
}

// collect reads all members. A member whose package.json cannot be read is a problem
// of the package manager, and of Aloft only if the application needs it.
func (w *workspace) collect(patterns []string) {
	_ = fs.WalkDir(w.root, w.dir, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() {
			return nil
		}
		if base := entry.Name(); base == "node_modules" || base == ".git" {
			return fs.SkipDir
		}
		within := strings.TrimPrefix(strings.TrimPrefix(name, w.dir), "/")
		at := &folder{root: w.root, dir: name, problems: &diag.List{}}
		if within != "" && matchesAny(patterns, within) && at.has("package.json") {
			if pkg := at.readPackageJSON(); pkg != nil && pkg.Name != "" {
				w.members[pkg.Name] = &member{dir: name, pkg: pkg}
			}
		}
		return nil
	})
}

// needed returns the names of the members that a package depends on, each after those
// that it depends on itself.
func (w *workspace) needed(pkg *packageJSON) []string {
	var order []string
	seen := map[string]bool{pkg.Name: true}
	var visit func(*packageJSON)
	visit = func(pkg *packageJSON) {
		for _, name := range slices.Sorted(maps.Keys(pkg.all())) {
			if m := w.members[name]; m != nil && !seen[name] {
				seen[name] = true
				visit(m.pkg)
				order = append(order, name)
			}
		}
	}
	visit(pkg)
	return order
}

// matchesAny reports whether a path matches one of the patterns. A pattern with ! takes
// away what earlier ones matched.
func matchesAny(patterns []string, name string) bool {
	matched := false
	for _, pattern := range patterns {
		pattern, without := strings.CutPrefix(pattern, "!")
		pattern = strings.TrimSuffix(strings.TrimPrefix(pattern, "./"), "/")
		if matchPath(strings.Split(pattern, "/"), strings.Split(name, "/")) {
			matched = !without
		}
	}
	return matched
}

// matchPath matches a path with a pattern by parts. ** is any number of parts.
func matchPath(pattern, name []string) bool {
	if len(pattern) == 0 {
		return len(name) == 0
	}
	if pattern[0] == "**" {
		return matchPath(pattern[1:], name) || len(name) > 0 && matchPath(pattern, name[1:])
	}
	if len(name) == 0 {
		return false
	}
	ok, err := path.Match(pattern[0], name[0])
	return err == nil && ok && matchPath(pattern[1:], name[1:])
}
