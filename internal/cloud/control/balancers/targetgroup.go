//go:build linux

package balancers

import (
	"strings"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/store"
)

func targetGroupConfig(r store.Reader, row *store.TargetGroup, use targetGroupUse) balancer.TargetGroup {
	out := balancer.TargetGroup{
		ARN: row.ARN, TLS: row.Protocol == "HTTPS" || row.Protocol == "TLS", Check: healthCheckConfig(row.HealthCheck),
		Version: versionOf(row), ZoneOnly: row.ZoneOnly(use.by),
		LeaveEmptyZones: row.IsNetwork(),
	}
	out.Check.Version = out.Version
	if row.IsNetwork() && !out.Check.Connect {
		out.Check.HostPort = firstPort(r, use.by, row)
	}
	setAttributes(&out, row.Attributes)
	for _, t := range store.TargetsByTargetGroup.List(r, row.ARN) {
		if s := targetStateOf(r, t, row, use); s.configured {
			out.Targets = append(out.Targets, s.targets(t)...)
		}
	}
	return out
}

func versionOf(row *store.TargetGroup) balancer.Version {
	switch row.ProtocolVersion {
	case "HTTP2":
		return balancer.HTTP2
	case "GRPC":
		return balancer.GRPC
	default:
		return balancer.HTTP1
	}
}

// firstPort returns the lowest port of a load balancer's listeners that forward to the group.
func firstPort(r store.Reader, lb *store.LoadBalancer, group *store.TargetGroup) uint16 {
	first := int32(0)
	for _, l := range store.ListenersByLoadBalancer.List(r, lb.ARN) {
		if forwards(r, l, group.ARN) && (first == 0 || l.Port < first) {
			first = l.Port
		}
	}
	return uint16(first)
}

func healthCheckConfig(row store.HealthCheck) balancer.HealthCheck {
	check := balancer.HealthCheck{
		TLS:                row.Protocol == "HTTPS",
		Connect:            row.Protocol == "TCP",
		Path:               row.Path,
		Interval:           time.Duration(row.Interval) * time.Second,
		Timeout:            time.Duration(row.Timeout) * time.Second,
		HealthyThreshold:   int(row.Healthy),
		UnhealthyThreshold: int(row.Unhealthy),
		Matcher:            parseMatcher(row.Matcher),
	}
	if row.Port != "traffic-port" {
		check.Port = uint16(number(row.Port))
	}
	return check
}

// parseMatcher parses status codes such as "200", "200,202" and "200-299" (Elastic
// Load Balancing API Reference, Matcher).
func parseMatcher(text string) balancer.Matcher {
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
