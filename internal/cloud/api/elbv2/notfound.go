package elbv2

import (
	"strings"

	"aloft.dev/aloft/internal/cloud/wire"
)

// NotFound returns the error of a request that refers to a resource that does not
// exist, or that Elastic Load Balancing does not know yet, by its id or its ARN.
// Security groups are looked up in Amazon EC2, whose message it passes on
// (kubernetes-sigs/aws-load-balancer-controller#2371).
func NotFound(_, id string) error {
	switch {
	case strings.HasPrefix(id, "vpc-"):
		return vpcNotFound(id)
	case strings.HasPrefix(id, "subnet-"):
		return subnetNotFound(id)
	case strings.HasPrefix(id, "sg-"):
		return wire.Errorf("InvalidSecurityGroup", "The security group '%s' does not exist", id)
	case strings.HasPrefix(id, "eipalloc-"):
		return allocationNotFound(id)
	case strings.HasPrefix(id, "i-"):
		return wire.Errorf("InvalidTarget", "%s'%s'", unknownInstances, id)
	case strings.HasPrefix(id, "arn:aws:acm:"):
		return certificateNotFound(id)
	case arnResource(id, "loadbalancer") != "":
		return loadBalancerNotFound(id)
	case arnResource(id, "targetgroup") != "":
		return targetGroupNotFound()
	case arnResource(id, "listener") != "":
		return listenerNotFound()
	case arnResource(id, "listener-rule") != "":
		return ruleNotFound()
	}
	return nil
}

func vpcNotFound(id string) error { return invalid("The VPC ID '%s' is not found", id) }

func subnetNotFound(id string) error {
	return wire.Errorf("SubnetNotFound", "The subnet ID '%s' is not valid", id)
}

func allocationNotFound(id string) error {
	return wire.Errorf("AllocationIdNotFound", "The allocation ID '%s' does not exist", id)
}

func certificateNotFound(arn string) error {
	return wire.Errorf("CertificateNotFound", "Certificate '%s' not found", arn)
}

func loadBalancerNotFound(arn string) error {
	return wire.Errorf("LoadBalancerNotFound", "Load balancer '%s' not found", arn)
}

func targetGroupNotFound() error {
	return wire.Errorf("TargetGroupNotFound", "One or more target groups not found")
}

func listenerNotFound() error {
	return wire.Errorf("ListenerNotFound", "One or more listeners not found")
}

func ruleNotFound() error { return wire.Errorf("RuleNotFound", "One or more rules not found") }
