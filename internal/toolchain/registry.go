package toolchain

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"

	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/project"
)

// abbreviated asks the registry for a package's versions without their descriptions
// (npm documentation, "Package metadata").
const abbreviated = "application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8"

// published is a version of a package in npm's registry.
type published struct {
	Name    string          `json:"name"`
	Version string          `json:"version"`
	Bin     json.RawMessage `json:"bin"`
	Engines json.RawMessage `json:"engines"` // an object; an array in old packages

	Optional map[string]string `json:"optionalDependencies"`

	Dist struct {
		Tarball   string `json:"tarball"`
		Integrity string `json:"integrity"`
		Shasum    string `json:"shasum"`
	} `json:"dist"`
}

// engine returns the range of Node.js that the version works with.
func (v published) engine() string {
	var engines map[string]string
	_ = json.Unmarshal(v.Engines, &engines)
	return engines["node"]
}

// commands returns the files that the version's commands run, by name.
func (v published) commands() map[string]string {
	var one string
	commands := map[string]string{}
	if json.Unmarshal(v.Bin, &one) == nil {
		commands[path.Base(v.Name)] = one
		return commands
	}
	_ = json.Unmarshal(v.Bin, &commands)
	return commands
}

// sum returns the version's checksum.
func (v published) sum() (checksum, error) {
	if v.Dist.Integrity != "" {
		return integrityChecksum(v.Dist.Integrity)
	}
	return hexChecksum("sha1", v.Dist.Shasum)
}

// versions returns all versions of a package.
func (f *Fetcher) versions(ctx context.Context, name string) (map[string]published, string, error) {
	var document struct {
		Versions map[string]published `json:"versions"`
		Tags     map[string]string    `json:"dist-tags"`
	}
	err := f.readJSON(ctx, f.registry()+"/"+url.PathEscape(name), abbreviated, &document)
	return document.Versions, document.Tags["latest"], err
}

// find returns the version of a package that satisfies a range: exactly it, the tag
// latest for an empty range, else the newest. accept may refuse versions.
func (f *Fetcher) find(ctx context.Context, name, rangeText string, accept func(published) bool) (published, error) {
	if version, exact := isExact(rangeText); exact {
		var v published
		err := f.readJSON(ctx, f.registry()+"/"+url.PathEscape(name)+"/"+version, "", &v)
		if isAbsent(err) {
			return published{}, &diag.Diagnostic{
				Where: name + " " + version, Summary: "is no version that " + host(f.registry()) + " has",
				Hint: "correct the version", Cause: err,
			}
		}
		return v, err
	}
	all, latest, err := f.versions(ctx, name)
	if err != nil {
		return published{}, err
	}
	if rangeText == "" || rangeText == "latest" || rangeText == "*" {
		if v, found := all[latest]; found && accept(v) {
			return v, nil
		}
	}
	wanted, err := project.ParseRange(strings.Replace(rangeText, "latest", "", 1))
	if err != nil {
		return published{}, &diag.Diagnostic{
			Where: name + " " + rangeText, Summary: err.Error(), Hint: "write an exact version", Cause: err,
		}
	}
	for _, version := range newestFirst(slices.Collect(maps.Keys(all))) {
		if v := all[version.Original()]; wanted.Contains(version, "") && accept(v) {
			return v, nil
		}
	}
	return published{}, &diag.Diagnostic{
		Where: name, Summary: fmt.Sprintf("no version satisfies %s; the newest is %s", rangeText, latest),
		Hint: "correct the version",
	}
}

func acceptAll(published) bool { return true }

// newestFirst parses and sorts versions. It leaves out what is no version.
func newestFirst(texts []string) []*semver.Version {
	var versions []*semver.Version
	for _, text := range texts {
		if v, err := semver.NewVersion(text); err == nil {
			versions = append(versions, v)
		}
	}
	slices.SortFunc(versions, func(a, b *semver.Version) int { return b.Compare(a) })
	return versions
}

func (f *Fetcher) registry() string { return orDefault(f.Registry, DefaultRegistry) }

// unpack adds the files of a package's version.
func (f *Fetcher) unpack(ctx context.Context, v published, p *packer, where place) error {
	sum, err := v.sum()
	if err != nil {
		return &diag.Diagnostic{
			Where: v.Name + " " + v.Version, Summary: "has no checksum in " + host(f.registry()) + ": " + err.Error(),
			Hint: "use another registry in npm's configuration",
		}
	}
	return f.download(ctx, f.tarball(v), sum, func(r io.Reader) error { return p.repack(r, where) })
}

// tarball returns the URL of a version's archive. As npm, it replaces npm's own registry
// with the configured one (npm documentation, "replace-registry-host").
func (f *Fetcher) tarball(v published) string {
	if rest, ok := strings.CutPrefix(v.Dist.Tarball, DefaultRegistry); ok {
		return f.registry() + rest
	}
	return v.Dist.Tarball
}

// addPackage adds a package as npm installs it globally: in lib/node_modules, with links
// to its commands in bin. Files in without are left out.
func (f *Fetcher) addPackage(ctx context.Context, v published, p *packer, without map[string]bool) error {
	home := "lib/node_modules/" + v.Name + "/"
	commands := v.commands()
	programs := map[string]bool{}
	for _, file := range commands {
		programs[path.Clean(file)] = true
	}
	err := f.unpack(ctx, v, p, func(name string) (string, bool) {
		if without[name] {
			return "", false
		}
		return keepPackage(home + name), programs[name]
	})
	if err != nil {
		return err
	}
	for _, command := range slices.Sorted(maps.Keys(commands)) {
		if err := p.link("bin/"+command, "../"+home+path.Clean(commands[command])); err != nil {
			return err
		}
	}
	return nil
}
