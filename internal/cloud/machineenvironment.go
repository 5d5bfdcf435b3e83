//go:build linux

package cloud

import (
	"maps"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"

	"aloft.dev/aloft/internal/cloud/plane/firewall"
)

// proxyNames are the environment variables that name a proxy.
var proxyNames = []string{"http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"}

// withoutProxy lists the hosts that machines reach without a proxy: the metadata
// service, themselves, each other and VPC endpoints.
const withoutProxy = "169.254.169.254,localhost,127.0.0.1,.internal,.vpce.amazonaws.com"

// proxySettings splits the host's settings: proxies on the host's loopback, by
// port, which machines reach through the edge instead, and a copy of env for
// machines to inherit. Without share, machines get no proxies on loopback: through
// them they would reach all services of the host.
func proxySettings(env map[string]string, share bool) (proxies map[uint16]string, rest map[string]string) {
	proxies, rest = map[uint16]string{}, map[string]string{}
	maps.Copy(rest, env)
	for _, name := range proxyNames {
		address, port, ok := loopbackProxy(env[name])
		switch {
		case ok && share:
			proxies[port] = net.JoinHostPort(address, strconv.Itoa(int(port)))
		case ok:
			delete(rest, name)
		}
	}
	return proxies, rest
}

// HasLoopbackProxy reports whether the host's settings name a proxy on loopback.
func HasLoopbackProxy(env map[string]string) bool {
	proxies, _ := proxySettings(env, true)
	return len(proxies) > 0
}

// viaProxy replaces the addresses of loopback proxies in env with proxy, the
// address at which machines reach them, and excludes the local cloud's own hosts
// from proxying.
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
	if !slices.ContainsFunc(proxyNames, func(name string) bool { return env[name] != "" }) {
		return env
	}
	for _, name := range []string{"no_proxy", "NO_PROXY"} {
		direct := withoutProxy
		if env[name] != "" {
			direct += "," + env[name]
		}
		env[name] = direct
	}
	return env
}

// withEndpoint adds to env the endpoint of the local cloud's APIs, so that AWS's SDKs and
// command line on a machine use them without any configuration. env may be nil.
func withEndpoint(env map[string]string) map[string]string {
	all := map[string]string{"AWS_ENDPOINT_URL": machineEndpoint}
	maps.Copy(all, env)
	return all
}

// overIPv6 returns the environment of machines without IPv4: env with the IPv6 addresses of what machines
// find at link-local ones. The SDKs of AWS and Aloft's own scripts read the metadata service's there.
func overIPv6(env map[string]string) map[string]string {
	all := map[string]string{}
	maps.Copy(all, env)
	all["AWS_ENDPOINT_URL"] = machineEndpoint6
	all["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = "http://[" + firewall.MetadataAddress6.String() + "]"
	for _, name := range []string{"no_proxy", "NO_PROXY"} {
		if all[name] != "" {
			all[name] += "," + firewall.MetadataAddress6.String()
		}
	}
	return all
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
