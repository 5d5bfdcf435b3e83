package store

import (
	"strconv"
	"time"

	"aloft.dev/aloft/internal/cloud/identity"
)

// The keys of target groups are ARNs, those of targets are Target.Key.
var (
	TargetGroups = newTable(
		"target_groups",
		func(r *TargetGroup) string { return r.ARN },
		(*TargetGroup).region,
	)
	Targets              = newTable("targets", (*Target).Key, (*Target).region)
	TargetsByTargetGroup = Targets.indexBy("target_group", func(r *Target) string { return r.TargetGroupARN })
	TargetsByID          = Targets.indexBy("id_of_target", func(r *Target) string { return r.ID })
)

// TargetGroup is a set of targets that a load balancer sends requests or flows to.
type TargetGroup struct {
	ARN, Name       string
	Region          identity.Region
	Protocol        string
	ProtocolVersion string // of HTTP and HTTPS
	Port            int32
	VPCID           string
	TargetType      string // "instance", "ip", "alb"
	IPAddressType   string
	HealthCheck     HealthCheck
	Attributes      map[string]string
	Tags            Tags
}

func (r *TargetGroup) region() identity.Region { return r.Region }

// IsNetwork reports whether the target group is one for Network Load Balancers.
func (r *TargetGroup) IsNetwork() bool { return r.Protocol != "HTTP" && r.Protocol != "HTTPS" }

// IsIPv6 reports whether the targets are reached at IPv6 addresses.
func (r *TargetGroup) IsIPv6() bool { return r.IPAddressType == "ipv6" }

// ZoneOnly reports whether the nodes of the load balancer that uses the target group, which
// may be nil, send to targets of their own zones only.
func (r *TargetGroup) ZoneOnly(by *LoadBalancer) bool {
	const key = "load_balancing.cross_zone.enabled"
	if own := r.Attributes[key]; own != "use_load_balancer_configuration" {
		return own == "false"
	}
	return by != nil && by.Attributes[key] == "false"
}

// HealthCheck configures a target group's health checks. Interval and Timeout are
// in seconds; Healthy and Unhealthy are thresholds of consecutive checks.
type HealthCheck struct {
	Enabled            bool
	Protocol, Port     string // Port: "traffic-port" or a number
	Path               string // empty, as Matcher is, with the protocol TCP
	Interval, Timeout  int32
	Healthy, Unhealthy int32
	Matcher            string // "200", "200-299", "200,202"
}

// Target is one registration in a target group.
type Target struct {
	TargetGroupARN string
	Region         identity.Region
	ID             string // instance id, IP address or ARN of an Application Load Balancer
	Port           int32
	Zone           string
	Registered     time.Time
	DeregisteredAt time.Time // zero: registered; otherwise draining since then

	// Observed by the balancer.
	State, Reason, Description string
	// UnhealthyNodes are the nodes of a healthy Application Load Balancer that do not pass the
	// checks: IDs of network interfaces, separated by spaces.
	UnhealthyNodes string
}

func (r *Target) region() identity.Region { return r.Region }

// Key returns the row's key. A target can be registered with several ports and
// in several target groups, and each registration has a health of its own.
func (r *Target) Key() string {
	return r.TargetGroupARN + "|" + r.ID + "|" + strconv.Itoa(int(r.Port))
}
