package stack

import "slices"

// Kind is a kind of AWS resource.
type Kind string

// The kinds.
const (
	KindVPC             Kind = "vpc"
	KindSubnet          Kind = "subnet"
	KindInternetGateway Kind = "internet-gateway"
	KindRouteTable      Kind = "route-table"
	KindSecurityGroup   Kind = "security-group"
	KindKeyPair         Kind = "key-pair"
	KindServer          Kind = "server"
	KindImage           Kind = "image"
	KindTargetGroup     Kind = "target-group"
	KindLoadBalancer    Kind = "load-balancer"
	KindListener        Kind = "listener"
	KindTarget          Kind = "target"
	KindLaunchTemplate  Kind = "launch-template"
	KindScalingGroup    Kind = "scaling-group"
	KindScalingPolicy   Kind = "scaling-policy"
	KindSchedule        Kind = "schedule"
	// KindMember is a machine of a scaling group. No stack wants one: the group
	// makes and ends them.
	KindMember Kind = "member"
)

// mayRefer says which kinds a kind may refer to. What is deleted without a spec
// at hand is deleted in the order that follows from it; for a stack the
// resources' own refs are finer, and a test holds the two together.
var mayRefer = map[Kind][]Kind{
	KindSubnet:          {KindVPC},
	KindInternetGateway: {KindVPC},
	KindRouteTable:      {KindVPC, KindInternetGateway, KindSubnet},
	KindSecurityGroup:   {KindVPC, KindSecurityGroup},
	KindServer:          {KindSubnet, KindSecurityGroup, KindKeyPair, KindRouteTable, KindImage},
	KindImage:           {KindServer},
	KindTargetGroup:     {KindVPC},
	KindLoadBalancer:    {KindSubnet, KindSecurityGroup, KindRouteTable},
	KindListener:        {KindLoadBalancer, KindTargetGroup},
	KindTarget:          {KindServer, KindTargetGroup, KindListener, KindImage},
	KindLaunchTemplate:  {KindImage, KindKeyPair, KindSecurityGroup},
	KindScalingGroup:    {KindLaunchTemplate, KindSubnet, KindTargetGroup, KindListener, KindRouteTable},
	KindScalingPolicy:   {KindScalingGroup, KindTargetGroup, KindLoadBalancer, KindListener},
	KindSchedule:        {KindScalingGroup},
}

// MayRefer tells whether resources of kind a may refer to resources of kind b.
func MayRefer(a, b Kind) bool { return slices.Contains(mayRefer[a], b) }

// rank is the order in which kinds are made.
var rank = []Kind{
	KindVPC, KindSubnet, KindInternetGateway, KindRouteTable, KindSecurityGroup, KindKeyPair,
	KindServer, KindImage, KindTargetGroup, KindLoadBalancer, KindListener, KindTarget,
	KindLaunchTemplate, KindScalingGroup, KindScalingPolicy, KindSchedule,
}

// Rank orders kinds: what may be referred to comes before what refers to it.
// Things are deleted in the reverse order.
func Rank(k Kind) int { return slices.Index(rank, k) }

// Versioned tells of a kind that changes by getting another version beside those
// that are there. What refers to it has to follow.
func Versioned(k Kind) bool { return k == KindLaunchTemplate }

// Serves tells of a kind that brings machines into service behind the load
// balancer. It is in service when it stands.
func Serves(k Kind) bool { return k == KindTarget || k == KindScalingGroup }

// GoesAlong tells of a kind that goes with what it belongs to: targets with their
// group, a scaling group's machines, policies and schedules with it.
func GoesAlong(k Kind) bool {
	return k == KindTarget || k == KindMember || k == KindScalingPolicy || k == KindSchedule
}
