package project

import (
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"

	"aloft.dev/aloft/internal/diag"
)

// cgoModules are modules that do not work without cgo, with the distribution's packages
// that they need.
var cgoModules = map[string][]string{
	"github.com/mattn/go-sqlite3":                {"build-essential"},
	"github.com/confluentinc/confluent-kafka-go": {"build-essential"},
	"github.com/h2non/bimg":                      {"build-essential", "libvips-dev", "pkg-config"},
	"github.com/davidbyttow/govips/v2":           {"build-essential", "libvips-dev", "pkg-config"},
}

// goModule returns the folder of go.mod: the application's, or one above. It returns ""
// if there is none.
func (f *folder) goModule() string {
	for dir := f.dir; ; dir = path.Dir(dir) {
		if f.at(dir).has("go.mod") {
			return dir
		}
		if dir == "." {
			return ""
		}
	}
}

// detectGo reads a Go application: one static binary per main package, in bin.
func (f *folder) detectGo(p *Project, procfile procfile) {
	p.Language = Go
	module := f.goModule()
	top := f.at(module)
	text, _ := top.read("go.mod")
	mod, err := modfile.Parse(top.path("go.mod"), []byte(text), nil)
	if err != nil {
		top.problem("go.mod", "correct it; go mod verify and go mod tidy read it too", "cannot be read: %v", err)
		return
	}
	if mod.Module == nil {
		top.problem("go.mod", "run go mod init NAME", "names no module")
		return
	}
	top.detectGoVersion(p, mod)
	top.checkGoSum(p, mod)
	if module != f.dir {
		p.Workspace = module
	}
	mains := f.goMains(f.dir)
	if !slices.Contains(mains, f.dir) && f.hasFolder("cmd") {
		mains = f.goCommands()
	} else if slices.Contains(mains, f.dir) {
		mains = append([]string{f.dir}, f.goCommands()...)
	}
	f.setGoBuild(p, mod, mains, procfile)
	if len(mod.Require) > 0 && !top.hasFolder("vendor") {
		p.Install = []string{"go mod download"}
	}
}

// detectGoVersion reads the toolchain line, else the go line (Go documentation, "Go
// Toolchains").
func (f *folder) detectGoVersion(p *Project, mod *modfile.File) {
	switch {
	case mod.Toolchain != nil && mod.Toolchain.Name != "default":
		p.Version, p.VersionFrom = strings.TrimPrefix(mod.Toolchain.Name, "go"), f.path("go.mod toolchain")
	case mod.Go != nil:
		p.Version, p.VersionFrom = mod.Go.Version, f.path("go.mod go")
	default:
		p.Notes = append(p.Notes, "go.mod names no version of Go: it is the newest. Write a line go VERSION.")
	}
}

// checkGoSum reports required modules without a checksum: the go command refuses to
// build with them.
func (f *folder) checkGoSum(p *Project, mod *modfile.File) {
	if f.has("go.sum") {
		p.Locked, p.LockFile = true, f.path("go.sum")
	}
	if len(mod.Require) == 0 || f.hasFolder("vendor") {
		return
	}
	sums, found := f.read("go.sum")
	replaced := map[string]bool{}
	for _, r := range mod.Replace {
		replaced[r.Old.Path] = true
	}
	var missing []string
	for _, r := range mod.Require {
		if !r.Indirect && !replaced[r.Mod.Path] && !strings.Contains(sums, r.Mod.Path+" "+r.Mod.Version+"/go.mod ") {
			missing = append(missing, r.Mod.Path+" "+r.Mod.Version)
		}
	}
	switch {
	case len(missing) == 0:
	case !found:
		f.problem("go.mod", "run go mod tidy and commit go.sum", "requires modules, but there is no go.sum")
	default:
		f.problem("go.sum", "run go mod tidy and commit go.sum",
			"does not fit go.mod: it has no checksum of %s", strings.Join(missing, ", "))
	}
}

// setGoBuild sets the build and the start command for the main packages.
func (f *folder) setGoBuild(p *Project, mod *modfile.File, mains []string, procfile procfile) {
	p.Path = []string{"bin"}
	cgo := "CGO_ENABLED=0 "
	for _, r := range mod.Require {
		if packages, found := cgoModules[strings.TrimSuffix(r.Mod.Path, "/v2")]; found && !r.Indirect {
			cgo = ""
			p.Packages = append(p.Packages, packages...)
			p.Notes = append(p.Notes, r.Mod.Path+" needs cgo: the program is built with a C compiler.")
		}
	}
	folder := "."
	if p.Workspace != "" {
		folder = f.relativeFrom(p.Workspace)
	}
	out := path.Join(folder, "bin")
	switch {
	case len(mains) == 0:
		p.NoStart = &diag.Diagnostic{
			Where: f.path("go.mod"), Summary: "there is no main package in the folder or in cmd/NAME",
			Hint: "name the folder of the main package in source.dir",
		}
	case len(mains) == 1 || mains[0] == f.dir && procfile.web == "":
		name := goBinary(mains[0], choose(p.Workspace == "", f.dir, p.Workspace), mod.Module.Mod.Path)
		out = quote(path.Join(out, name))
		p.Build = []string{cgo + "go build -trimpath -o " + out + " " + f.goPackage(p, mains[0])}
		p.Start, p.StartFrom = "./bin/"+quote(name), path.Join(mains[0], "main package")
	case procfile.web != "":
		line := cgo + "go build -trimpath -o " + quote(out+"/")
		for _, main := range mains {
			line += " " + f.goPackage(p, main)
		}
		p.Build = []string{line}
	default:
		f.problem("go.mod", "name one in source.dir, or write a Procfile with the line web: bin/NAME",
			"cannot tell which program serves: %s", strings.Join(mains, ", "))
	}
}

// relativeFrom returns the folder's path relative to one above it.
func (f *folder) relativeFrom(above string) string { return f.at(above).relative(f.dir) }

// goPackage returns a main package as an argument of go build, which runs in the
// module's folder.
func (f *folder) goPackage(p *Project, main string) string {
	top := f.dir
	if p.Workspace != "" {
		top = p.Workspace
	}
	relative := f.at(top).relative(main)
	if relative == "." {
		return "."
	}
	return quote("./" + relative)
}

var majorSuffix = regexp.MustCompile(`^v\d+$`)

// goBinary returns the name that go build gives a main package's program: its folder's,
// or the module's last part without /vN.
func goBinary(main, top, module string) string {
	if base := path.Base(main); main != top {
		return base
	}
	if base := path.Base(module); !majorSuffix.MatchString(base) || path.Dir(module) == "." {
		return base
	}
	return path.Base(path.Dir(module))
}

// goCommands returns the folders below cmd that are main packages.
func (f *folder) goCommands() []string {
	entries, err := fs.ReadDir(f.root, f.path("cmd"))
	if err != nil {
		return nil
	}
	mains := f.goMains(f.path("cmd"))
	for _, entry := range entries {
		if entry.IsDir() {
			mains = append(mains, f.goMains(path.Join(f.path("cmd"), entry.Name()))...)
		}
	}
	return mains
}

var (
	mainClause = regexp.MustCompile(`(?m)^package main\b`)
	buildLine  = regexp.MustCompile(`(?m)^//go:build (.*)$`)
	otherOS    = regexp.MustCompile(`_(windows|darwin|freebsd|openbsd|netbsd|plan9|js|wasip1)(_[a-z0-9]+)?\.go$`)
)

// goMains returns the folder if it is a main package for Linux.
func (f *folder) goMains(dir string) []string {
	entries, err := fs.ReadDir(f.root, dir)
	if err != nil {
		return nil
	}
	for _, entry := range entries {
		name := entry.Name()
		if path.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go") || otherOS.MatchString(name) {
			continue
		}
		text, _ := f.at(dir).read(name)
		clause := mainClause.FindStringIndex(text)
		if clause == nil {
			continue
		}
		line := buildLine.FindStringSubmatch(text[:clause[0]])
		if line == nil || !strings.Contains(line[1], "ignore") && !strings.Contains(line[1], "tools") {
			return []string{dir}
		}
	}
	return nil
}
