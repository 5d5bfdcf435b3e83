package release

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"aloft.dev/aloft/internal/spec"
)

//go:embed recipe
var scripts embed.FS

// startTimeout is how long the application may take to answer after it starts.
const startTimeout = 60 * time.Second

// Step is one script that root runs on a machine. It may run again, also after it was
// interrupted.
type Step struct {
	Number string // step of the manual process
	Name   string // "npm ci"
	Script string // for sh -eu
	Input  string // standard input; may contain secrets and is never printed
	Ships  bool   // standard input is the source as a compressed tar stream
	Proof  bool   // it changes nothing on the machine
}

// Recipe returns the steps that turn a machine of the base image into one on which the
// application serves.
func Recipe(s *spec.Spec, source Source) []Step {
	fetch := Step{Number: "12,14", Name: "git clone", Script: joinScripts("user", "clone", "place")}
	if source.Git == "" || source.ClonedHere {
		fetch = Step{
			Number: "12,14", Name: "ship the source", Script: joinScripts("user", "unpack", "place"), Ships: true,
		}
	}
	dependencies := "install dependencies"
	switch {
	case source.Locked:
		dependencies = "npm ci"
	case source.Git == "":
		dependencies = "npm install"
	}
	steps := []Step{
		{Number: "10", Name: "wait until the machine has settled", Script: joinScripts("settle")},
		{Number: "11,13", Name: "install git, Node.js and npm", Script: joinScripts("packages")},
		{Number: "13", Name: "npm install -g nodemon", Script: joinScripts("nodemon")},
		fetch,
		{Number: "15", Name: dependencies, Script: joinScripts("dependencies")},
		{Number: "16", Name: "write the environment", Script: joinScripts("environment"), Input: environment(s)},
		{Number: "16", Name: "start " + s.Start, Script: joinScripts("service"), Input: unit(s, source)},
		{
			Number: "16", Name: "prove that it answers", Script: proofVariables(s, 0) + joinScripts("prove"),
			Input: proof(), Proof: true,
		},
		{Number: "17", Name: "forget the machine's own identity", Script: joinScripts("forget")},
	}
	header := variables(s, source) + readScript("begin.sh")
	for i := range steps {
		steps[i].Script = header + steps[i].Script
	}
	return steps
}

// ID returns the id of a release, derived from everything that goes into its image: the
// id of the base image, the recipe's text and the source. Equal ids mean equal
// machines.
func ID(base string, s *spec.Spec, source Source) string {
	sum := sha256.New()
	add := func(part string) { _, _ = fmt.Fprintf(sum, "%d:%s", len(part), part) }
	add(base)
	add(source.Digest)
	for _, step := range Recipe(s, source) {
		if !step.Proof {
			add(step.Script)
			add(step.Input)
		}
	}
	return hex.EncodeToString(sum.Sum(nil))[:12]
}

// variables returns the shell variables that describe the application to the scripts.
// Only the proof knows the health check, which is not part of the image.
func variables(s *spec.Spec, source Source) string {
	if source.ClonedHere {
		source.Git, source.Commit = "", "" // the URL may contain credentials
	}
	var out strings.Builder
	for _, v := range [][2]string{
		{"app", s.App}, {"user", User(s.App)}, {"unit", Unit(s.App)}, {"home", Home(s.App)}, {"dir", source.Dir},
		{"url", source.Git}, {"commit", source.Commit},
	} {
		_, _ = fmt.Fprintf(&out, "%s=%s\n", v[0], quoteShell(v[1]))
	}
	return out.String()
}

// proofVariables returns the additional shell variables of the proving script. watch is
// how long the script keeps checking a service that answers.
func proofVariables(s *spec.Spec, watch time.Duration) string {
	health := s.LoadBalancer.Health
	return fmt.Sprintf(
		"port=%d\npath=%s\nmatcher=%s\npatience=%d\nwatch=%d\n",
		s.Port,
		quoteShell(health.Path),
		quoteShell(health.Matcher),
		int(startTimeout.Seconds()),
		int(watch.Seconds()),
	)
}

// proof returns the program that the proving script runs.
func proof() string { return readScript("prove.js") + readScript("keepalive.js") }

// joinScripts concatenates embedded scripts.
func joinScripts(names ...string) string {
	var out strings.Builder
	for _, name := range names {
		out.WriteString(readScript(name + ".sh"))
	}
	return out.String()
}

// readScript returns an embedded file. Names are constants, and tests cover all of them.
func readScript(name string) string {
	text, err := scripts.ReadFile("recipe/" + name)
	if err != nil {
		return "exit 1 # " + err.Error() + "\n"
	}
	return string(text)
}

// quoteShell quotes a text as one word of sh.
func quoteShell(text string) string {
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
