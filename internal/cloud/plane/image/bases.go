//go:build linux

package image

import (
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
)

// Names of base images.
const (
	Debian12   = "debian-12"
	Debian13   = "debian-13"
	Ubuntu2404 = "ubuntu-24.04"
)

// ErrNoBase is returned for the name of a base image that cannot be built.
var ErrNoBase = errors.New("there is no such base image")

// base is a base image: a release of a distribution that mmdebstrap installs.
type base struct {
	name  string // "debian-12"
	suite string // the release's name in the archive: "bookworm"
	user  string // login user with sudo, as in the distribution's images for EC2
	*distribution
}

// distribution is where the releases of a distribution are installed from.
type distribution struct {
	name           string // "debian", as in --mirror debian=URL
	archive        string // URL of its packages
	security       string // URL of its security updates
	components     string
	keyring        string // file with the keys that sign the archive
	keyringPackage string // what installs keyring
	keyringOrigin  string // where that package is to be had
}

var debian = &distribution{
	name:           "debian",
	archive:        "http://deb.debian.org/debian",
	security:       "http://deb.debian.org/debian-security",
	components:     "main",
	keyring:        "/usr/share/keyrings/debian-archive-keyring.gpg",
	keyringPackage: "debian-archive-keyring",
	keyringOrigin:  "Debian and Ubuntu",
}

// ubuntu returns Ubuntu's distribution. Ubuntu serves other architectures than amd64 from
// another archive (Ubuntu Server documentation, "Package management"). Node.js is in universe.
func ubuntu(arch string) *distribution {
	d := &distribution{
		name:           "ubuntu",
		archive:        "http://archive.ubuntu.com/ubuntu",
		security:       "http://security.ubuntu.com/ubuntu",
		components:     "main universe",
		keyring:        "/usr/share/keyrings/ubuntu-archive-keyring.gpg",
		keyringPackage: "ubuntu-keyring",
		keyringOrigin:  "Ubuntu and Debian 13",
	}
	if arch != "amd64" {
		d.archive = "http://ports.ubuntu.com/ubuntu-ports"
		d.security = d.archive
	}
	return d
}

// bases are the base images that can be built. A base image is built when it is first used.
func bases() []base {
	return []base{
		{Debian12, "bookworm", "admin", debian},
		{Debian13, "trixie", "admin", debian},
		{Ubuntu2404, "noble", "ubuntu", ubuntu(runtime.GOARCH)},
	}
}

// Bases returns the names of the base images that can be built.
func Bases() []string {
	var names []string
	for _, b := range bases() {
		names = append(names, b.name)
	}
	return names
}

func baseNamed(name string) (base, error) {
	for _, b := range bases() {
		if b.name == name {
			return b, nil
		}
	}
	return base{}, ErrNoBase
}

// Mirrors are URLs to use in place of archives: "debian", "debian-security" or "ubuntu" to
// a URL.
type Mirrors map[string]string

// mirrorNames are the archives for which a mirror can be named.
var mirrorNames = []string{"debian", "debian-security", "ubuntu"}

// InUse returns the archives in place of the distributions' own: those of m, and for others
// those that the host's own apt uses.
func (m Mirrors) InUse() Mirrors {
	all := hostMirrors("/etc/apt")
	maps.Copy(all, m)
	return all
}

// ParseMirrors parses texts of the form NAME=URL.
func ParseMirrors(texts []string) (Mirrors, error) {
	m := Mirrors{}
	for _, text := range texts {
		name, url, _ := strings.Cut(text, "=")
		if !slices.Contains(mirrorNames, name) {
			names := strings.Join(mirrorNames, ", ")
			return nil, fmt.Errorf("%q: expected NAME=URL with one of the names %s", text, names)
		}
		if !strings.HasPrefix(url, "http://") && !strings.HasPrefix(url, "https://") ||
			strings.ContainsAny(url, " \t\n\"'[]") {
			return nil, fmt.Errorf("%q: expected a URL that begins with http:// or https://", text)
		}
		m[name] = strings.TrimSuffix(url, "/")
	}
	return m, nil
}

// lines returns the mirrors as sorted lines.
func (m Mirrors) lines() []string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(m)) {
		all = append(all, name+"="+m[name])
	}
	return all
}

// with returns the distribution with the named mirrors in place of its archives. A mirror
// of Ubuntu has the security updates too.
func (d *distribution) with(m Mirrors) *distribution {
	changed := *d
	if url := m[d.name]; url != "" {
		changed.archive = url
		if d.name == "ubuntu" {
			changed.security = url
		}
	}
	if url := m[d.name+"-security"]; url != "" {
		changed.security = url
	}
	return &changed
}

// sources returns the base's package sources (sources.list(5)).
func (b base) sources() []string {
	return []string{
		"deb " + b.archive + " " + b.suite + " " + b.components,
		"deb " + b.archive + " " + b.suite + "-updates " + b.components,
		"deb " + b.security + " " + b.suite + "-security " + b.components,
	}
}

// ownFiles returns the files of the image that differ between bases: path to content.
func (b base) ownFiles() map[string]string {
	return map[string]string{
		"etc/apt/sources.list": strings.Join(b.sources(), "\n") + "\n",
		sudoersFile:            sudoers(b.user),
	}
}

const sudoersFile = "etc/sudoers.d/90-aloft"

// sudoers returns the settings of sudo with which a login user is as powerful as in the
// distributions' images for EC2.
func sudoers(user string) string {
	return "# As in the distribution's images for EC2: the first user may do everything.\n" +
		user + " ALL=(ALL) NOPASSWD:ALL\n" +
		"# Proxies and certificate authorities of the host count for root too.\n" +
		"Defaults env_file=/etc/environment\n"
}
