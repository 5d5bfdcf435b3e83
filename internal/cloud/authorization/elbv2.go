package authorization

import (
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/servicerole"
	"aloft.dev/aloft/internal/cloud/store"
)

var elbOperations = operations{
	"CreateLoadBalancer":           createsRole(onNew("Name", newLoadBalancer), servicerole.LoadBalancing),
	"DeleteLoadBalancer":           onBalancing("LoadBalancerArn"),
	"ModifyLoadBalancerAttributes": onBalancing("LoadBalancerArn"),
	"ModifyCapacityReservation":    onBalancing("LoadBalancerArn"),
	"SetSecurityGroups":            onBalancing("LoadBalancerArn"),
	"SetSubnets":                   onBalancing("LoadBalancerArn"),
	"SetIpAddressType":             onBalancing("LoadBalancerArn"),
	"CreateListener":               onBalancing("LoadBalancerArn"),
	"ModifyListener":               onBalancing("ListenerArn"),
	"DeleteListener":               onBalancing("ListenerArn"),
	"ModifyListenerAttributes":     onBalancing("ListenerArn"),
	"AddListenerCertificates":      onBalancing("ListenerArn"),
	"RemoveListenerCertificates":   onBalancing("ListenerArn"),
	"CreateRule":                   onBalancing("ListenerArn"),
	"ModifyRule":                   onBalancing("RuleArn"),
	"DeleteRule":                   onBalancing("RuleArn"),
	"SetRulePriorities":            onBalancing("RulePriorities.RuleArn"),
	"CreateTargetGroup":            onNew("Name", newTargetGroup),
	"ModifyTargetGroup":            onBalancing("TargetGroupArn"),
	"ModifyTargetGroupAttributes":  onBalancing("TargetGroupArn"),
	"DeleteTargetGroup":            onBalancing("TargetGroupArn"),
	"RegisterTargets":              onBalancing("TargetGroupArn"),
	"DeregisterTargets":            onBalancing("TargetGroupArn"),
	"AddTags":                      onBalancing("ResourceArns"),
	"RemoveTags":                   onBalancing("ResourceArns"),
}

func onBalancing(field string) operation { return onNew(field, balancing) }

func onNew(field string, find func(*subject, string) []target) operation {
	return operation{resources: []resource{{fields: []string{field}, find: find}}}
}

// balancing returns the load balancer, listener, rule or target group with an ARN.
func balancing(s *subject, arn string) []target {
	t := target{arn: arn}
	if row, ok := store.LoadBalancers.Get(s, arn); ok {
		t.tags = row.Tags
	} else if row, ok := store.Listeners.Get(s, arn); ok {
		t.tags = row.Tags
	} else if row, ok := store.Rules.Get(s, arn); ok {
		t.tags = row.Tags
	} else if row, ok := store.TargetGroups.Get(s, arn); ok {
		t.tags = row.Tags
	}
	return []target{t}
}

func newLoadBalancer(s *subject, name string) []target {
	return []target{{arn: identity.ARN("elasticloadbalancing", s.region, "loadbalancer/app/"+name+"/*")}}
}

func newTargetGroup(s *subject, name string) []target {
	return []target{{arn: identity.ARN("elasticloadbalancing", s.region, "targetgroup/"+name+"/*")}}
}
