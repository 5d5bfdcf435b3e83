package project

import (
	"encoding/json"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
)

// lockNames are lock files, each with the manager that writes it. npm-shrinkwrap.json
// precedes package-lock.json (npm documentation, "npm-shrinkwrap.json").
var lockNames = []struct {
	name    string
	manager Manager
}{
	{"npm-shrinkwrap.json", NPM},
	{"package-lock.json", NPM},
	{"pnpm-lock.yaml", PNPM},
	{"yarn.lock", Yarn},
	{"bun.lock", Bun},
	{"bun.lockb", Bun},
}

// lockFiles returns the folder's lock files: the first one of each manager.
func (f *folder) lockFiles() map[Manager]string {
	found := map[Manager]string{}
	for _, lock := range lockNames {
		if found[lock.manager] == "" && f.has(lock.name) {
			found[lock.manager] = lock.name
		}
	}
	return found
}

// detectManager sets the package manager of the folder, which is the root of the
// workspace if there is one: packageManager decides, else the lock file, else npm.
func (f *folder) detectManager(p *Project, pkg *packageJSON) {
	locks := f.lockFiles()
	named := f.namedManager(p, pkg)
	switch {
	case named != "":
		p.Manager = named
		if locks[named] == "" && len(locks) > 0 {
			other := slices.Sorted(maps.Values(locks))[0]
			f.problem("package.json", "remove "+other+" and commit the lock file of "+string(named)+
				", or correct packageManager", "names %s, but the lock file is %s", named, other)
			return
		}
	case len(locks) == 1:
		p.Manager = slices.Collect(maps.Keys(locks))[0]
	case len(locks) > 1:
		names := slices.Sorted(maps.Values(locks))
		f.problem(names[0], "remove those that you do not use, or name the package manager in package.json, as in "+
			`"packageManager": "npm@10.9.2"`,
			"cannot tell the package manager: there is also %s", strings.Join(names[1:], " and "))
		return
	default:
		p.Manager = NPM
		if f.has("pnpm-workspace.yaml") {
			p.Manager = PNPM
		}
	}
	if len(locks) > 1 {
		p.Notes = append(p.Notes, "There are lock files of several package managers; packageManager names "+
			string(p.Manager)+".")
	}
	if lock := locks[p.Manager]; lock != "" {
		p.LockFile, p.Locked = f.path(lock), true
	}
	if pkg.PackageManager == "" {
		f.inferManagerVersion(p, pkg)
	} else if p.Locked {
		f.checkManagerVersion(p)
	}
}

var exactManager = regexp.MustCompile(`^(@?[a-z/-]+)@(\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?)(?:\+(.+))?$`)

// namedManager reads packageManager (Node.js documentation, "Corepack") and
// devEngines.packageManager (npm documentation, "package.json").
func (f *folder) namedManager(p *Project, pkg *packageJSON) Manager {
	if pkg.PackageManager == "" {
		return f.devEngine(p, pkg)
	}
	m := exactManager.FindStringSubmatch(pkg.PackageManager)
	if m == nil {
		f.problem("package.json", `write the manager and its exact version, as in "pnpm@9.12.0"`,
			"packageManager is %q", pkg.PackageManager)
		return ""
	}
	p.ManagerVersion = m[2]
	// Corepack writes "sha512.HEX"; the part is the version's build metadata.
	p.ManagerIntegrity = m[3]
	return f.knownManager(m[1])
}

func (f *folder) devEngine(p *Project, pkg *packageJSON) Manager {
	var one struct{ Name, Version string }
	raw := pkg.DevEngines.PackageManager
	if len(raw) == 0 {
		return ""
	}
	if json.Unmarshal(raw, &one) != nil {
		var several []struct{ Name, Version string }
		if json.Unmarshal(raw, &several) != nil || len(several) != 1 {
			return "" // a choice decides nothing
		}
		one = several[0]
	}
	p.ManagerVersion = one.Version
	return f.knownManager(one.Name)
}

func (f *folder) knownManager(name string) Manager {
	switch m := Manager(name); m {
	case NPM, PNPM, Yarn, Bun:
		return m
	}
	f.problem("package.json", "Aloft knows npm, pnpm, yarn and bun", "the package manager %q is not known", name)
	return ""
}

var (
	lockfileVersion = regexp.MustCompile(`(?m)^lockfileVersion:\s*['"]?([\d.]+)`)
	berryMetadata   = regexp.MustCompile(`(?m)^__metadata:\s*\n(?:  .*\n)*?  version:\s*(\d+)`)
	yarnRelease     = regexp.MustCompile(`yarn-(\d+\.\d+\.\d+[0-9A-Za-z.-]*)\.c?js`)
)

// pnpmByLock and yarnByLock are the versions that read a lock file as it is, by its
// version (pnpm's and Yarn's changelogs). pnpm 9 and 10 write the same; Aloft takes 10
// unless something tells more.
var (
	pnpmByLock = map[string]string{"5.3": "^6", "5.4": "^7", "6.0": "^8", "9.0": "^10"}
	yarnByLock = map[string]string{"4": "^2", "5": "^3", "6": "^3", "7": "^4", "8": "^4", "9": "^4"}
)

// inferManagerVersion sets a version that fits the lock file and what devEngines or
// engines ask for. npm comes with Node.js.
func (f *folder) inferManagerVersion(p *Project, pkg *packageJSON) {
	asked := p.ManagerVersion
	if asked == "" {
		asked = pkg.Engines[string(p.Manager)]
	}
	lock := ""
	if p.LockFile != "" {
		lock, _ = f.read(path.Base(p.LockFile))
	}
	switch p.Manager {
	case NPM:
		p.ManagerVersion = ""
	case PNPM:
		if p.ManagerVersion = f.inferPnpm(asked, lock); asked == "" && p.ManagerVersion != "" {
			p.Notes = append(p.Notes, "No file names a version of pnpm: it is "+p.ManagerVersion+
				`, which reads this lock file. To fix it, write "packageManager" in package.json.`)
		}
	case Yarn:
		p.ManagerVersion = f.inferYarn(asked, lock)
	default:
		p.ManagerVersion = asked
	}
}

// inferPnpm returns the versions that read a lock file, unless another range is asked
// for.
func (f *folder) inferPnpm(asked, lock string) string {
	fits := ""
	if m := lockfileVersion.FindStringSubmatch(lock); m != nil {
		fits = pnpmByLock[m[1]]
	}
	if r, err := ParseRange(asked); fits != "" && err == nil && r.within(fits[1:]) {
		return fits
	}
	return asked
}

// inferYarn returns the version of the release in the repository, else one that reads
// the lock file, else classic.
func (f *folder) inferYarn(asked, lock string) string {
	if m := yarnRelease.FindStringSubmatch(f.yarnConfig().YarnPath); m != nil {
		return m[1]
	}
	fits := "^1"
	if m := berryMetadata.FindStringSubmatch(lock); m != nil {
		if fits = yarnByLock[m[1]]; fits == "" {
			fits = ">=4"
		}
	}
	if asked != "" && isClassic(asked) == isClassic(fits) {
		return asked
	}
	return fits
}

// checkManagerVersion reports a version in packageManager that does not read the lock
// file as it is.
func (f *folder) checkManagerVersion(p *Project) {
	name := path.Base(p.LockFile)
	lock, _ := f.read(name)
	wrong := false
	switch major, _, _ := strings.Cut(p.ManagerVersion, "."); p.Manager {
	case PNPM:
		m := lockfileVersion.FindStringSubmatch(lock)
		wrong = m != nil && (len(major) > 1 || major >= "9") != (m[1] >= "9")
	case Yarn:
		wrong = isClassic(p.ManagerVersion) == berryMetadata.MatchString(lock) && strings.TrimSpace(lock) != ""
	}
	if wrong {
		f.problem("package.json", "correct packageManager, or run "+string(p.Manager)+" install with that version and "+
			"commit "+name, "names %s %s, and another version wrote %s", p.Manager, p.ManagerVersion, name)
	}
}

// yarnConfig has the keys that Aloft reads of .yarnrc.yml (Yarn's documentation, "Settings").
type yarnConfig struct {
	YarnPath   string `yaml:"yarnPath"`
	NodeLinker string `yaml:"nodeLinker"`
}

func (f *folder) yarnConfig() yarnConfig {
	var config yarnConfig
	text, _ := f.read(".yarnrc.yml")
	if err := yaml.Unmarshal([]byte(text), &config); err != nil {
		f.problem(".yarnrc.yml", "correct it", "cannot be read: %s", firstLine(err.Error()))
	}
	return config
}

// isClassic reports whether a version or range of Yarn is version 1.
func isClassic(version string) bool {
	return strings.HasPrefix(strings.TrimLeft(version, "^~v=<> "), "1")
}

// isClassic reports whether a project's Yarn is version 1.
func (p *Project) isClassic() bool { return p.Manager == Yarn && isClassic(p.ManagerVersion) }
