//go:build linux

package cloud

import (
	"net"
	"net/url"

	"aloft.dev/aloft/internal/cloud/plane/image"
)

// defaultPorts are the ports of URLs that name none.
var defaultPorts = map[string]string{"http": "80", "https": "443"}

// places returns host and port of the proxies in env, of the archives and of the registries:
// machines reach these also if they have private addresses. Proxies on loopback are not
// among them.
func places(env map[string]string, archives image.Mirrors, registries []string) []string {
	urls := append([]string(nil), registries...)
	for _, name := range proxyNames {
		urls = append(urls, env[name])
	}
	for _, archive := range archives {
		urls = append(urls, archive)
	}
	var found []string
	for _, text := range urls {
		u, err := url.Parse(text)
		if err != nil || u.Hostname() == "" {
			continue
		}
		port := u.Port()
		if port == "" {
			port = defaultPorts[u.Scheme]
		}
		if _, _, loopback := loopbackProxy(text); !loopback && port != "" {
			found = append(found, net.JoinHostPort(u.Hostname(), port))
		}
	}
	return found
}
