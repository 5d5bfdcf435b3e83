package project

import (
	"path"
	"strings"
)

// runScript returns the command that runs a script of package.json.
func runScript(manager Manager, name string) string {
	switch {
	case manager == "":
		manager = NPM
	case manager == Bun:
		return "bun run " + name
	}
	if name == "start" {
		return string(manager) + " start"
	}
	return string(manager) + " run " + name
}

// scriptOf returns the script of package.json that a command runs, and whether it can be
// nothing else: "npm run serve" is a script, "yarn serve" may be a program.
func scriptOf(command string) (name string, certain bool) {
	word, rest := firstWord(command)
	run := false
	switch word {
	case "npm", "yarn", "pnpm", "bun":
	default:
		return "", false
	}
	for i, argument := range rest {
		switch {
		case isElsewhere(argument):
			return "", false
		case strings.HasPrefix(argument, "-"):
		case !run && (argument == "run" || argument == "run-script"):
			run = true
		case run:
			return argument, word != "bun" || !strings.ContainsAny(argument, "./")
		case i == 0 && argument == "start":
			return "start", word != "bun"
		case word == "npm" || word == "bun" || i > 0:
			return "", false
		default:
			return argument, false
		}
	}
	return "", false
}

// isElsewhere reports whether an argument leads to another package.json.
func isElsewhere(argument string) bool {
	for _, flag := range []string{"--prefix", "-w", "--workspace", "--filter", "-F", "-C", "--cwd", "--dir", "-r"} {
		if argument == flag || strings.HasPrefix(argument, flag+"=") {
			return true
		}
	}
	return false
}

// checkScripts reports commands that name a script or a file that does not exist.
func (f *folder) checkScripts(p *Project, pkg *packageJSON, procfile procfile) {
	f.checkScript(procfile.from, pkg, procfile.web)
	for _, command := range procfile.commands() {
		f.checkScript(f.path("Procfile"), pkg, command)
	}
	if script := pkg.Scripts["start"]; script != "" && p.StartFrom == f.path("package.json scripts.start") {
		f.checkScript(f.path("package.json"), pkg, script)
		f.checkStartFile(pkg, script)
	}
}

func (f *folder) checkScript(where string, pkg *packageJSON, command string) {
	for part := range strings.SplitSeq(command, "&&") {
		name, certain := scriptOf(strings.TrimSpace(part))
		if !certain || pkg.Scripts[name] != "" || name == "start" && f.has("server.js") {
			continue
		}
		f.problems.Add(where, "correct the name, or add the script to package.json",
			"%q runs the script %s, which package.json does not have: %s", command, name, pkg.scriptNames())
	}
}

// checkStartFile reports a start script as "node server.js" whose file does not exist,
// unless a script may write it.
func (f *folder) checkStartFile(pkg *packageJSON, script string) {
	word, rest := firstWord(script)
	if word != "node" || len(rest) != 1 || rest[0][0] == '-' || strings.ContainsAny(rest[0], "$*'\"`;&|") {
		return
	}
	if pkg.Scripts["build"] != "" || pkg.Scripts["prestart"] != "" || pkg.installs() != "" {
		return
	}
	name := path.Clean(rest[0])
	if strings.HasPrefix(name, "/") || strings.HasPrefix(name, "..") {
		return
	}
	if _, found := f.load(name, 1); !found && !f.has(name) {
		f.problem("package.json", "correct scripts.start, or add a script build that writes the file",
			"the script start runs %s, which does not exist", rest[0])
	}
}
