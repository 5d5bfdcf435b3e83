package project

import (
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"aloft.dev/aloft/internal/diag"
)

// object matches the start of an assignment: "app: FastAPI = fastapi.".
const object = `(?m)^(\w+)(?:\s*:\s*\w+)?\s*=\s*(?:\w+\.)?`

var (
	settingsModule = regexp.MustCompile(`DJANGO_SETTINGS_MODULE["'],\s*["']([\w.]+)["']`)
	asgiObject     = regexp.MustCompile(object + `(?:FastAPI|Starlette|Litestar|Quart)\(`)
	wsgiObject     = regexp.MustCompile(object + `(?:Flask|Bottle|falcon\.App)\(`)
	factory        = regexp.MustCompile(`(?m)^def (create_app)\(\s*(?:\w+(?:\s*:\s*[\w.|\[\] ]+)?\s*=[^)]*)?\)`)
	factoryCall    = regexp.MustCompile(`(?m)^(\w+)\s*=\s*create_app\(`)
	pythonNames    = []string{
		"main.py", "app.py", "server.py", "wsgi.py", "asgi.py", "application.py", "api.py", "run.py",
	}
)

// entry is an object that a server of Python applications serves.
type entry struct {
	file   string
	module string // "app.main:app"
	dir    string // "src" if modules are found there, else ""
	asgi   bool
}

// detectStart sets the start command of a Django, Flask or FastAPI application.
func (a *pythonApp) detectStart() {
	p := a.project
	if a.has("manage.py") {
		a.detectDjango()
		return
	}
	entries := a.entries()
	switch {
	case len(entries) == 1:
		p.Start, p.StartFrom = entries[0].command(), a.path(entries[0].file)
	case len(entries) > 1:
		var names []string
		for _, e := range entries {
			names = append(names, e.module)
		}
		p.NoStart = &diag.Diagnostic{
			Where:   a.path(entries[0].file),
			Summary: "cannot tell which application serves: " + strings.Join(names, ", "),
			Hint:    "write a Procfile, such as web: " + entries[0].command(),
		}
	default:
		a.detectScript()
	}
}

// detectDjango serves the WSGI module beside the settings that manage.py names.
func (a *pythonApp) detectDjango() {
	p := a.project
	text, _ := a.read("manage.py")
	m := settingsModule.FindStringSubmatch(text)
	if m == nil {
		p.NoStart = &diag.Diagnostic{
			Where: a.path("manage.py"), Summary: "does not name DJANGO_SETTINGS_MODULE",
			Hint: "write a Procfile, such as web: gunicorn --bind 0.0.0.0:$PORT NAME.wsgi",
		}
		return
	}
	a.noteHosts(m[1])
	parts := strings.Split(m[1], ".")
	for ; len(parts) > 1; parts = parts[:len(parts)-1] {
		module := strings.Join(parts[:len(parts)-1], ".")
		dir := strings.ReplaceAll(module, ".", "/")
		if a.has(dir+"/asgi.py") && a.packages["uvicorn"] && !a.packages["gunicorn"] {
			e := entry{module: module + ".asgi:application", asgi: true}
			p.Start, p.StartFrom = e.command(), a.path(dir+"/asgi.py")
			return
		}
		if a.has(dir + "/wsgi.py") {
			p.Start, p.StartFrom = entry{module: module + ".wsgi"}.command(), a.path(dir+"/wsgi.py")
			return
		}
	}
	p.NoStart = &diag.Diagnostic{
		Where: a.path("manage.py"), Summary: "there is no wsgi.py beside the settings " + m[1],
		Hint: "write a Procfile, such as web: gunicorn --bind 0.0.0.0:$PORT NAME.wsgi",
	}
}

var allowedHosts = regexp.MustCompile(`(?m)^ALLOWED_HOSTS\s*(?::[^=]*)?=\s*\[([^\]]*)\]`)

// noteHosts notes settings with which Django refuses health checks, which name the
// server by its address (Django documentation, "ALLOWED_HOSTS").
func (a *pythonApp) noteHosts(settings string) {
	text, _ := a.read(strings.ReplaceAll(settings, ".", "/") + ".py")
	if m := allowedHosts.FindStringSubmatch(text); m != nil && !strings.Contains(m[1], "*") {
		a.project.Notes = append(a.project.Notes,
			"ALLOWED_HOSTS in the settings "+settings+" names hosts: Django answers "+
				"400 to a health check, which names the server by its address, and to the load balancer's name.")
	}
}

// detectScript starts a program that listens itself.
func (a *pythonApp) detectScript() {
	p := a.project
	for _, name := range []string{"main.py", "app.py", "server.py"} {
		if a.has(name) {
			p.Start, p.StartFrom = "python "+name, a.path(name)
			p.Notes = append(p.Notes, "No file names a server or a framework: the application starts with python "+name+
				". It must listen on the port in the variable PORT.")
			return
		}
	}
	p.NoStart = &diag.Diagnostic{
		Where: a.dir, Summary: "no file says how to start the Python application",
		Hint: "write a Procfile, such as web: gunicorn --bind 0.0.0.0:$PORT MODULE:app, or start: in aloft.yaml",
	}
}

// command returns the command that serves the object on PORT.
func (e entry) command() string {
	if e.asgi {
		return "uvicorn " + choose(e.dir == "", "", "--app-dir "+e.dir+" ") + e.module + " --host 0.0.0.0 --port $PORT"
	}
	return "gunicorn --bind 0.0.0.0:$PORT " + choose(e.dir == "", "", "--pythonpath "+e.dir+" ") + quote(e.module)
}

// entries returns the objects that files with usual names define: in the folder, in
// src, and in packages one level below. A file in the folder precedes others.
func (a *pythonApp) entries() []entry {
	if found := a.entriesIn("", ""); len(found) > 0 {
		return found
	}
	var found []entry
	for _, dir := range a.folders(".") {
		if dir == "src" {
			found = append(found, a.entriesIn("src", "")...)
			for _, inner := range a.folders("src") {
				found = append(found, a.entriesIn("src", inner)...)
			}
			continue
		}
		found = append(found, a.entriesIn("", dir)...)
	}
	return found
}

// folders returns the folders that may be packages of the application.
func (a *pythonApp) folders(dir string) []string {
	entries, err := fs.ReadDir(a.root, a.path(dir))
	if err != nil {
		return nil
	}
	var names []string
	for _, entry := range entries {
		if entry.IsDir() && !isForeign(entry.Name()) && !testFile.MatchString(entry.Name()) {
			names = append(names, entry.Name())
		}
	}
	return names
}

// entriesIn returns the objects of a package below dir. An object in a file precedes a
// factory.
func (a *pythonApp) entriesIn(dir, pkg string) []entry {
	var objects, factories []entry
	for _, name := range slices.Concat([]string{"__init__.py"}, pythonNames) {
		file := path.Join(dir, pkg, name)
		text, found := a.read(file)
		if !found {
			continue
		}
		module := strings.TrimSuffix(strings.ReplaceAll(path.Join(pkg, name), "/", "."), ".py")
		e := entry{file: file, dir: dir, module: strings.TrimSuffix(module, ".__init__")}
		assigned := asgiObject.FindStringSubmatch(text)
		e.asgi = assigned != nil
		if assigned == nil {
			assigned = wsgiObject.FindStringSubmatch(text)
		}
		if assigned == nil {
			assigned = factoryCall.FindStringSubmatch(text)
			e.asgi = assigned != nil && a.packages["fastapi"] && !a.packages["flask"]
		}
		if assigned != nil {
			e.module += ":" + assigned[1]
			objects = append(objects, e)
		} else if factory.MatchString(text) && a.packages["flask"] && name != "wsgi.py" {
			e.module += ":create_app()"
			factories = append(factories, e)
		}
	}
	if len(objects) > 0 {
		return objects
	}
	return factories
}

// addServer installs the server that the start command runs, if it is no dependency.
func (a *pythonApp) addServer(procfile procfile) {
	word, _ := firstWord(a.project.Start)
	name := path.Base(word)
	if name != "gunicorn" && name != "uvicorn" || a.packages[name] {
		return
	}
	if name == "uvicorn" && (a.packages["fastapi[standard]"] || a.packages["fastapi[all]"]) {
		return
	}
	p := a.project
	from := choose(procfile.web == "", "The start command", procfile.from)
	p.Notes = append(p.Notes, from+" runs "+name+", which is no dependency: the newest one is installed. "+
		"To fix its version, add it to the dependencies.")
	if p.Manager == UV {
		p.Install = append(p.Install, ".uv/bin/uv pip install --no-cache --python .venv "+name)
		return
	}
	p.Install = append(p.Install, ".venv/bin/pip install --disable-pip-version-check --no-cache-dir "+name)
}
