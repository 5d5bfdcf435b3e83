package balancers

import (
	"cmp"
	"net/netip"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/store"
)

// configure says what the balancer should do, from what is wanted in the store.
// namespace gives the path of the network namespace of a node's interface; logs
// is the folder that stands for S3.
func configure(r store.Reader, namespace func(interfaceID string) string, logs string) balancer.Config {
	var c balancer.Config
	for _, lb := range store.LoadBalancers.List(r) {
		own := loadBalancer(r, lb, namespace)
		own.LogDir = logDir(logs, lb)
		c.LoadBalancers = append(c.LoadBalancers, own)
	}
	for _, group := range store.TargetGroups.List(r) {
		if use := usage(r, group); use.by != nil {
			c.TargetGroups = append(c.TargetGroups, targetGroup(r, group, use))
		}
	}
	return c
}

func loadBalancer(r store.Reader, row *store.LoadBalancer, namespace func(string) string) balancer.LoadBalancer {
	on := func(key string) bool { return row.Attributes[key] == "true" }
	lb := balancer.LoadBalancer{
		ARN: row.ARN, DNSName: row.DNSName, IdleTimeout: seconds(row.Attributes["idle_timeout.timeout_seconds"]),
		ForwardedFor:  row.Attributes["routing.http.xff_header_processing.mode"],
		ForwardedPort: on("routing.http.xff_client_port.enabled"),
		DropInvalid:   on("routing.http.drop_invalid_header_fields.enabled"),
		KeepAlive:     seconds(row.Attributes["client_keep_alive.seconds"]),
		Desync:        row.Attributes["routing.http.desync_mitigation_mode"],
		PreserveHost:  on("routing.http.preserve_host_header.enabled"),
		CookieKey:     cmp.Or(row.CookieKey, row.ARN), // rows of before there was a key hold none
	}
	lb.NoHTTP2 = row.Attributes["routing.http2.enabled"] == "false"
	lb.TLSHeaders = on("routing.http.x_amzn_tls_version_and_cipher_suite.enabled")
	for _, n := range row.Nodes {
		if nic, ok := store.NetworkInterfaces.Get(r, n.InterfaceID); ok {
			lb.Nodes = append(lb.Nodes, balancer.Node{
				ID:        nic.ID,
				Zone:      n.Zone,
				Namespace: namespace(nic.ID),
				Address:   nic.PrivateIP,
				Public:    nic.PublicIP,
			})
		}
	}
	for _, l := range store.Listeners.By(r, "load_balancer", row.ARN) {
		lb.Listeners = append(lb.Listeners, listener(r, l))
	}
	slices.SortFunc(lb.Listeners, func(a, b balancer.Listener) int { return cmp.Compare(a.Port, b.Port) })
	return lb
}

// logDir is the folder of the load balancer's access logs: below the one that
// stands for S3, a folder for the bucket and those of the prefix. Whatever their
// names are, it is nowhere else.
func logDir(logs string, row *store.LoadBalancer) string {
	if logs == "" || row.Attributes["access_logs.s3.enabled"] != "true" {
		return ""
	}
	inside := func(key string) string { return filepath.Clean("/" + row.Attributes["access_logs.s3."+key]) }
	return filepath.Join(logs, inside("bucket"), inside("prefix"))
}

func action(rows []store.Action) balancer.Action {
	var out balancer.Action
	for _, a := range rows {
		if a.Stickiness {
			out.Sticky = time.Duration(a.StickinessSeconds) * time.Second
		}
		for _, share := range a.Forward {
			out.Forward = append(out.Forward, balancer.Share{TargetGroup: share.ARN, Weight: int(share.Weight)})
		}
		if r := a.Redirect; r != nil {
			out.Redirect = &balancer.Redirect{
				Protocol: r.Protocol,
				Host:     r.Host,
				Port:     r.Port,
				Path:     r.Path,
				Query:    r.Query,
				Code:     number(strings.TrimPrefix(r.StatusCode, "HTTP_")),
			}
		}
		if f := a.FixedResponse; f != nil {
			out.FixedResponse = &balancer.FixedResponse{
				Code:        number(f.StatusCode),
				ContentType: f.ContentType,
				Body:        f.Body,
			}
		}
	}
	return out
}

func targetGroup(r store.Reader, row *store.TargetGroup, use use) balancer.TargetGroup {
	check := row.HealthCheck
	out := balancer.TargetGroup{
		ARN: row.ARN, TLS: row.Protocol == "HTTPS",
		Check: balancer.HealthCheck{
			TLS: check.Protocol == "HTTPS", Path: check.Path,
			Interval: time.Duration(check.Interval) * time.Second, Timeout: time.Duration(check.Timeout) * time.Second,
			HealthyThreshold:   int(check.Healthy),
			UnhealthyThreshold: int(check.Unhealthy), Matcher: matcher(check.Matcher),
		},
	}
	distribute(&out, row.Attributes)
	if check.Port != "traffic-port" {
		out.Check.Port = uint16(number(check.Port))
	}
	for _, t := range store.Targets.By(r, "target_group", row.ARN) {
		if s := stand(r, t, row, use); s.serves {
			out.Targets = append(
				out.Targets,
				balancer.Target{ID: t.ID, Address: s.address, Port: uint16(t.Port), Zone: t.Zone, Draining: s.draining},
			)
		}
	}
	return out
}

// matcher reads "200", "200,202" and "200-299" (Elastic Load Balancing API
// Reference, Matcher).
func matcher(text string) balancer.Matcher {
	var out balancer.Matcher
	for part := range strings.SplitSeq(text, ",") {
		first, last, isRange := strings.Cut(part, "-")
		if !isRange {
			last = first
		}
		out = append(out, balancer.CodeRange{First: number(first), Last: number(last)})
	}
	return out
}

// address is where a target is; zero: nowhere.
func address(r store.Reader, t *store.Target) netip.Addr {
	if addr, err := netip.ParseAddr(t.ID); err == nil {
		return addr
	}
	for _, nic := range store.NetworkInterfaces.By(r, "instance", t.ID) {
		if nic.DeviceIndex == 0 {
			return nic.PrivateIP
		}
	}
	return netip.Addr{}
}

// seconds and number read what the API has validated.
func seconds(text string) time.Duration { return time.Duration(number(text)) * time.Second }

func number(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0
	}
	return n
}
