package spec

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
)

// BuiltInDifferences describes what differs between two stages of an application that is
// part of an image: "port: 3000 and 8080". Sources are compared by where they are.
func BuiltInDifferences(a, b *Spec) []string {
	var all []string
	differ := func(key string, one, other any) {
		if first, second := fmt.Sprint(one), fmt.Sprint(other); first != second {
			all = append(all, fmt.Sprintf("%s: %s and %s", key, cmp.Or(first, "none"), cmp.Or(second, "none")))
		}
	}
	differ("app", a.Program(), b.Program())
	differ("source.git", a.Source.Git, b.Source.Git)
	differ("source.path", a.Source.Path, b.Source.Path)
	differ("source.dir", a.Source.Dir, b.Source.Dir)
	differ("build.packages", a.Build.Packages, b.Build.Packages)
	differ("build.commands", a.Build.Commands, b.Build.Commands)
	differ("start", a.Start, b.Start)
	differ("port", a.Port, b.Port)
	differ("release.command", a.Release.Command, b.Release.Command)
	differ("machines.image", a.Machines.Image, b.Machines.Image)
	for _, name := range slices.Sorted(maps.Keys(a.Processes)) {
		differ("processes."+name, a.Processes[name], b.Processes[name])
	}
	for _, name := range slices.Sorted(maps.Keys(b.Processes)) {
		if _, both := a.Processes[name]; !both {
			differ("processes."+name, "", b.Processes[name])
		}
	}
	return all
}
