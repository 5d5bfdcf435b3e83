package adoption

import "aloft.dev/aloft/internal/stack"

// ofAloft reports whether a resource belongs to an application of Aloft, this one or another.
func ofAloft(tags map[string]string) bool { return tags[stack.TagApp] != "" }

// fateOf returns what becomes of resources of a kind, and what that takes.
func fateOf(kind Kind) (Fate, string) {
	switch kind {
	case LoadBalancer:
		return Replaced, "aloft up makes another one beside it; lead the names to that, then delete this one"
	case TargetGroup:
		return Replaced, "aloft up makes another one; its health check and port go into aloft.yaml"
	case ScalingGroup:
		return Replaced, "aloft up makes another one of its own image; its sizes go into aloft.yaml"
	case LaunchTemplate:
		return Replaced, "aloft up makes another one; check what its user data does, which Aloft does not read"
	case Instance:
		return Replaced, "aloft up launches servers of an image that it builds; move what only this disk has"
	case SecurityGroup:
		return Replaced, "aloft up makes groups of its own; let whatever admits this group admit those, too"
	case VPC:
		return Used, "network.vpc and network.subnets name it; Aloft does not change it"
	case HostedZone:
		return Used, "domain uses it: Aloft adds records for the application's names, and changes no other"
	case Record:
		return Moved, "aloft up takes no name away: delete it when the new load balancer serves, then add domain"
	case Certificate:
		return Used, "certificate names it, or domain requests another one"
	}
	return "", ""
}
