package elbv2

import (
	"strings"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
)

// arnResource returns the part of an ARN that follows its kind, such as
// "app/web/0123456789abcdef", or "" if the ARN is of another kind.
func arnResource(arn, kind string) string {
	_, after, _ := strings.Cut(arn, ":"+kind+"/")
	return after
}

// checkARN refuses a value that is not an ARN of the kind. parameter and called
// are the parameter's and the kind's names in error messages.
func checkARN(arn *string, parameter, kind, called string) error {
	if err := model.Required(parameter, arn != nil); err != nil {
		return err
	}
	if !strings.HasPrefix(*arn, "arn:aws:elasticloadbalancing:") || arnResource(*arn, kind) == "" {
		return invalid("'%s' is not a valid %s ARN", *arn, called)
	}
	return nil
}

func loadBalancer(r store.Reader, region identity.Region, arn *string) (*store.LoadBalancer, error) {
	if err := checkARN(arn, "loadBalancerArn", "loadbalancer", "load balancer"); err != nil {
		return nil, err
	}
	lb, ok := store.LoadBalancers.Get(r, *arn)
	if !ok || lb.Region != region {
		return nil, loadBalancerNotFound(*arn)
	}
	return lb, nil
}

func targetGroup(r store.Reader, region identity.Region, arn *string) (*store.TargetGroup, error) {
	if err := checkARN(arn, "targetGroupArn", "targetgroup", "target group"); err != nil {
		return nil, err
	}
	group, ok := store.TargetGroups.Get(r, *arn)
	if !ok || group.Region != region {
		return nil, targetGroupNotFound()
	}
	return group, nil
}

func listener(r store.Reader, region identity.Region, arn *string) (*store.Listener, error) {
	if err := checkARN(arn, "listenerArn", "listener", "listener"); err != nil {
		return nil, err
	}
	l, ok := store.Listeners.Get(r, *arn)
	if !ok || l.Region != region {
		return nil, listenerNotFound()
	}
	return l, nil
}
