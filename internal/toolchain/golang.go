package toolchain

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/Masterminds/semver/v3"
	"golang.org/x/mod/sumdb/dirhash"

	"aloft.dev/aloft/internal/diag"
)

const (
	goModule = "golang.org/toolchain"
	goHint   = "connect to the internet, or set GOPROXY to a mirror of Go modules"
)

// goVersion is a released version of Go: 1.25.3.
type goVersion [3]int

func (v goVersion) String() string { return fmt.Sprintf("%d.%d.%d", v[0], v[1], v[2]) }

// compare orders versions as numbers.
func (v goVersion) compare(w goVersion) int { return slices.Compare(v[:], w[:]) }

var goVersionText = regexp.MustCompile(`^(?:go)?(\d+)\.(\d+)(?:\.(\d+))?$`)

// parseGoVersion reads "1.25", "1.25.3" or "go1.25.3".
func parseGoVersion(text string) (goVersion, bool) {
	m := goVersionText.FindStringSubmatch(text)
	if m == nil {
		return goVersion{}, false
	}
	var v goVersion
	for i := range v {
		if m[i+1] != "" {
			n, err := strconv.Atoi(m[i+1])
			if err != nil {
				return goVersion{}, false
			}
			v[i] = n
		}
	}
	return v, true
}

// Go fetches a Go toolchain from a module proxy (Go documentation, "Go Toolchains"):
// exactly 1.25.3, or the newest patch of 1.25, which go.mod may write as 1.25.0. For an
// empty version, and for one that is older than the proxy's, it is the newest: a go line
// is the least version that a module needs.
func (f *Fetcher) Go(ctx context.Context, version, arch string) (Archive, error) {
	arch, err := architecture(arch)
	if err != nil {
		return Archive{}, err
	}
	wanted, ok := parseGoVersion(version)
	if !ok && version != "" {
		return Archive{}, &diag.Diagnostic{
			Where: "Go " + version, Summary: "is no released version of Go",
			Hint: "write go 1.25 or toolchain go1.25.3 in go.mod",
		}
	}
	a := Archive{Name: "go", Arch: arch}
	if wanted[2] > 0 {
		if a.Version = wanted.String(); f.cached(&a) {
			return a, nil
		}
	}
	proxies := f.proxies()
	if len(proxies) == 0 {
		return Archive{}, &diag.Diagnostic{
			Where: "GOPROXY", Summary: "names no module proxy: a toolchain comes from one",
			Hint: "set it to " + defaultGoProxy + " or a mirror",
		}
	}
	var causes []error
	for _, proxy := range proxies {
		err := f.goFrom(ctx, proxy, wanted, &a)
		if err == nil {
			return a, nil
		}
		causes = append(causes, err)
	}
	err = unreachable(strings.TrimSpace("Go "+version), goHint, causes...)
	if errors.Is(err, errUnreachable) && f.newestCached(&a, func(v *semver.Version) bool {
		got := goVersion{int(v.Major()), int(v.Minor()), int(v.Patch())}
		return got == wanted || wanted[2] == 0 && (got[0] == wanted[0] && got[1] == wanted[1] || version == "")
	}) {
		return a, nil
	}
	return Archive{}, err
}

// proxies returns the URLs in GOPROXY.
func (f *Fetcher) proxies() []string {
	var urls []string
	list := orDefault(f.GoProxy, defaultGoProxy)
	for _, entry := range strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == '|' }) {
		if entry = strings.TrimSpace(entry); entry != "direct" && entry != "off" && entry != "" {
			urls = append(urls, strings.TrimRight(entry, "/"))
		}
	}
	return urls
}

// goFrom fetches from one proxy.
func (f *Fetcher) goFrom(ctx context.Context, proxy string, wanted goVersion, a *Archive) error {
	list, err := f.document(ctx, proxy+"/"+goModule+"/@v/list", "")
	if err != nil {
		return err
	}
	chosen, err := chooseGo(listGo(string(list), a.Arch), wanted)
	if err != nil {
		return err
	}
	if a.Version = chosen.String(); f.cached(a) {
		return nil
	}
	a.From = host(proxy)
	module := moduleVersion(chosen, a.Arch)
	want := ""
	if f.GoSumDB != SumDBOff {
		if want, err = f.goSum(ctx, proxy, module); err != nil {
			return err
		}
	}
	file, err := os.CreateTemp("", "aloft-go-*.zip")
	if err != nil {
		return err
	}
	defer func() {
		_ = file.Close()
		_ = os.Remove(file.Name())
	}()
	url := proxy + "/" + goModule + "/@v/" + module + ".zip"
	if err := f.save(ctx, url, file); err != nil {
		return err
	}
	if err := verifyZip(file.Name(), url, want); err != nil {
		return err
	}
	return f.store(a, func(p *packer) error { return repackGo(file, goModule+"@"+module+"/", p) })
}

// moduleVersion returns the version of the module golang.org/toolchain.
func moduleVersion(v goVersion, arch string) string {
	name := v.String()
	if v[1] < 21 && v[2] == 0 { // whose first releases had two numbers
		name = fmt.Sprintf("%d.%d", v[0], v[1])
	}
	return "v0.0.1-go" + name + ".linux-" + arch
}

// listGo returns the versions in a proxy's list that are for an architecture of Linux,
// the newest first. It leaves out beta versions.
func listGo(list, arch string) []goVersion {
	var versions []goVersion
	for line := range strings.Lines(list) {
		text, isLinux := strings.CutSuffix(strings.TrimSpace(line), ".linux-"+arch)
		if v, ok := parseGoVersion(strings.TrimPrefix(text, "v0.0.1-")); ok && isLinux {
			versions = append(versions, v)
		}
	}
	slices.SortFunc(versions, func(a, b goVersion) int { return b.compare(a) })
	return versions
}

// chooseGo returns the version that fits: exactly the wanted one if it names a patch,
// else the newest patch, else the newest of all if the wanted one is older than the
// list.
func chooseGo(versions []goVersion, wanted goVersion) (goVersion, error) {
	var newest goVersion
	for i, v := range versions {
		if i == 0 {
			newest = v
		}
		if v == wanted || wanted[2] == 0 && v[0] == wanted[0] && v[1] == wanted[1] {
			return v, nil
		}
	}
	isListed := slices.ContainsFunc(versions, func(v goVersion) bool { return v[0] == wanted[0] && v[1] == wanted[1] })
	if !isListed && wanted.compare(newest) < 0 {
		return newest, nil
	}
	return goVersion{}, &diag.Diagnostic{
		Where: "Go", Summary: fmt.Sprintf("no release is %s; the newest is %s", wanted, newest),
		Hint: "correct the lines go and toolchain in go.mod",
	}
}

// save downloads a file.
func (f *Fetcher) save(ctx context.Context, url string, to io.Writer) error {
	response, err := f.open(ctx, url, "")
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	body := &counter{Reader: response.Body, total: response.ContentLength, report: f.Progress}
	if _, err := io.Copy(to, body); err != nil {
		return fmt.Errorf("download %s: %w", url, err)
	}
	return nil
}

// verifyZip compares a module's hash with its line in the checksum database.
func verifyZip(name, url, want string) error {
	got, err := dirhash.HashZip(name, dirhash.Hash1)
	if err != nil {
		return fmt.Errorf("read %s: %w", url, err)
	}
	if want == "" || got == want {
		return nil
	}
	return &diag.Diagnostic{
		Where: url, Summary: "is not what the checksum database names: the hash differs",
		Detail: got + " and not " + want, Hint: "try again; if it stays, the proxy changes downloads",
	}
}

// repackGo adds the files of a toolchain that a build needs. A module's zip has no
// modes.
func repackGo(file *os.File, prefix string, p *packer) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	archive, err := zip.NewReader(file, info.Size())
	if err != nil {
		return err
	}
	for _, entry := range archive.File {
		name, found := strings.CutPrefix(entry.Name, prefix)
		if !found {
			return fmt.Errorf("the name %q leads out of the archive", entry.Name)
		}
		if !entry.Mode().IsRegular() || !keepGo(name) {
			continue
		}
		content, err := entry.Open()
		if err != nil {
			return err
		}
		err = p.add(name, isGoProgram(name), int64(entry.UncompressedSize64), content)
		_ = content.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

// keepGo reports whether a build needs a file: programs and the standard library, and
// neither tests nor the sources of the programs.
func keepGo(name string) bool {
	switch first, _, _ := strings.Cut(name, "/"); first {
	case "bin", "pkg", "lib", "VERSION", "go.env", "LICENSE":
		return true
	case "src":
		return !strings.HasSuffix(name, "_test.go") && !strings.Contains(name, "/testdata/") &&
			(!strings.HasPrefix(name, "src/cmd/") || strings.HasPrefix(name, "src/cmd/vendor/modules.txt"))
	}
	return false
}

func isGoProgram(name string) bool {
	return strings.HasPrefix(name, "bin/") || strings.HasPrefix(name, "pkg/tool/")
}
