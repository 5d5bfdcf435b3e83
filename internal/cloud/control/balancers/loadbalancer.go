//go:build linux

package balancers

import (
	"cmp"
	"slices"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/store"
)

// networkIdleTimeout is how long a connection of a TLS listener may be idle (Network Load Balancer
// guide, Connection idle timeout).
const networkIdleTimeout = 350 * time.Second

func loadBalancerConfig(
	r store.Reader,
	row *store.LoadBalancer,
	namespace func(interfaceID string) string,
) balancer.LoadBalancer {
	on := func(key string) bool { return row.Attributes[key] == "true" }
	lb := balancer.LoadBalancer{
		ARN: row.ARN, DNSName: row.DNSName, IdleTimeout: seconds(row.Attributes["idle_timeout.timeout_seconds"]),
		ForwardedFor:  row.Attributes["routing.http.xff_header_processing.mode"],
		ForwardedPort: on("routing.http.xff_client_port.enabled"),
		DropInvalid:   on("routing.http.drop_invalid_header_fields.enabled"),
		KeepAlive:     seconds(row.Attributes["client_keep_alive.seconds"]),
		Desync:        row.Attributes["routing.http.desync_mitigation_mode"],
		PreserveHost:  on("routing.http.preserve_host_header.enabled"),
		CookieKey:     cmp.Or(row.CookieKey, row.ARN), // rows of earlier versions have no key
		NoHTTP2:       row.Attributes["routing.http2.enabled"] == "false",
		TLSHeaders:    on("routing.http.x_amzn_tls_version_and_cipher_suite.enabled"),
	}
	if row.IsNetwork() {
		lb.IdleTimeout = networkIdleTimeout
	}
	for _, n := range row.Nodes {
		if nic, ok := store.NetworkInterfaces.Get(r, n.InterfaceID); ok {
			lb.Nodes = append(lb.Nodes, balancer.Node{
				ID:        nic.ID,
				Zone:      n.Zone,
				Namespace: namespace(nic.ID),
				Address:   nic.PrivateIP,
				Public:    nic.PublicIP,
				IPv6:      nic.FirstIPv6(),
			})
		}
	}
	for _, l := range store.ListenersByLoadBalancer.List(r, row.ARN) {
		lb.Listeners = append(lb.Listeners, listenerConfig(r, row, l))
	}
	slices.SortFunc(lb.Listeners, func(a, b balancer.Listener) int { return cmp.Compare(a.Port, b.Port) })
	return lb
}
