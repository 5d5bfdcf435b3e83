package autoscaling

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"aloft.dev/aloft/internal/cloud/store"
)

// setSubnets writes into the row where the group launches: the subnets given, or the
// default subnets of the zones given. Nil everywhere leaves it where it is.
func (a *API) setSubnets(r store.Reader, g *store.ScalingGroup, subnets *string, zones, zoneIDs []string) error {
	if len(zones) > 0 && len(zoneIDs) > 0 {
		return invalid("You cannot specify both AvailabilityZones and AvailabilityZoneIds in the same request")
	}
	named := func(s *store.Subnet) bool {
		return slices.Contains(zones, s.Zone) || slices.Contains(zoneIDs, s.ZoneID)
	}
	byZones := len(zones)+len(zoneIDs) > 0
	switch ids := splitList(aws.ToString(subnets)); {
	case len(ids) > 0:
		return useSubnets(r, g, ids, func(s *store.Subnet) bool { return !byZones || named(s) })
	case byZones:
		return useDefaultSubnets(r, g, slices.Concat(zones, zoneIDs), named)
	case len(g.SubnetIDs) == 0:
		return invalid("At least one Availability Zone or VPC Subnet is required.")
	}
	return nil
}

// splitList reads a list that is separated by commas.
func splitList(list string) []string {
	var out []string
	for item := range strings.SplitSeq(list, ",") {
		if item = strings.TrimSpace(item); item != "" && !slices.Contains(out, item) {
			out = append(out, item)
		}
	}
	return out
}

func useSubnets(r store.Reader, g *store.ScalingGroup, ids []string, allowed func(*store.Subnet) bool) error {
	var zones []string
	vpc := ""
	for _, id := range ids {
		s, ok := store.Subnets.Get(r, id)
		switch {
		case !ok || s.Region != g.Region:
			return invalid("The subnet ID '%s' does not exist", id)
		case !allowed(s):
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

func useDefaultSubnets(r store.Reader, g *store.ScalingGroup, asked []string, named func(*store.Subnet) bool) error {
	var ids, zones []string
	for _, s := range store.Subnets.By(r, "region", g.Region) {
		if s.DefaultForAZ && named(s) {
			ids, zones = append(ids, s.ID), append(zones, s.Zone)
		}
	}
	if len(ids) < len(asked) {
		return invalid(
			"One or more of the Availability Zones %s are invalid or have no default subnet",
			strings.Join(asked, ", "),
		)
	}
	g.SubnetIDs, g.Zones, g.ByZones = ids, zones, true
	return nil
}
