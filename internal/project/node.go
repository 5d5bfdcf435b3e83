package project

import (
	"maps"
	"path"
	"slices"
	"strings"
)

// detectNode reads a Node.js application.
func (f *folder) detectNode(p *Project, procfile procfile) {
	p.Language = Node
	p.Env = map[string]string{"NODE_ENV": "production"}
	pkg := f.readPackageJSON()
	if pkg == nil {
		return
	}
	p.Path = []string{"node_modules/.bin"}
	w := f.findWorkspace()
	top, topPkg := f, pkg
	if w != nil {
		top, topPkg = w.folder, w.pkg
		p.Workspace = w.dir
		p.Path = append(p.Path, path.Join(f.relative(w.dir), "node_modules/.bin"))
	}
	f.detectNodeVersion(p, pkg, w)
	top.detectManager(p, topPkg)
	if len(*f.problems) > 0 {
		return // what follows depends on the manager
	}
	c := &nodeCommands{folder: f, top: top, pkg: pkg, topPkg: topPkg, workspace: w, project: p}
	f.detectNodeStart(p, pkg, procfile)
	c.set()
	f.checkLock(p, pkg, top, w)
	f.checkScripts(p, pkg, procfile)
	f.detectNodePackages(p, pkg)
}

// nativePackages are npm packages that a compiler or a library must be there for, with
// the distribution's packages. Those that bring compiled files are not among them.
var nativePackages = map[string][]string{
	"pg-native":     {"build-essential", "libpq-dev", "python3"},
	"node-sass":     {"build-essential", "python3"},
	"node-rdkafka":  {"build-essential", "libssl-dev", "python3"},
	"kerberos":      {"build-essential", "libkrb5-dev", "python3"},
	"node-gyp":      {"build-essential", "python3"},
	"unix-dgram":    {"build-essential", "python3"},
	"modern-syslog": {"build-essential", "python3"},
}

// detectNodePackages sets the packages of the distribution that dependencies need.
func (f *folder) detectNodePackages(p *Project, pkg *packageJSON) {
	for name, version := range pkg.all() {
		p.Packages = append(p.Packages, nativePackages[name]...)
		if isRepository(version) {
			p.Packages = append(p.Packages, "git")
		}
	}
	slices.Sort(p.Packages)
	p.Packages = slices.Compact(p.Packages)
}

// isRepository reports whether a dependency is a git repository (npm documentation,
// "package.json", "Git URLs as Dependencies").
func isRepository(version string) bool {
	for _, prefix := range []string{"git+", "git:", "github:", "gitlab:", "bitbucket:", "git@"} {
		if strings.HasPrefix(version, prefix) {
			return true
		}
	}
	owner, name, found := strings.Cut(version, "/")
	return found && owner != "" && !strings.ContainsAny(owner, ":.@~^") && !strings.Contains(name, "/")
}

// values returns a map's values in the order of their keys.
func values(m map[string]string) []string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(m)) {
		all = append(all, m[name])
	}
	return all
}
