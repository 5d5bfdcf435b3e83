package stack

import "slices"

// Kind is a kind of AWS resource.
type Kind string

// properties describe a kind to the planner and the deployer.
type properties struct {
	kind Kind
	// mayReferTo lists the kinds that resources of this kind may refer to. It
	// orders the deletion of resources that no stack describes. For resources of a
	// stack their own references are more precise; a test keeps the two consistent.
	mayReferTo []Kind
	// versioned kinds change by getting another version beside the existing ones.
	// Resources that refer to one have to be updated to the new version.
	versioned bool
	// serves is set for kinds that put instances into service behind the load
	// balancer. Such a resource is created once its instances are in service.
	serves bool
	// deletedWithOwner kinds are deleted together with the resource they belong to.
	deletedWithOwner bool
	// uniqueName kinds are identified by a name that only one resource can have, so
	// a replacement can be created only after the old resource was deleted.
	uniqueName bool
	// replaceable kinds are deleted and replaced while the application serves, so that
	// they are not protected: by releases, and if others serve in their place.
	replaceable bool
	// untagged kinds have no tags on AWS.
	untagged bool
}

// kinds lists all kinds in the order of creation: a kind comes after those it may
// refer to. Resources are deleted in the reverse order.
var kinds = []properties{
	vpcKind,
	subnetKind,
	internetGatewayKind,
	elasticIPKind,
	natGatewayKind,
	routeTableKind,
	securityGroupKind,
	keyPairKind,
	connectEndpointKind,
	environmentKind,
	logGroupKind,
	roleKind,
	instanceProfileKind,
	serverKind,
	imageKind,
	targetGroupKind,
	bucketKind,
	loadBalancerKind,
	certificateKind,
	listenerKind,
	recordKind,
	targetKind,
	launchTemplateKind,
	scalingGroupKind,
	scalingPolicyKind,
	scheduleKind,
	memberKind,
	topicKind,
	alarmKind,
}

func (k Kind) properties() properties {
	if i := k.Rank(); i >= 0 {
		return kinds[i]
	}
	return properties{}
}

// Rank returns the position of the kind in the order of creation, or -1 if there
// is no such kind. Resources are deleted in the reverse order.
func (k Kind) Rank() int {
	return slices.IndexFunc(kinds, func(p properties) bool { return p.kind == k })
}

// MayReferTo reports whether resources of this kind may refer to resources of the
// other.
func (k Kind) MayReferTo(other Kind) bool { return slices.Contains(k.properties().mayReferTo, other) }

// Versioned reports whether the kind changes by getting another version beside the
// existing ones. Resources that refer to one have to be updated to the new version.
func (k Kind) Versioned() bool { return k.properties().versioned }

// Serves reports whether the kind puts instances into service behind the load
// balancer. Such a resource is created once its instances are in service.
func (k Kind) Serves() bool { return k.properties().serves }

// DeletedWithOwner reports whether the kind is deleted together with the resource
// it belongs to: targets with their target group, and the instances, policies and
// schedules of an Auto Scaling group with that group.
func (k Kind) DeletedWithOwner() bool { return k.properties().deletedWithOwner }

// Replaceable reports whether resources of the kind are deleted and replaced while the
// application serves, as releases do, so that they are not protected.
func (k Kind) Replaceable() bool { return k.properties().replaceable }

// Tagged reports whether resources of the kind have tags of their own. DNS records have none.
// What is deleted with its owner cannot be tagged, or has tags from its owner.
func (k Kind) Tagged() bool { return !k.DeletedWithOwner() && !k.properties().untagged }

// UniqueName reports whether the kind is identified by a name that only one
// resource can have, so that a replacement can be created only after the old
// resource was deleted.
func (k Kind) UniqueName() bool { return k.properties().uniqueName }
