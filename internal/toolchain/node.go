package toolchain

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"

	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/project"
)

var exactVersion = regexp.MustCompile(`^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$`)

const nodeHint = "connect to the internet, or set NODEJS_ORG_MIRROR or npm's registry to a mirror"

// release is a release of Node.js.
type release struct {
	version *semver.Version
	line    string // name of its line of long-term support, lower case; "" without
	npm     string // version of the npm that comes with it; "" if unknown
}

// Node fetches the release of Node.js that satisfies a range such as ">=20" or "lts/*":
// the newest with long-term support, else the newest. An empty range is any release. If
// the mirror cannot be reached, the same release comes from npm's registry.
func (f *Fetcher) Node(ctx context.Context, rangeText, arch string) (Archive, error) {
	arch, err := architecture(arch)
	if err != nil {
		return Archive{}, err
	}
	wanted, err := project.ParseRange(rangeText)
	if err != nil {
		return Archive{}, &diag.Diagnostic{
			Where: "Node.js " + rangeText, Summary: err.Error(), Hint: `write a range as ">=20" or "22.x"`, Cause: err,
		}
	}
	if version, exact := isExact(rangeText); exact {
		if a := (Archive{Name: "node", Version: version, Arch: arch}); f.cached(&a) {
			return a, nil
		}
	}
	a, mirrorErr := f.nodeFromMirror(ctx, wanted, arch)
	if mirrorErr == nil {
		return a, nil
	}
	var d *diag.Diagnostic
	if ctx.Err() != nil || errors.As(mirrorErr, &d) {
		return Archive{}, mirrorErr
	}
	a, err = f.nodeFromRegistry(ctx, wanted, arch)
	if err == nil {
		return a, nil
	}
	err = unreachable(strings.TrimSpace("Node.js "+rangeText), nodeHint, mirrorErr, err)
	a = Archive{Name: "node", Arch: arch}
	if !errors.Is(err, errUnreachable) {
		return Archive{}, err
	}
	for _, lts := range []bool{wanted.PrefersLTS(), false} {
		if f.newestCached(&a, func(v *semver.Version) bool {
			line := ltsLine(v, f.Now)
			return wanted.Contains(v, line) && (line != "" || !lts)
		}) {
			return a, nil
		}
	}
	return Archive{}, err
}

// nodeFromMirror fetches from a mirror of nodejs.org/dist.
func (f *Fetcher) nodeFromMirror(ctx context.Context, wanted project.Range, arch string) (Archive, error) {
	base := orDefault(f.NodeMirror, defaultNodeMirror)
	var index []struct {
		Version string   `json:"version"`
		Files   []string `json:"files"`
		NPM     string   `json:"npm"`
		LTS     any      `json:"lts"` // false, or the line's name
	}
	if err := f.readJSON(ctx, base+"/index.json", "", &index); err != nil {
		return Archive{}, err
	}
	var releases []release
	for _, entry := range index {
		version, err := semver.NewVersion(entry.Version)
		if err != nil || !slices.Contains(entry.Files, "linux-"+nodeArch(arch)) {
			continue
		}
		line, _ := entry.LTS.(string)
		releases = append(releases, release{version, strings.ToLower(line), entry.NPM})
	}
	chosen, err := choose(releases, wanted)
	if err != nil {
		return Archive{}, err
	}
	a := Archive{Name: "node", Version: chosen.version.String(), Arch: arch, From: host(base)}
	if f.cached(&a) {
		return a, nil
	}
	a.From = host(base)
	name := fmt.Sprintf("node-v%s-linux-%s.tar.gz", a.Version, nodeArch(arch))
	folder := fmt.Sprintf("%s/v%s/", base, a.Version)
	sums, err := f.document(ctx, folder+"SHASUMS256.txt", "")
	if err != nil {
		return Archive{}, err
	}
	sum, err := findSum(string(sums), name)
	if err != nil {
		return Archive{}, &diag.Diagnostic{
			Where: folder + "SHASUMS256.txt", Summary: err.Error(), Hint: "use another mirror in NODEJS_ORG_MIRROR",
		}
	}
	err = f.store(&a, func(p *packer) error {
		return f.download(ctx, folder+name, sum, func(r io.Reader) error { return p.repack(r, placeNode) })
	})
	return a, err
}

// findSum returns a file's checksum in the format of sha256sum.
func findSum(sums, name string) (checksum, error) {
	for line := range strings.Lines(sums) {
		if fields := strings.Fields(line); len(fields) == 2 && strings.TrimPrefix(fields[1], "*") == name {
			return hexChecksum("sha256", fields[0])
		}
	}
	return checksum{}, fmt.Errorf("names no checksum of %s", name)
}

// placeNode keeps the program, npm, Corepack and the license. It leaves out headers and
// documentation.
func placeNode(name string) (string, bool) {
	switch {
	case name == "bin/node":
		return name, true
	case name == "LICENSE", strings.HasPrefix(name, "bin/"):
		return name, false
	case strings.HasPrefix(name, "lib/node_modules/"):
		return keepPackage(name), false
	}
	return "", false
}

// keepPackage leaves out an npm package's manual pages and documentation.
func keepPackage(name string) string {
	if strings.Contains(name, "/npm/man/") || strings.Contains(name, "/npm/docs/") {
		return ""
	}
	return name
}

// choose returns the release for a range: the newest with long-term support if the
// range contains one, else the newest.
func choose(releases []release, wanted project.Range) (release, error) {
	slices.SortFunc(releases, func(a, b release) int { return b.version.Compare(a.version) })
	newest := -1
	for i, r := range releases {
		if !wanted.Contains(r.version, r.line) {
			continue
		}
		if r.line != "" || !wanted.PrefersLTS() {
			return r, nil
		}
		if newest < 0 {
			newest = i
		}
	}
	if newest >= 0 {
		return releases[newest], nil
	}
	d := &diag.Diagnostic{
		Where: "Node.js", Summary: fmt.Sprintf("no release satisfies %s", wanted),
		Hint: "correct the range",
	}
	if len(releases) > 0 {
		d.Summary += fmt.Sprintf("; the newest is %s", releases[0].version)
	}
	return release{}, d
}
