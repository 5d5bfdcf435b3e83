package toolchain

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/Masterminds/semver/v3"

	"aloft.dev/aloft/internal/project"
)

// ltsLines are the names of lines of long-term support by major version (Node.js,
// "Release schedule").
var ltsLines = map[uint64]string{
	4: "argon", 6: "boron", 8: "carbon", 10: "dubnium", 12: "erbium", 14: "fermium", 16: "gallium",
	18: "hydrogen", 20: "iron", 22: "jod", 24: "krypton",
}

// bundledNPM are the major versions of npm that come with Node.js, by its major version
// (nodejs.org/dist/index.json).
var bundledNPM = map[uint64]string{14: "^6", 16: "^8", 18: "^10", 20: "^10", 22: "^10", 24: "^11"}

// ltsLine returns the line of long-term support that a release belongs to at a time, or
// "". A line starts at the end of October: until Node.js 26 those with an even number,
// two and a half years apart from their number, since then each in the year of its
// number (Node.js, "Release schedule").
func ltsLine(version *semver.Version, now time.Time) string {
	major := version.Major()
	year := 2000 + int(major)
	if major <= 26 {
		if major%2 != 0 || major < 4 {
			return ""
		}
		year = 2013 + int(major)/2
	}
	if now.Before(time.Date(year, time.October, 28, 0, 0, 0, 0, time.UTC)) {
		return ""
	}
	if name := ltsLines[major]; name != "" {
		return name
	}
	return fmt.Sprintf("v%d", major)
}

// nodeFromRegistry fetches the package node-linux-ARCH of npm's registry, which contains
// the program alone, and npm beside it.
func (f *Fetcher) nodeFromRegistry(ctx context.Context, wanted project.Range, arch string) (Archive, error) {
	name := "node-linux-" + nodeArch(arch)
	all, _, err := f.versions(ctx, name)
	if err != nil {
		return Archive{}, err
	}
	var releases []release
	for _, version := range newestFirst(slices.Collect(maps.Keys(all))) {
		if version.Prerelease() == "" {
			releases = append(releases, release{version: version, line: ltsLine(version, f.Now)})
		}
	}
	chosen, err := choose(releases, wanted)
	if err != nil {
		return Archive{}, err
	}
	a := Archive{Name: "node", Version: chosen.version.String(), Arch: arch}
	if f.cached(&a) {
		return a, nil
	}
	a.From = host(f.registry())
	npm, err := f.find(ctx, "npm", bundledNPM[chosen.version.Major()], func(v published) bool {
		engine, err := project.ParseRange(v.engine())
		return err == nil && engine.Contains(chosen.version, "")
	})
	if err != nil {
		return Archive{}, err
	}
	err = f.store(&a, func(p *packer) error {
		if err := f.unpack(ctx, all[a.Version], p, placeNodePackage); err != nil {
			return err
		}
		return f.addPackage(ctx, npm, p, nil)
	})
	return a, err
}

// placeNodePackage keeps the program.
func placeNodePackage(name string) (string, bool) {
	if name == "bin/node" || name == "LICENSE" {
		return name, name == "bin/node"
	}
	return "", false
}
