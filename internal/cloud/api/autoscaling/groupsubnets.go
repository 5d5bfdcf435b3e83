package autoscaling

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"aloft.dev/aloft/internal/cloud/store"
)

// setSubnets sets where the group launches instances: in the given subnets, or in
// the default subnets of the given zones. Subnets and zones must agree if both are
// given. Without either, a group keeps the subnets that it has.
func (a *API) setSubnets(r store.Reader, g *store.ScalingGroup, subnets *string, zones, zoneIDs []string) error {
	if len(zones) > 0 && len(zoneIDs) > 0 {
		return invalid("You cannot specify both AvailabilityZones and AvailabilityZoneIds in the same request")
	}
	inZones := func(s *store.Subnet) bool {
		return slices.Contains(zones, s.Zone) || slices.Contains(zoneIDs, s.ZoneID)
	}
	byZones := len(zones)+len(zoneIDs) > 0
	switch ids := splitList(aws.ToString(subnets)); {
	case len(ids) > 0:
		return useSubnets(r, g, ids, func(s *store.Subnet) bool { return !byZones || inZones(s) })
	case byZones:
		return useDefaultSubnets(r, g, slices.Concat(zones, zoneIDs), inZones)
	case len(g.SubnetIDs) == 0:
		return invalid("At least one Availability Zone or VPC Subnet is required.")
	}
	return nil
}

// splitList returns the distinct items of a comma-separated list.
func splitList(list string) []string {
	var out []string
	for item := range strings.SplitSeq(list, ",") {
		if item = strings.TrimSpace(item); item != "" && !slices.Contains(out, item) {
			out = append(out, item)
		}
	}
	return out
}

func useSubnets(r store.Reader, g *store.ScalingGroup, ids []string, inZones func(*store.Subnet) bool) error {
	var zones []string
	vpc := ""
	for _, id := range ids {
		s, ok := store.Subnets.Get(r, id)
		switch {
		case !ok || s.Region != g.Region:
			return subnetNotFound(id)
		case !inZones(s):
			return invalid("The availability zones of the specified subnets and the Auto Scaling group do not match")
		case vpc != "" && s.VPCID != vpc:
			return invalid("The subnets of an Auto Scaling group must be in the same VPC")
		}
		vpc = s.VPCID
		if !slices.Contains(zones, s.Zone) {
			zones = append(zones, s.Zone)
		}
	}
	g.SubnetIDs, g.Zones, g.ByZones = ids, zones, false
	return nil
}

// useDefaultSubnets places the group in the default subnets of the given zones.
// requested has the zones' names or IDs.
func useDefaultSubnets(
	r store.Reader, g *store.ScalingGroup, requested []string, inZones func(*store.Subnet) bool,
) error {
	var ids, zones []string
	for _, s := range store.Subnets.InRegion(r, g.Region) {
		if s.DefaultForAZ && inZones(s) {
			ids, zones = append(ids, s.ID), append(zones, s.Zone)
		}
	}
	if len(ids) < len(requested) {
		return invalid("One or more of the Availability Zones %s are invalid or have no default subnet",
			strings.Join(requested, ", "))
	}
	g.SubnetIDs, g.Zones, g.ByZones = ids, zones, true
	return nil
}
