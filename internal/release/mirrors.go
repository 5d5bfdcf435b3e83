package release

import (
	"context"
	"maps"
	"net"
	"net/url"
	"slices"
	"strings"

	"aloft.dev/aloft/internal/remote"
)

// Mirrors are the places that packages come from. "" is the public one.
type Mirrors struct{ NPM, Python, Go string }

// environment returns the variables that tell package managers where packages are: npm
// documentation, "config"; pip documentation, "Configuration"; uv documentation,
// "Environment variables"; Go Modules Reference, "GOPROXY".
func (m Mirrors) environment() map[string]string {
	all := map[string]string{}
	if m.NPM != "" {
		all["npm_config_registry"], all["YARN_NPM_REGISTRY_SERVER"] = m.NPM, m.NPM
		if u, err := url.Parse(m.NPM); err == nil && u.Scheme == "http" {
			all["YARN_UNSAFE_HTTP_WHITELIST"] = u.Hostname()
		}
	}
	if m.Python != "" {
		all["PIP_INDEX_URL"], all["UV_DEFAULT_INDEX"] = m.Python, m.Python
		if u, err := url.Parse(m.Python); err == nil && u.Scheme == "http" {
			all["PIP_TRUSTED_HOST"], all["UV_INSECURE_HOST"] = u.Host, u.Host
		}
	}
	if m.Go != "" {
		all["GOPROXY"] = m.Go
	}
	return all
}

// arguments returns a shell command that makes the variables the scripts' arguments. It
// is not part of a recipe: where packages come from does not change a release.
func (m Mirrors) arguments() string {
	words := []string{"set", "--"}
	all := m.environment()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		words = append(words, remote.Quote(name+"="+all[name]))
	}
	return strings.Join(words, " ") + "\n"
}

// forwardMirrors lets the machine reach the mirrors that are on this computer's loopback,
// through the SSH connection, until the returned function is called.
func (b *Builder) forwardMirrors(ctx context.Context, m *remote.Machine) (stop func(), err error) {
	var stops []func()
	stop = func() {
		for _, stop := range stops {
			stop()
		}
	}
	var addresses []string
	for _, mirror := range []string{b.Mirrors.NPM, b.Mirrors.Python, b.Mirrors.Go} {
		if address := loopbackAddress(mirror); address != "" {
			addresses = append(addresses, address)
		}
	}
	slices.Sort(addresses)
	for _, address := range slices.Compact(addresses) {
		end, err := m.Forward(ctx, address)
		if err != nil {
			stop()
			return nil, err
		}
		stops = append(stops, end)
	}
	return stop, nil
}

// loopbackAddress returns the host and port of a URL on loopback, or "".
func loopbackAddress(mirror string) string {
	u, err := url.Parse(mirror)
	if err != nil || u.Port() == "" {
		return ""
	}
	host := u.Hostname()
	if host == "localhost" {
		host = "127.0.0.1"
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return ""
	}
	return net.JoinHostPort(host, u.Port())
}
