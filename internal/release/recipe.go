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

// startPatience is how long the application may take to answer after its start.
const startPatience = 60 * time.Second

// Step is one thing that is done on a machine, by root, with a shell. Doing it
// again, or after a run that was cut off in it, does no harm.
type Step struct {
	Number string // step of the process that Aloft automates
	Name   string // "npm ci"
	Script string // for sh -eu
	Input  string // standard input; it may hold secrets and is never printed
	Ships  bool   // standard input is the source's folder as a compressed tar stream
}

// Recipe is all that is done on a machine of the base image, in order, until
// the application serves on it.
func Recipe(s *spec.Spec, source Source) []Step {
	fetch := Step{Number: "12,14", Name: "git clone", Script: script("user", "clone", "place")}
	if source.Git == "" || source.Carried {
		fetch = Step{Number: "12,14", Name: "ship the source", Script: script("user", "unpack", "place"), Ships: true}
	}
	dependencies := "install dependencies"
	switch {
	case source.Locked:
		dependencies = "npm ci"
	case source.Git == "":
		dependencies = "npm install"
	}
	steps := []Step{
		{Number: "10", Name: "wait until the machine has settled", Script: script("settle")},
		{Number: "11,13", Name: "install git, Node.js and npm", Script: script("packages")},
		{Number: "13", Name: "npm install -g nodemon", Script: script("nodemon")},
		fetch,
		{Number: "15", Name: dependencies, Script: script("dependencies")},
		{Number: "16", Name: "write the environment", Script: script("environment"), Input: environment(s)},
		{Number: "16", Name: "start " + s.Start, Script: script("service"), Input: unit(s, source)},
		{Number: "16", Name: "prove that it answers", Script: proof(s, 0) + script("prove"), Input: read("prove.js")},
	}
	header := variables(s, source) + read("begin.sh")
	for i := range steps {
		steps[i].Script = header + steps[i].Script
	}
	return steps
}

// ID names a machine image by what goes into it: the id of the image it starts
// from, the recipe's text and the source. Equal ids, equal machines.
func ID(base string, s *spec.Spec, source Source) string {
	sum := sha256.New()
	add := func(part string) { _, _ = fmt.Fprintf(sum, "%d:%s", len(part), part) }
	add(base)
	add(source.Digest)
	steps := Recipe(s, source)
	for _, step := range steps[:len(steps)-1] { // the proof leaves nothing behind
		add(step.Script)
		add(step.Input)
	}
	return hex.EncodeToString(sum.Sum(nil))[:12]
}

// variables are what the scripts know of the application. How its health is
// checked is given by the last step alone, for it is no part of the image.
func variables(s *spec.Spec, source Source) string {
	if source.Carried {
		source.Git, source.Commit = "", "" // credentials may be in the URL
	}
	var out strings.Builder
	for _, v := range [][2]string{
		{"app", s.App}, {"user", User(s.App)}, {"unit", Unit(s.App)}, {"home", Home(s.App)}, {"dir", source.Dir},
		{"url", source.Git}, {"commit", source.Commit},
	} {
		_, _ = fmt.Fprintf(&out, "%s=%s\n", v[0], shellQuote(v[1]))
	}
	return out.String()
}

// proof is what the proving script knows besides. It watches for a while a
// service that answers.
func proof(s *spec.Spec, watch time.Duration) string {
	health := s.LoadBalancer.Health
	return fmt.Sprintf(
		"port=%d\npath=%s\nmatcher=%s\npatience=%d\nwatch=%d\n",
		s.Port,
		shellQuote(health.Path),
		shellQuote(health.Matcher),
		int(startPatience.Seconds()),
		int(watch.Seconds()),
	)
}

// script joins embedded scripts.
func script(names ...string) string {
	var out strings.Builder
	for _, name := range names {
		out.WriteString(read(name + ".sh"))
	}
	return out.String()
}

// read gives an embedded file; the names are constants that the tests cover.
func read(name string) string {
	text, err := scripts.ReadFile("recipe/" + name)
	if err != nil {
		return "exit 1 # " + err.Error() + "\n"
	}
	return string(text)
}

// shellQuote makes one word of sh of a text.
func shellQuote(text string) string {
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
