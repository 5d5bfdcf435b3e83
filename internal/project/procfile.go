package project

import (
	"path"
	"regexp"
	"strings"
)

// procfile is a Procfile: a line NAME: COMMAND per process. web serves; release runs
// once per release (Heroku Dev Center, "The Procfile").
type procfile struct {
	web, release string
	from         string // where web is written
	others       map[string]string
}

var procfileLine = regexp.MustCompile(`^([A-Za-z0-9_-]+):\s*(.*)$`)

func (f *folder) readProcfile() procfile {
	p := procfile{from: f.path("Procfile")}
	text, _ := f.read("Procfile")
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		m := procfileLine.FindStringSubmatch(line)
		if m == nil || m[2] == "" {
			f.problem("Procfile", "write NAME: COMMAND, such as web: npm start",
				"line %d is no process: %q", number, line)
			continue
		}
		if m[1] == "env" {
			f.problem("Procfile", "choose another name",
				"line %d: the service of the name env fetches the application's environment", number)
			continue
		}
		if p.command(m[1]) != "" {
			f.problem("Procfile", "remove one of them", "line %d: there are two processes %s", number, m[1])
			continue
		}
		p.set(m[1], m[2])
	}
	return p
}

func (p *procfile) command(name string) string {
	switch name {
	case "web":
		return p.web
	case "release":
		return p.release
	}
	return p.others[name]
}

func (p *procfile) set(name, command string) {
	switch name {
	case "web":
		p.web = command
	case "release":
		p.release = command
	default:
		if p.others == nil {
			p.others = map[string]string{}
		}
		p.others[name] = command
	}
}

// apply sets what the Procfile says; web precedes every other start command.
func (p *procfile) apply(project *Project) {
	if p.web != "" {
		project.Start, project.StartFrom = p.web, p.from
	}
	project.Release, project.Processes = p.release, p.others
}

// commands returns all commands except web.
func (p *procfile) commands() []string { return append(values(p.others), p.release) }

// language returns the language whose program web runs, or Other.
func (p *procfile) language() Language {
	word, _ := firstWord(p.web)
	switch strings.TrimRight(path.Base(word), "0123456789.") {
	case "node", "npm", "npx", "yarn", "pnpm", "bun", "bunx", "nodemon", "next", "nest":
		return Node
	case "python", "gunicorn", "uvicorn", "hypercorn", "daphne", "flask", "fastapi", "uv", "waitress-serve":
		return Python
	case "go":
		return Go
	}
	if strings.HasPrefix(word, "bin/") || strings.HasPrefix(word, "./bin/") {
		return Go
	}
	return Other
}

var assignment = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*=`)

// firstWord returns the program that a command line runs, without assignments of
// variables before it, and the words after it.
func firstWord(command string) (string, []string) {
	words := strings.Fields(command)
	for len(words) > 0 && (assignment.MatchString(words[0]) || words[0] == "exec" || words[0] == "env" ||
		words[0] == "cross-env") {
		words = words[1:]
	}
	if len(words) == 0 {
		return "", nil
	}
	return words[0], words[1:]
}
