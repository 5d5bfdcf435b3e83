package route53

import (
	"slices"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"

	"aloft.dev/aloft/internal/cloud/store"
)

// Limits of routing policies (Amazon Route 53 API Reference, ResourceRecordSet).
const (
	maxIdentifier = 128
	maxWeight     = 255
)

// parseRouting returns the routing of a change's record set. Whoever gives a parameter of a routing policy gives
// those of one alone, and an identifier.
func parseRouting(in *types.Change) (store.Routing, error) {
	set := in.ResourceRecordSet
	if err := checkRoutingModel(set); err != nil {
		return store.Routing{}, err
	}
	policies := policiesOf(set)
	const exactlyOne = "Invalid request: Expected exactly one of [Weight, Region, Failover, GeoLocation, " +
		"MultiValueAnswer, GeoProximityLocation, or CidrRoutingConfig], but found "
	switch {
	case set.SetIdentifier == nil && len(policies) == 0:
		return store.Routing{}, nil
	case set.SetIdentifier == nil:
		return store.Routing{}, model.Errorf("Invalid request: Missing field 'SetIdentifier' in %s", where(in))
	case len(policies) == 0 || set.MultiValueAnswer != nil && !*set.MultiValueAnswer:
		return store.Routing{}, model.Errorf(exactlyOne+"none in %s", where(in))
	case len(policies) > 1:
		return store.Routing{}, model.Errorf(exactlyOne+"more than one in %s", where(in))
	}
	return store.Routing{
		Policy: policies[0], SetIdentifier: *set.SetIdentifier, Weight: aws.ToInt64(set.Weight),
		Region: string(set.Region), Failover: string(set.Failover),
	}, nil
}

// checkRoutingModel refuses parameters that violate the API's model.
func checkRoutingModel(set *types.ResourceRecordSet) error {
	const member = "changeBatch.changes.member.resourceRecordSet."
	switch {
	case utf8.RuneCountInString(aws.ToString(set.SetIdentifier)) > maxIdentifier:
		return model.TooLong(member+"setIdentifier", maxIdentifier)
	case set.SetIdentifier != nil && *set.SetIdentifier == "":
		return model.Empty(member + "setIdentifier")
	case set.Weight != nil && (*set.Weight < 0 || *set.Weight > maxWeight):
		return model.OutOfRange(member+"weight", *set.Weight, 0, maxWeight)
	case set.Region != "" && !slices.Contains(set.Region.Values(), set.Region):
		return model.Refuse(member+"region", set.Region, "satisfy enum value set: %v", set.Region.Values())
	case set.Failover != "" && !slices.Contains(set.Failover.Values(), set.Failover):
		return model.OutOfSet(member+"failover", set.Failover, "PRIMARY", "SECONDARY")
	}
	return nil
}

// policiesOf returns the routing policies whose parameters a record set has.
func policiesOf(set *types.ResourceRecordSet) (policies []store.RoutingPolicy) {
	for _, p := range []struct {
		policy store.RoutingPolicy
		given  bool
	}{
		{store.WeightedRouting, set.Weight != nil}, {store.LatencyRouting, set.Region != ""},
		{store.FailoverRouting, set.Failover != ""}, {store.MultivalueRouting, set.MultiValueAnswer != nil},
	} {
		if p.given {
			policies = append(policies, p.policy)
		}
	}
	return policies
}

// unroutable lists the record types that each routing policy does not support (Amazon Route 53 API
// Reference, ResourceRecordSet, Type).
var unroutable = map[store.RoutingPolicy][]string{
	store.WeightedRouting:   {"DS", "NS", "SOA"},
	store.LatencyRouting:    {"DS", "NS", "SOA"},
	store.FailoverRouting:   {"DS", "NS", "SOA"},
	store.MultivalueRouting: {"CNAME", "DS", "NS", "SOA"},
}

// checkRouting refuses a record set whose routing does not agree with that of the others of its name and type.
func (b *batch) checkRouting(set *store.RecordSet) {
	routing := set.Routing
	switch {
	case slices.Contains(unroutable[routing.Policy], set.Type):
		b.refuse("RRSet with DNS name %s, type %s, SetIdentifier %s cannot be created as %s routing is not "+
			"supported for the type.", set.Name, set.Type, routing.SetIdentifier, routing.Policy)
	case routing.Policy == store.MultivalueRouting && set.Alias != nil:
		b.refuse("RRSet with DNS name %s, type %s, SetIdentifier %s cannot be created as multivalue answer RRSets "+
			"cannot be aliases.", set.Name, set.Type, routing.SetIdentifier)
	case routing.Failover == string(types.ResourceRecordSetFailoverPrimary) && set.Alias == nil:
		b.refuse("A non-alias primary ResourceRecordSet must have an associated health check. No changes made.")
	}
	for _, other := range store.RecordSetsByZone.List(b.tx, b.zone.ID) {
		if other.Name != set.Name || other.Type != set.Type || other.Key() == set.Key() {
			continue
		}
		if problem := conflict(set, other); problem != "" {
			name := "RRSet with DNS name " + set.Name + ", type " + set.Type
			if routing.SetIdentifier != "" {
				name += ", SetIdentifier " + routing.SetIdentifier
			}
			b.refuse("%s cannot be created %s.", name, problem)
			return
		}
	}
}

// conflict returns why a record set cannot be beside another of its name and type, or "".
func conflict(set, other *store.RecordSet) string {
	a, b := set.Routing, other.Routing
	switch {
	case a.Policy == store.SimpleRouting:
		return "as other RRSets exist with the same name and type"
	case a.Policy != b.Policy && a.Policy == store.MultivalueRouting:
		return "because a non multivalue answer rrset exists with the same name and type"
	case a.Policy != b.Policy:
		return "as a non-" + string(a.Policy) + " set exists with the same name and type"
	case a.Policy == store.WeightedRouting && set.Alias == nil && other.Alias == nil && set.TTL != other.TTL:
		return "as weighted sets must contain the same TTL"
	case a.Policy == store.LatencyRouting && a.Region == b.Region:
		return "as a latency set exists with the same name, type and region"
	case a.Policy == store.FailoverRouting && a.Failover == b.Failover:
		return "as a failover set exists with the same name, type and role"
	}
	return ""
}

// describeRouting completes the description of a record set.
func describeRouting(out *types.ResourceRecordSet, routing store.Routing) {
	if routing.Policy == store.SimpleRouting {
		return
	}
	out.SetIdentifier = aws.String(routing.SetIdentifier)
	out.Region = types.ResourceRecordSetRegion(routing.Region)
	out.Failover = types.ResourceRecordSetFailover(routing.Failover)
	switch routing.Policy {
	case store.WeightedRouting:
		out.Weight = aws.Int64(routing.Weight)
	case store.MultivalueRouting:
		out.MultiValueAnswer = aws.Bool(true)
	}
}
