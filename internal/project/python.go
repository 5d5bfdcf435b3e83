package project

import (
	"regexp"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
)

// pyproject has the keys that Aloft reads of pyproject.toml (Python Packaging User Guide,
// "pyproject.toml specification").
type pyproject struct {
	Project struct {
		Name           string   `toml:"name"`
		RequiresPython string   `toml:"requires-python"`
		Dependencies   []string `toml:"dependencies"`
		Dynamic        []string `toml:"dynamic"`
	} `toml:"project"`
	BuildSystem *struct{} `toml:"build-system"`
	Tool        struct {
		Poetry *struct {
			Dependencies map[string]any `toml:"dependencies"`
		} `toml:"poetry"`
		UV *struct {
			RequiredVersion string `toml:"required-version"`
		} `toml:"uv"`
	} `toml:"tool"`
}

// pythonNative are packages of PyPI that are compiled where they are installed, with
// the distribution's packages that they need.
var pythonNative = map[string][]string{
	"psycopg2":    {"build-essential", "libpq-dev", "python3-dev"},
	"psycopg":     {"libpq5"},
	"mysqlclient": {"build-essential", "default-libmysqlclient-dev", "pkg-config", "python3-dev"},
	"python-ldap": {"build-essential", "libldap2-dev", "libsasl2-dev", "python3-dev"},
	"uwsgi":       {"build-essential", "python3-dev"},
	"pycairo":     {"build-essential", "libcairo2-dev", "pkg-config", "python3-dev"},
}

// pythonApp is a Python application while it is read.
type pythonApp struct {
	*folder
	project  *Project
	file     pyproject
	packages map[string]bool // names of direct dependencies, normalized
}

// detectPython reads a Python application: pip or uv installs into .venv.
func (f *folder) detectPython(p *Project, procfile procfile) {
	p.Language = Python
	p.Env = map[string]string{"PYTHONUNBUFFERED": "1"} // log lines appear when they are written
	p.Path = []string{".venv/bin"}
	p.Packages = []string{"python3-venv"}
	a := &pythonApp{folder: f, project: p, packages: map[string]bool{}}
	if text, found := f.read("pyproject.toml"); found {
		if _, err := toml.Decode(text, &a.file); err != nil {
			f.problem("pyproject.toml", "correct it", "cannot be read: %v", err)
			return
		}
	}
	a.detectVersion()
	if !a.install() {
		return
	}
	for name, packages := range pythonNative {
		if a.packages[name] {
			p.Packages = append(p.Packages, packages...)
		}
	}
	procfile.apply(p)
	if p.Start == "" {
		a.detectStart()
	}
	a.addServer(procfile)
	slices.Sort(p.Packages)
	p.Packages = slices.Compact(p.Packages)
}

var pythonVersion = regexp.MustCompile(`^(?:c?python-?)?(\d+(?:\.\d+){0,2})$`)

// detectVersion reads .python-version, requires-python or runtime.txt. The first one
// counts.
func (a *pythonApp) detectVersion() {
	p := a.project
	for _, name := range []string{".python-version", "runtime.txt"} {
		text, _ := a.read(name)
		line := strings.ToLower(firstLine(text))
		if line == "" {
			continue
		}
		m := pythonVersion.FindStringSubmatch(line)
		if m == nil {
			a.problem(name, "write a version as 3.12", "the version of Python cannot be read: %q", line)
			return
		}
		if p.Version == "" {
			p.Version, p.VersionFrom = m[1], a.path(name)
		}
	}
	requires := strings.TrimSpace(a.file.Project.RequiresPython)
	if requires != "" && (p.Version == "" || p.VersionFrom == a.path("runtime.txt")) {
		p.Version, p.VersionFrom = requires, a.path("pyproject.toml requires-python")
	}
}

// install sets the commands that install, and reports whether it could.
func (a *pythonApp) install() bool {
	p := a.project
	a.readRequirements()
	for _, d := range a.file.Project.Dependencies {
		a.require(d)
	}
	venv := "python3 -m venv .venv"
	pip := ".venv/bin/pip install --disable-pip-version-check --no-cache-dir "
	switch hasRequirements := a.has("requirements.txt"); {
	case a.has("uv.lock"):
		a.installUV()
	case hasRequirements:
		p.Manager, p.Install = Pip, []string{venv, pip + "-r requirements.txt"}
		a.noteLock()
	case a.refusesPoetry():
		return false
	case a.file.BuildSystem != nil:
		p.Manager, p.Install = Pip, []string{venv, pip + "."}
		a.noteUnlocked()
	case len(a.file.Project.Dependencies) > 0:
		var words []string
		for _, d := range a.file.Project.Dependencies {
			words = append(words, quote(d))
		}
		p.Manager, p.Install = Pip, []string{venv, pip + strings.Join(words, " ")}
		a.noteUnlocked()
	case a.has("setup.py"):
		p.Manager, p.Install = Pip, []string{venv, pip + "."}
		a.noteUnlocked()
	default:
		p.Manager, p.Install = Pip, []string{venv}
	}
	return true
}

// installUV installs uv beside the virtual environment, because uv sync removes from
// that what uv.lock does not name.
func (a *pythonApp) installUV() {
	p := a.project
	p.Manager, p.Locked, p.LockFile = UV, true, a.path("uv.lock")
	tool := "uv"
	if uv := a.file.Tool.UV; uv != nil && uv.RequiredVersion != "" {
		p.ManagerVersion = uv.RequiredVersion
		tool += choose(strings.ContainsAny(uv.RequiredVersion[:1], "<>=~!"), "", "==") + uv.RequiredVersion
	}
	p.Install = []string{
		"python3 -m venv .uv", ".uv/bin/pip install --disable-pip-version-check --no-cache-dir " + quote(tool),
		".uv/bin/uv sync --locked --no-dev --no-cache",
	}
	p.Prune = []string{"rm -rf .uv"}
	if a.has("requirements.txt") {
		p.Notes = append(p.Notes, "uv.lock is installed, and requirements.txt is not read.")
	}
}

// refusesPoetry reports a problem if only a manager that Aloft does not run can
// install.
func (a *pythonApp) refusesPoetry() bool {
	switch {
	case a.has("poetry.lock") || a.file.Tool.Poetry != nil && len(a.file.Project.Dependencies) == 0:
		name := choose(a.has("poetry.lock"), "poetry.lock", "pyproject.toml")
		a.problem(name, "run poetry export -f requirements.txt -o requirements.txt (plugin poetry-plugin-export) and "+
			"commit requirements.txt, or move to uv with uvx migrate-to-uv",
			"is of Poetry: Aloft installs with pip or uv")
		return true
	case a.has("Pipfile"):
		a.problem("Pipfile", "run pipenv requirements > requirements.txt and commit requirements.txt",
			"is of Pipenv: Aloft installs with pip or uv")
		return true
	}
	return false
}

// noteLock adds a note if requirements.txt leaves a version open.
func (a *pythonApp) noteLock() {
	text, _ := a.read("requirements.txt")
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "-") && !strings.Contains(line, "==") &&
			!strings.Contains(line, " @ ") {
			a.noteUnlocked()
			return
		}
	}
	a.project.LockFile, a.project.Locked = a.path("requirements.txt"), true
}

func (a *pythonApp) noteUnlocked() {
	a.project.Notes = append(a.project.Notes, "Not all versions are fixed: two releases of the same source may get "+
		"different ones. pip freeze writes a requirements.txt that fixes them, and uv lock writes uv.lock.")
}

var (
	requirementName = regexp.MustCompile(`^([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[([^\]]*)\])?`)
	nameSeparators  = regexp.MustCompile(`[-_.]+`)
)

// require remembers a direct dependency: "uvicorn[standard]>=0.30". An extra is
// remembered as name[extra].
func (a *pythonApp) require(requirement string) {
	requirement = strings.TrimSpace(requirement)
	if strings.HasPrefix(requirement, "git+") || strings.Contains(requirement, " @ git+") {
		a.project.Packages = append(a.project.Packages, "git")
	}
	m := requirementName.FindStringSubmatch(requirement)
	if m == nil {
		return
	}
	name := nameSeparators.ReplaceAllString(strings.ToLower(m[1]), "-")
	a.packages[name] = true
	for extra := range strings.SplitSeq(m[2], ",") {
		a.packages[name+"["+strings.TrimSpace(extra)+"]"] = true
	}
}

// readRequirements reads requirements.txt and the files that it includes with -r.
func (a *pythonApp) readRequirements() {
	names := []string{"requirements.txt"}
	for i := 0; i < len(names) && i < 20; i++ {
		text, found := a.read(names[i])
		if !found && i > 0 {
			a.problem("requirements.txt", "correct the name", "includes %s, which does not exist", names[i])
		}
		for line := range strings.Lines(text) {
			line = strings.TrimSpace(line)
			if included, ok := strings.CutPrefix(line, "-r "); ok {
				if included = strings.TrimSpace(included); !slices.Contains(names, included) {
					names = append(names, included)
				}
				continue
			}
			if !strings.HasPrefix(line, "#") && !strings.HasPrefix(line, "-") {
				a.require(line)
			}
		}
	}
}
