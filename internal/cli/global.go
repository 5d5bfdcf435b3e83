package cli

import (
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"

	"charm.land/lipgloss/v2"
	"golang.org/x/term"

	"aloft.dev/aloft/internal/apply"
	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/reachability"
	"aloft.dev/aloft/internal/resource"
	"aloft.dev/aloft/internal/spec"
	"aloft.dev/aloft/internal/view"
)

// global holds what all commands share: the streams, the flags of the root
// command, and the ways to the outside that tests replace.
type global struct {
	Stdio
	version string

	on       string
	region   string
	stage    string // of the application; "" if it has none
	profile  string
	endpoint string // of all services, with --on aws; "" for AWS's
	stateDir string
	json     bool
	noColor  bool
	yes      bool
	from     []string // addresses of this computer, of commands that have --from

	refreshBase bool // of up and plan
	unprotect   bool // of up and down

	// connect returns clients of the cloud that --on names. If start is set, it
	// starts a local cloud that does not run.
	connect func(ctx context.Context, region string, start bool) (*awsapi.Client, error)
	// newBuilder returns the builder of an application's releases.
	newBuilder func(context.Context, *spec.Spec) apply.Builder
	// dial connects to servers to verify them.
	dial func(ctx context.Context, network, address string) (net.Conn, error)
	// patience is how long a server that is verified may take to respond; 0: as verify says.
	patience time.Duration
	// sourceAddress returns the addresses that a server may see connections from here come
	// from.
	sourceAddress resource.SourceAddress
	// probe returns what the cloud's kernel reports about a path, nil if nothing. try opens a
	// connection.
	probe func(ctx context.Context, p *reachability.Path, try bool) (*reachability.Facts, error)
	// roots returns the certificates to trust; nil for the system's.
	roots func() *x509.CertPool
}

func newGlobal(version string, stdio Stdio) *global {
	g := &global{
		Stdio: stdio, version: version, on: "local", stateDir: defaultStateDir,
		newBuilder: newBuilder, dial: new(net.Dialer).DialContext, sourceAddress: apply.SourceAddress,
	}
	g.connect, g.probe, g.roots = g.connectToCloud, g.probeLocalCloud, g.trustedRoots
	return g
}

// check validates the flags of the root command.
func (g *global) check() error {
	var problems diag.List
	if g.on != "local" && g.on != "aws" {
		problems.Add("--on "+g.on, "use --on local or --on aws", "is not a cloud")
	}
	if g.region != "" && !spec.ValidRegion(g.region) {
		problems.Add("--region "+g.region, "for example: --region eu-central-1", "is not an AWS region")
	}
	switch {
	case g.endpoint != "" && g.on != "aws":
		problems.Add("--endpoint "+g.endpoint, "add --on aws", "is only for --on aws")
	case g.endpoint != "" && !validEndpoint(g.endpoint):
		problems.Add("--endpoint "+g.endpoint, "for example: --endpoint https://aws.example.com", "is not a URL")
	}
	return problems.Err()
}

// style returns the style for a stream. It has no colours if the stream is not a
// terminal or the user does not want them (no-color.org).
func (g *global) style(w io.Writer) view.Style {
	return view.Style{Color: !g.noColor && os.Getenv("NO_COLOR") == "" && isTerminal(w)}
}

// isTerminal reports whether w is a terminal that can move its cursor. On Windows it
// makes it one.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) || os.Getenv("TERM") == "dumb" {
		return false
	}
	lipgloss.EnableLegacyWindowsANSI(f)
	return true
}

// terminalWidth returns the width of a terminal in cells, or 80 if w is none.
func terminalWidth(w io.Writer) int {
	if f, ok := w.(*os.File); ok {
		if columns, _, err := term.GetSize(int(f.Fd())); err == nil {
			return columns
		}
	}
	return 80
}

// nextCommand returns a command line for the user to run next, on the same folder
// and the same cloud.
func (g *global) nextCommand(words, dir string) string {
	if dir != "." {
		words += " " + dir
	}
	return g.sudo() + words + g.cloudFlags()
}

// cloudFlags returns the flags with which another command finds the same cloud.
func (g *global) cloudFlags() string {
	var flags string
	for _, f := range g.cloudSettings() {
		flags += " " + f[0] + " " + f[1]
	}
	return flags
}

// cloudSettings returns the flags of cloudFlags, each with its value.
func (g *global) cloudSettings() (set [][2]string) {
	add := func(isSet bool, flag, value string) {
		if isSet {
			set = append(set, [2]string{flag, value})
		}
	}
	add(g.on != "local", "--on", g.on)
	add(g.region != "", "--region", g.region)
	add(g.stage != "", "--stage", g.stage)
	add(g.profile != "", "--profile", g.profile)
	add(g.endpoint != "", "--endpoint", g.endpoint)
	add(g.on == "local" && g.stateDir != defaultStateDir, "--state-dir", g.stateDir)
	return set
}

// ofNoApplication matches the commands that take no flags of an application or its cloud.
var ofNoApplication = regexp.MustCompile(`aloft (local|policy|init)\b`)

// completeHints adds the flags of cloudFlags to the remedies that name commands without them. A
// remedy for one stage would otherwise change another.
func (g *global) completeHints(problems diag.List) diag.List {
	completed := slices.Clone(problems)
	for i, p := range problems {
		if !strings.Contains(p.Hint, "aloft ") || ofNoApplication.MatchString(p.Hint) {
			continue
		}
		var missing []string
		for _, f := range g.cloudSettings() {
			if !strings.Contains(p.Hint, f[0]) {
				missing = append(missing, f[0]+" "+f[1])
			}
		}
		if len(missing) > 0 {
			complete := *p
			complete.Hint += " (with " + strings.Join(missing, " ") + ")"
			completed[i] = &complete
		}
	}
	return completed
}

// sudo returns "sudo " if the next command needs it: a local cloud that was
// started with sudo belongs to root.
func (g *global) sudo() string {
	if g.on == "local" && os.Getenv("SUDO_USER") != "" {
		return "sudo "
	}
	return ""
}

// keyDir returns the folder of the private keys that Aloft makes.
func (g *global) keyDir() (string, error) {
	data, err := dataDir(runtime.GOOS, os.Getenv)
	if err != nil {
		return "", diag.List{{
			Where: "private keys", Summary: "there is no folder for them", Detail: err.Error(),
			Hint: "set XDG_DATA_HOME to a folder of your own", Cause: err,
		}}
	}
	return filepath.Join(data, "aloft", g.on, "keys"), nil
}

// dataDir returns the folder of a user's data on a system: that of the XDG Base Directory
// Specification, and on Windows the one whose files stay on the computer (Microsoft,
// "KNOWNFOLDERID", FOLDERID_LocalAppData).
func dataDir(goos string, getenv func(string) string) (string, error) {
	if data := getenv("XDG_DATA_HOME"); filepath.IsAbs(data) {
		return data, nil
	}
	name, below := "HOME", filepath.Join(".local", "share")
	if goos == "windows" {
		name, below = "LOCALAPPDATA", ""
	}
	dir := getenv(name)
	if dir == "" {
		return "", fmt.Errorf("the environment variable %s is not set", name)
	}
	return filepath.Join(dir, below), nil
}
