package balancers

import "aloft.dev/aloft/internal/cloud/plane/balancer"

// distribute reads from a target group's attributes how its requests are spread
// over its targets.
func distribute(out *balancer.TargetGroup, attributes map[string]string) {
	out.Algorithm = attributes["load_balancing.algorithm.type"]
	out.SlowStart = seconds(attributes["slow_start.duration_seconds"])
	// the load balancer's own setting is always on
	out.ZoneOnly = attributes["load_balancing.cross_zone.enabled"] == "false"
	out.Failover = minimum(attributes, "dns_failover")
	out.FailOpen = minimum(attributes, "unhealthy_state_routing")
	if attributes["stickiness.enabled"] != "true" {
		return
	}
	if attributes["stickiness.type"] == "app_cookie" {
		out.Sticky = &balancer.Stickiness{
			Cookie: attributes["stickiness.app_cookie.cookie_name"],
			For:    seconds(attributes["stickiness.app_cookie.duration_seconds"]),
		}
		return
	}
	out.Sticky = &balancer.Stickiness{For: seconds(attributes["stickiness.lb_cookie.duration_seconds"])}
}

// minimum reads how many targets have to be healthy; "off" is no number and
// stands for 0.
func minimum(attributes map[string]string, action string) balancer.Minimum {
	prefix := "target_group_health." + action + ".minimum_healthy_targets."
	return balancer.Minimum{Count: number(attributes[prefix+"count"]), Percent: number(attributes[prefix+"percentage"])}
}
