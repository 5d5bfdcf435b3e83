package cloud

import (
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// proxyNames are the environment variables that name a proxy.
var proxyNames = []string{"http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"}

// proxySettings splits the host's settings: proxies on the host's loopback, by
// port, which machines reach through the edge instead, and a copy of env for
// machines to inherit.
func proxySettings(env map[string]string) (proxies map[uint16]string, rest map[string]string) {
	proxies, rest = map[uint16]string{}, map[string]string{}
	for name, value := range env {
		rest[name] = value
	}
	for _, name := range proxyNames {
		if at, port, ok := loopbackProxy(env[name]); ok {
			proxies[port] = net.JoinHostPort(at, strconv.Itoa(int(port)))
		}
	}
	return proxies, rest
}

// viaProxy replaces the addresses of loopback proxies in env with proxy, the
// address at which machines reach them.
func viaProxy(env map[string]string, proxy netip.Addr) map[string]string {
	for _, name := range proxyNames {
		_, port, ok := loopbackProxy(env[name])
		if !ok {
			continue
		}
		u, _ := url.Parse(env[name]) // loopbackProxy has parsed it
		u.Host = net.JoinHostPort(proxy.String(), strconv.Itoa(int(port)))
		env[name] = u.String()
	}
	// Machines reach each other and the metadata service without a proxy.
	for _, name := range []string{"no_proxy", "NO_PROXY"} {
		direct := []string{"169.254.169.254", "localhost", "127.0.0.1", ".internal"}
		if env[name] != "" {
			direct = append(direct, env[name])
		}
		if env["http_proxy"]+env["HTTP_PROXY"]+env["https_proxy"]+env["HTTPS_PROXY"] != "" {
			env[name] = strings.Join(direct, ",")
		}
	}
	return env
}

// loopbackProxy returns the address and port of a proxy URL. ok reports whether
// it is on loopback.
func loopbackProxy(value string) (host string, port uint16, ok bool) {
	u, err := url.Parse(value)
	if value == "" || err != nil {
		return "", 0, false
	}
	host = u.Hostname()
	address, err := netip.ParseAddr(host)
	if host != "localhost" && (err != nil || !address.IsLoopback()) {
		return "", 0, false
	}
	n, err := strconv.ParseUint(u.Port(), 10, 16)
	if err != nil {
		return "", 0, false
	}
	if host == "localhost" {
		host = "127.0.0.1"
	}
	return host, uint16(n), true
}
