package elbv2

import (
	"regexp"
	"strings"

	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

var alphanumeric = regexp.MustCompile(`^[A-Za-z0-9-]+$`)

// checkName applies the rules that names of load balancers and target groups
// share (Elastic Load Balancing API Reference, CreateLoadBalancer).
func checkName(kind, name string) error {
	switch {
	case name == "":
		return invalid("%s name cannot be empty", kind)
	case len(name) > 32:
		return invalid("%s name '%s' cannot be longer than '32' characters", kind, name)
	case !alphanumeric.MatchString(name):
		return invalid(
			"%s name '%s' can only contain characters that are alphanumeric characters or hyphens(-)",
			kind,
			name,
		)
	case strings.HasPrefix(name, "-") || strings.HasSuffix(name, "-"):
		return invalid("%s name '%s' cannot begin or end with '-'", kind, name)
	}
	return nil
}

// suffix is the part of an ARN after its kind: "app/web/0123456789abcdef".
func suffix(arn, kind string) string {
	_, after, _ := strings.Cut(arn, ":"+kind+"/")
	return after
}

// wellFormed refuses what is not the ARN of the kind.
func wellFormed(arn *string, parameter, kind, called string) error {
	if err := model.Required(parameter, arn != nil); err != nil {
		return err
	}
	if !strings.HasPrefix(*arn, "arn:aws:elasticloadbalancing:") || suffix(*arn, kind) == "" {
		return invalid("'%s' is not a valid %s ARN", *arn, called)
	}
	return nil
}

func loadBalancer(r store.Reader, region string, arn *string) (*store.LoadBalancer, error) {
	if err := wellFormed(arn, "loadBalancerArn", "loadbalancer", "load balancer"); err != nil {
		return nil, err
	}
	lb, ok := store.LoadBalancers.Get(r, *arn)
	if !ok || lb.Region != region {
		return nil, wire.Errorf("LoadBalancerNotFound", "Load balancer '%s' not found", *arn)
	}
	return lb, nil
}

func targetGroup(r store.Reader, region string, arn *string) (*store.TargetGroup, error) {
	if err := wellFormed(arn, "targetGroupArn", "targetgroup", "target group"); err != nil {
		return nil, err
	}
	group, ok := store.TargetGroups.Get(r, *arn)
	if !ok || group.Region != region {
		return nil, wire.Errorf("TargetGroupNotFound", "One or more target groups not found")
	}
	return group, nil
}

func listener(r store.Reader, region string, arn *string) (*store.Listener, error) {
	if err := wellFormed(arn, "listenerArn", "listener", "listener"); err != nil {
		return nil, err
	}
	l, ok := store.Listeners.Get(r, *arn)
	if !ok || l.Region != region {
		return nil, wire.Errorf("ListenerNotFound", "One or more listeners not found")
	}
	return l, nil
}
