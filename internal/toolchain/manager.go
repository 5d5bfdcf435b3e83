package toolchain

import (
	"context"
	"errors"
	"path"
	"strings"

	"github.com/Masterminds/semver/v3"

	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/project"
)

// Manager fetches a package manager from npm's registry: npm, pnpm, yarn or bun. version
// is exact, a range, or empty for the latest. Yarn before version 2 is another package
// than later ones.
func (f *Fetcher) Manager(ctx context.Context, name project.Manager, version, arch string) (Archive, error) {
	arch, err := architecture(arch)
	if err != nil {
		return Archive{}, err
	}
	a := Archive{Name: string(name)}
	pkg, isProgram := managerPackage(name, version, arch)
	if pkg == "" {
		return Archive{}, &diag.Diagnostic{
			Where: string(name), Summary: "is no package manager of Node.js", Hint: "use npm, pnpm, yarn or bun",
		}
	}
	if isProgram {
		a.Arch = arch
	}
	if exact, ok := isExact(version); ok {
		if a.Version = exact; f.cached(&a) {
			return a, nil
		}
	}
	v, err := f.find(ctx, pkg, version, acceptAll)
	if err == nil {
		if a.Version = v.Version; f.cached(&a) {
			return a, nil
		}
		a.From = host(f.registry())
		err = f.store(&a, func(p *packer) error { return f.addManager(ctx, a, v, p) })
	}
	if err == nil {
		return a, nil
	}
	err = unreachable(strings.TrimSpace(string(name)+" "+version),
		"connect to the internet, or set npm's registry to a mirror", err)
	wanted, rangeErr := project.ParseRange(version)
	if errors.Is(err, errUnreachable) && rangeErr == nil && f.newestCached(&a, func(v *semver.Version) bool {
		return wanted.Contains(v, "") && (name != project.Yarn || yarnPackage(v.String()) == pkg)
	}) {
		return a, nil
	}
	return Archive{}, err
}

// managerPackage returns a manager's package, and whether it may hold a program for one
// architecture: pnpm does since version 12.
func managerPackage(name project.Manager, version, arch string) (pkg string, isProgram bool) {
	switch name {
	case project.NPM:
		return "npm", false
	case project.PNPM:
		return "pnpm", true
	case project.Yarn:
		return yarnPackage(version), false
	case project.Bun:
		return "@oven/bun-linux-" + map[string]string{"amd64": "x64", "arm64": "aarch64"}[arch], true
	}
	return "", false
}

// yarnPackage returns the package of a version of Yarn.
func yarnPackage(version string) string {
	number := strings.TrimLeft(version, "^~v=<> ")
	if number == "" || number == "1" || strings.HasPrefix(number, "1.") || strings.HasPrefix(number, "0.") {
		return "yarn"
	}
	return "@yarnpkg/cli-dist"
}

// addManager adds a manager's files. Bun is a program, and pnpm may be one.
func (f *Fetcher) addManager(ctx context.Context, a Archive, v published, p *packer) error {
	program := "@pnpm/exe.linux-" + nodeArch(a.Arch)
	switch {
	case a.Name == string(project.Bun):
		return f.addBun(ctx, v, p)
	case v.Optional[program] != "":
		return f.addProgram(ctx, v, program, p)
	}
	return f.addPackage(ctx, v, p, nil)
}

func (f *Fetcher) addBun(ctx context.Context, v published, p *packer) error {
	err := f.unpack(ctx, v, p, func(name string) (string, bool) { return only(name, "bin/bun"), true })
	if err != nil {
		return err
	}
	return p.link("bin/bunx", "bun")
}

// addProgram adds pnpm with its program for one system. When npm installs pnpm, the
// package's own script puts the program in the place of each command, which otherwise
// downloads it; the program tells by its name which command it is.
func (f *Fetcher) addProgram(ctx context.Context, v published, program string, p *packer) error {
	exe, err := f.find(ctx, program, v.Optional[program], acceptAll)
	if err != nil {
		return err
	}
	const home, file = "lib/node_modules/pnpm/", "pnpm"
	if err := f.unpack(ctx, exe, p, func(name string) (string, bool) {
		if only(name, file) == "" {
			return "", false
		}
		return home + file, true
	}); err != nil {
		return err
	}
	replaced := map[string]bool{file: true}
	for _, command := range v.commands() {
		if command = path.Clean(command); replaced[command] {
			continue
		}
		replaced[command] = true
		if err := p.link(home+command, file); err != nil {
			return err
		}
	}
	return f.addPackage(ctx, v, p, replaced)
}

func only(name, wanted string) string {
	if name == wanted {
		return name
	}
	return ""
}
