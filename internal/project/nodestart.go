package project

import (
	"encoding/json"
	"io/fs"
	"path"
	"slices"
	"strings"

	"aloft.dev/aloft/internal/diag"
)

// compilers are programs that compile when the application starts, or watch its files.
var compilers = []string{
	"nest", "ts-node", "ts-node-dev", "tsx", "tsc", "babel-node", "nodemon", "tsnd", "swc-node", "vite-node",
}

// productionScripts are names of the script that starts what was compiled before.
var productionScripts = []string{"start:prod", "start:production", "start-prod", "serve:prod"}

// detectNodeStart sets the start command: the Procfile's, the start script, the main
// file as Node.js resolves it, or server.js, which npm start runs without a script
// (npm documentation, "npm-start").
func (f *folder) detectNodeStart(p *Project, pkg *packageJSON, procfile procfile) {
	procfile.apply(p)
	if p.Start != "" {
		return
	}
	if script := pkg.Scripts["start"]; script != "" {
		name := f.startScript(p, pkg, script)
		p.Start, p.StartFrom = runScript(p.Manager, name), f.path("package.json scripts."+name)
		return
	}
	main, found := f.resolveMain(pkg)
	switch {
	case found:
		p.StartFrom = f.path("package.json main")
	case pkg.Main != "" && pkg.Scripts["build"] != "" && f.isBuilt(pkg.Main):
		main, p.StartFrom = path.Clean(pkg.Main), f.path("package.json main")
	default:
		main = f.usualFile(p, pkg)
	}
	if main == "" {
		p.NoStart = f.noNodeStart(pkg)
		return
	}
	p.Start = f.nodeProgram(p, main) + quote(main)
}

// nodeProgram returns the program that runs a file.
func (f *folder) nodeProgram(p *Project, main string) string {
	top := f
	if p.Workspace != "" {
		top = f.at(p.Workspace)
	}
	switch {
	case p.Manager == Bun && path.Ext(main) != ".js" && path.Ext(main) != ".cjs" && path.Ext(main) != ".mjs":
		return "bun "
	case top.plugAndPlay(p):
		return "yarn node "
	}
	return "node "
}

// startScript returns the script that starts in production: start, or start:prod beside
// a start that compiles.
func (f *folder) startScript(p *Project, pkg *packageJSON, script string) string {
	compiler := compilerOf(script)
	if compiler == "" {
		return "start"
	}
	for _, name := range productionScripts {
		if pkg.Scripts[name] != "" {
			p.Notes = append(p.Notes, "The script start runs "+compiler+", which is for development: the application "+
				"starts with the script "+name+".")
			return name
		}
	}
	if compiler != "nodemon" {
		p.Notes = append(p.Notes, "The script start runs "+compiler+" each time the application starts. It starts "+
			"faster with a script build that compiles, and a script start:prod that runs the result with node.")
	}
	return "start"
}

// compilerOf returns the program in a script that compiles or watches, or "".
func compilerOf(script string) string {
	for word := range strings.FieldsSeq(strings.NewReplacer(";", " ", "&&", " ", "=", " ").Replace(script)) {
		name, _, _ := strings.Cut(strings.TrimPrefix(word, "node_modules/.bin/"), "/")
		if slices.Contains(compilers, name) {
			return name
		}
	}
	return ""
}

// usualFile returns server.js, app.js or index.js for a package.json without a main
// file that exists, or "".
func (f *folder) usualFile(p *Project, pkg *packageJSON) string {
	for _, name := range []string{"server.js", "app.js", "index.js", "server.mjs", "app.mjs", "index.mjs"} {
		if !f.has(name) {
			continue
		}
		why := "package.json names neither a script start nor main"
		if pkg.Main != "" {
			why = "package.json has no script start, and its main (" + pkg.Main + ") does not exist"
		}
		p.Notes = append(p.Notes, why+": the application starts with "+name+".")
		p.StartFrom = f.path(name)
		return name
	}
	return ""
}

// noNodeStart returns the problem of a package.json that does not say how to start.
func (f *folder) noNodeStart(pkg *packageJSON) *diag.Diagnostic {
	d := &diag.Diagnostic{
		Where: f.path("package.json"), Summary: "has neither a script start nor a main file",
		Hint: `write "scripts": {"start": "node FILE"}, or start: in aloft.yaml`,
	}
	if pkg.Main != "" {
		d.Summary = "has no script start, and its main does not exist: " + pkg.Main
	}
	return d
}

// isBuilt reports whether a main file is one that the build writes: its first folder is
// not in the source.
func (f *folder) isBuilt(main string) bool {
	first, _, found := strings.Cut(path.Clean(main), "/")
	return found && !f.hasFolder(first)
}

// resolveMain returns the file that Node.js runs for the folder's package.json, and
// whether main names one that exists (Node.js documentation, "Modules: CommonJS
// modules", LOAD_AS_FILE and LOAD_AS_DIRECTORY).
func (f *folder) resolveMain(pkg *packageJSON) (string, bool) {
	if pkg.Main == "" {
		return "", false
	}
	main := path.Clean(strings.TrimPrefix(pkg.Main, "/"))
	if !fs.ValidPath(main) {
		return "", false
	}
	if main == "." {
		return f.loadIndex(".")
	}
	return f.load(main, 3)
}

// load resolves a path as LOAD_AS_FILE and LOAD_AS_DIRECTORY. depth limits how many
// package.json are followed.
func (f *folder) load(name string, depth int) (string, bool) {
	for _, ext := range []string{"", ".js"} {
		if f.has(name + ext) {
			return name + ext, path.Ext(name+ext) != ".json" && path.Ext(name+ext) != ".node"
		}
	}
	if text, found := f.read(path.Join(name, "package.json")); found && depth > 0 {
		var inner struct {
			Main string `json:"main"`
		}
		if json.Unmarshal([]byte(text), &inner) == nil && inner.Main != "" {
			if main := path.Join(name, inner.Main); fs.ValidPath(main) && main != name {
				if file, found := f.load(main, depth-1); found {
					return file, true
				}
			}
		}
	}
	return f.loadIndex(name)
}

func (f *folder) loadIndex(dir string) (string, bool) {
	index := path.Join(dir, "index.js")
	return index, f.has(index)
}
