// Package toolchain finds and fetches what an application needs to run and to be built,
// on this computer: a release of Node.js or Go, or a package manager. It verifies each
// archive with the checksum that its publisher names, keeps only what is needed of it,
// and caches the result.
package toolchain

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"aloft.dev/aloft/internal/diag"
)

// The places that Fetcher reads by default.
const (
	defaultNodeMirror = "https://nodejs.org/dist"
	DefaultRegistry   = "https://registry.npmjs.org"
	defaultGoProxy    = "https://proxy.golang.org"
)

// SumDBOff is the value of GoSumDB that verifies nothing, for a private mirror.
const SumDBOff = "off"

// Fetcher fetches archives. Its fields must not change while it does.
type Fetcher struct {
	Client     *http.Client // http.DefaultClient if nil
	Cache      string       // folder; made if it does not exist
	NodeMirror string       // in the layout of nodejs.org/dist, which is the default
	Registry   string       // of npm; DefaultRegistry if empty
	GoProxy    string       // as the variable GOPROXY; proxy.golang.org if empty
	GoSumDB    string       // as the variable GOSUMDB: "off", or a key and a URL; sum.golang.org if empty
	Now        time.Time    // determines which releases have long-term support when the mirror does not answer

	// Progress is called while an archive is downloaded, with its bytes so far and its
	// size, which is -1 if unknown. It may be nil.
	Progress func(done, total int64)
}

// Archive is a .tar.gz in the cache whose content goes into a folder of its own: bin,
// lib and so on, without a common first folder.
type Archive struct {
	Name    string // "node", "go", "pnpm"
	Version string // "24.11.0"
	Arch    string // "amd64" or "arm64"; "" for an archive that fits both
	From    string // the host that it comes from: "nodejs.org"
	Path    string // the file
	SHA256  string // of the file, in hexadecimal digits
	Size    int64  // of the file, in bytes
}

// String names the archive: "node 24.11.0".
func (a Archive) String() string { return a.Name + " " + a.Version }

// architecture returns Go's name of a processor architecture that AWS, Debian or
// Node.js may name differently.
func architecture(name string) (string, error) {
	switch name {
	case "amd64", "x86_64", "x64":
		return "amd64", nil
	case "arm64", "aarch64":
		return "arm64", nil
	}
	return "", &diag.Diagnostic{
		Where: "architecture " + name, Summary: "has no releases", Hint: "use a machine type with amd64 or arm64",
	}
}

// nodeArch returns Node.js's name of an architecture.
func nodeArch(arch string) string {
	if arch == "amd64" {
		return "x64"
	}
	return arch
}

func (f *Fetcher) client() *http.Client {
	if f.Client != nil {
		return f.Client
	}
	return http.DefaultClient
}

// orDefault returns a base URL without its last slash.
func orDefault(base, standard string) string {
	if base == "" {
		base = standard
	}
	return strings.TrimRight(base, "/")
}

// host returns a URL's host for people.
func host(raw string) string {
	if u, err := url.Parse(raw); err == nil && u.Host != "" {
		return u.Host
	}
	return raw
}

// unreachable describes a place that does not answer. The hint says how to name another
// one.
func unreachable(what, hint string, causes ...error) error {
	cause := errors.Join(causes...)
	for _, err := range causes {
		if errors.Is(err, context.Canceled) {
			return err
		}
		var d *diag.Diagnostic
		if errors.As(err, &d) { // what a place answered says more than that another did not
			return err
		}
	}
	return &diag.Diagnostic{
		Where: what, Summary: "cannot be downloaded", Detail: cause.Error(), Hint: hint,
		Cause: errors.Join(errUnreachable, cause),
	}
}

// errUnreachable is wrapped if no place answered.
var errUnreachable = errors.New("no place answers")
