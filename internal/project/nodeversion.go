package project

import (
	"strings"
)

// versionFile is a place that names a version of Node.js.
type versionFile struct{ where, text string }

// detectNodeVersion sets the version of Node.js: engines.node, .nvmrc, .node-version or
// volta, of the application or else of its workspace. If engines.node is a range and a
// file beside it names a version in that range, it is that version: it is the one the
// application is developed with.
func (f *folder) detectNodeVersion(p *Project, pkg *packageJSON, w *workspace) {
	found := f.nodeVersions(pkg)
	if len(found) == 0 && w != nil {
		found = w.nodeVersions(w.pkg)
	}
	if len(found) == 0 {
		p.Notes = append(p.Notes, "No file names a version of Node.js: it is the newest with long-term support. "+
			`To fix it, write "engines": {"node": "…"} in package.json.`)
		return
	}
	ranges := make([]Range, len(found))
	for i, from := range found {
		var err error
		if ranges[i], err = ParseRange(from.text); err != nil {
			f.problems.Add(from.where, `write a range as ">=20", "22.x" or "^20 || ^22"`,
				"the version of Node.js cannot be read: %v", err)
			return
		}
	}
	p.Version, p.VersionFrom = found[0].text, found[0].where
	for _, other := range found[1:] {
		switch {
		case !ranges[0].within(other.text):
			f.problems.Add(other.where, "correct one of them",
				"asks for Node.js %s, and %s for %s", other.text, found[0].where, found[0].text)
		case plainVersion.MatchString(other.text) && !plainVersion.MatchString(p.Version):
			p.Version, p.VersionFrom = other.text, other.where
		}
	}
}

// nodeVersions returns the places in the folder that name a version, the most important
// first.
func (f *folder) nodeVersions(pkg *packageJSON) []versionFile {
	var found []versionFile
	add := func(name, text string) {
		if text = strings.TrimSpace(text); text != "" {
			found = append(found, versionFile{f.path(name), text})
		}
	}
	add("package.json engines.node", pkg.Engines["node"])
	for _, name := range []string{".nvmrc", ".node-version"} {
		text, _ := f.read(name)
		add(name, firstLine(text))
	}
	add("package.json volta.node", pkg.Volta.Node)
	return found
}

// firstLine returns the first line that is neither empty nor a comment.
func firstLine(text string) string {
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		if line = strings.TrimSpace(line); line != "" {
			return line
		}
	}
	return ""
}
