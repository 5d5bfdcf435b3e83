package spec

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
)

var (
	processPattern = regexp.MustCompile(`^[a-z]([a-z0-9-]{0,18}[a-z0-9])?$`)
	packagePattern = regexp.MustCompile(`^[a-z0-9][a-z0-9+.-]+$`)
)

// indexed returns the path of a list's item.
func indexed(path string, i int) string { return fmt.Sprintf("%s[%d]", path, i) }

func oneLine(text string) bool { return !strings.ContainsAny(text, "\n\r\x00") }

func (s *Spec) validateProcesses(d *decoder) {
	for i, name := range s.Build.Packages {
		d.require(packagePattern.MatchString(name), indexed("build.packages", i),
			"for example: packages: [python3-venv]", "%q is not a package's name", name)
	}
	for i, command := range s.Build.Commands {
		d.require(command != "" && oneLine(command), indexed("build.commands", i),
			"write each command on a line of its own", "a command is one line")
	}
	for name, command := range s.Processes {
		at := "processes." + name
		d.require(processPattern.MatchString(name), at, "for example: worker",
			"%q is not a process's name: use lower-case letters, digits and hyphens, a letter first, at most 20", name)
		d.require(name != "web" && name != "release", at, "use start: or release.command:",
			"the web process is start:, the command before a release is release.command:")
		d.require(name != "env", at, "choose another name",
			"the service of that name fetches the application's environment")
		d.require(command != "" && oneLine(command), at, "write one line", "a command is one line")
	}
	d.require(oneLine(s.Release.Command), "release.command", "write one line", "a command is one line")
	for at, mirror := range map[string]string{
		"mirrors.node": s.Mirrors.Node, "mirrors.npm": s.Mirrors.NPM,
		"mirrors.python": s.Mirrors.Python, "mirrors.go": s.Mirrors.Go,
	} {
		u, err := url.Parse(mirror)
		ok := mirror == "" || err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
		d.require(ok, at, "for example: https://mirror.example.com/", "%q is not the URL of a mirror", mirror)
	}
}
