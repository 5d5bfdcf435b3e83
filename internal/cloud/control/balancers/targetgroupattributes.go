//go:build linux

package balancers

import "aloft.dev/aloft/internal/cloud/plane/balancer"

// setAttributes sets how a target group distributes requests over its targets.
func setAttributes(out *balancer.TargetGroup, attributes map[string]string) {
	out.Algorithm = attributes["load_balancing.algorithm.type"]
	out.SlowStart = seconds(attributes["slow_start.duration_seconds"])
	out.Failover = minimumHealthy(attributes, "dns_failover")
	out.FailOpen = minimumHealthy(attributes, "unhealthy_state_routing")
	on := func(key string) bool { return attributes[key] == "true" }
	out.Flows = balancer.Flows{
		Impersonate:     on("preserve_client_ip.enabled"),
		EndDeregistered: on("deregistration_delay.connection_termination.enabled"),
		EndUnhealthy:    on("target_health_state.unhealthy.connection_termination.enabled"),
	}
	if attributes["stickiness.enabled"] != "true" || attributes["stickiness.type"] == "source_ip" {
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

// minimumHealthy returns how many targets must be healthy to avoid the action. Zero
// stands for "off".
func minimumHealthy(attributes map[string]string, action string) balancer.Minimum {
	prefix := "target_group_health." + action + ".minimum_healthy_targets."
	return balancer.Minimum{Count: number(attributes[prefix+"count"]), Percent: number(attributes[prefix+"percentage"])}
}
