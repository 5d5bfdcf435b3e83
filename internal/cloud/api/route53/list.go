package route53

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/hostedzone"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// The most items of a page. Route 53 reduces greater requests to it (Amazon Route 53
// API Reference, ListHostedZones, ListResourceRecordSets).
const (
	maxZones   = 100
	maxRecords = 300
)

// pageSize returns the number of items that a request asks for.
func pageSize(given *int32, most int32) (int, error) {
	n := constraint.Default(given, most)
	if n < 1 {
		return 0, model.Refuse("maxItems", n, "have value greater than or equal to 1")
	}
	return int(min(n, most)), nil
}

// ListHostedZones lists zones in the order of their ids.
func (a *API) ListHostedZones(
	ctx context.Context, in *route53.ListHostedZonesInput,
) (*route53.ListHostedZonesOutput, error) {
	size, err := pageSize(in.MaxItems, maxZones)
	if err != nil {
		return nil, err
	}
	view := a.Store.Read(ctx)
	if in.DelegationSetId != nil {
		if _, err := findDelegationSet(ctx, view, in.DelegationSetId); err != nil {
			return nil, err
		}
	}
	switch in.HostedZoneType {
	case "", types.HostedZoneTypePrivateHostedZone:
	default:
		return nil, model.OutOfSet("hostedZoneType", in.HostedZoneType, "PrivateHostedZone")
	}
	zones := slices.DeleteFunc(store.HostedZones.InRegion(view, wire.GlobalFrom(ctx)), func(z *store.HostedZone) bool {
		return z.ID < aws.ToString(in.Marker) ||
			in.HostedZoneType == types.HostedZoneTypePrivateHostedZone && !z.Private ||
			in.DelegationSetId != nil && z.DelegationSetID != plainSetID(*in.DelegationSetId)
	})
	out := &route53.ListHostedZonesOutput{
		Marker: in.Marker, MaxItems: aws.Int32(int32(size)), HostedZones: []types.HostedZone{},
	}
	if len(zones) > size {
		out.IsTruncated, out.NextMarker = true, &zones[size].ID
		zones = zones[:size]
	}
	for _, zone := range zones {
		out.HostedZones = append(out.HostedZones, *describeZone(view, zone))
	}
	return out, nil
}

// ListHostedZonesByName lists zones in the order of their names with reversed labels,
// from a name on.
func (a *API) ListHostedZonesByName(
	ctx context.Context, in *route53.ListHostedZonesByNameInput,
) (*route53.ListHostedZonesByNameOutput, error) {
	size, err := pageSize(in.MaxItems, maxZones)
	if err != nil {
		return nil, err
	}
	from := &store.HostedZone{ID: strings.TrimPrefix(aws.ToString(in.HostedZoneId), "/hostedzone/")}
	if in.DNSName != nil {
		if from.Name, err = hostedzone.ParseName(*in.DNSName); err != nil {
			return nil, wire.Errorf("InvalidDomainName", "%v", err)
		}
	} else if in.HostedZoneId != nil {
		return nil, model.Errorf("The request must contain dnsname if it contains hostedzoneid.")
	}
	view := a.Store.Read(ctx)
	zones := store.HostedZones.InRegion(view, wire.GlobalFrom(ctx))
	slices.SortFunc(zones, byName)
	if in.DNSName != nil {
		zones = slices.DeleteFunc(zones, func(z *store.HostedZone) bool { return byName(z, from) < 0 })
	}
	out := &route53.ListHostedZonesByNameOutput{
		DNSName: in.DNSName, HostedZoneId: in.HostedZoneId, MaxItems: aws.Int32(int32(size)),
		HostedZones: []types.HostedZone{},
	}
	if len(zones) > size {
		out.IsTruncated, out.NextDNSName, out.NextHostedZoneId = true, &zones[size].Name, &zones[size].ID
		zones = zones[:size]
	}
	for _, zone := range zones {
		out.HostedZones = append(out.HostedZones, *describeZone(view, zone))
	}
	return out, nil
}

// ListResourceRecordSets lists the record sets of a zone in the order of their names with
// reversed labels and of their types, from a name and a type on.
func (a *API) ListResourceRecordSets(
	ctx context.Context, in *route53.ListResourceRecordSetsInput,
) (*route53.ListResourceRecordSetsOutput, error) {
	size, err := pageSize(in.MaxItems, maxRecords)
	if err != nil {
		return nil, err
	}
	view := a.Store.Read(ctx)
	zone, err := findZone(ctx, view, in.HostedZoneId)
	if err != nil {
		return nil, err
	}
	from := ""
	switch {
	case in.StartRecordIdentifier != nil && (in.StartRecordName == nil || in.StartRecordType == ""):
		return nil, model.Errorf("The request must contain name and type if it contains identifier.")
	case in.StartRecordName == nil && in.StartRecordType != "":
		return nil, model.Errorf("The request must contain name if it contains type.")
	case in.StartRecordName != nil:
		name, err := hostedzone.ParseName(*in.StartRecordName)
		if err != nil {
			return nil, model.Errorf("FATAL problem: %v encountered with '%s'", err, *in.StartRecordName)
		}
		start := store.RecordSet{ZoneID: zone.ID, Name: name, Type: string(in.StartRecordType)}
		start.Routing.SetIdentifier = aws.ToString(in.StartRecordIdentifier)
		from = start.Key()
	}
	sets := store.RecordSetsByZone.List(view, zone.ID)
	sets = slices.DeleteFunc(sets, func(s *store.RecordSet) bool { return s.Key() < from })
	out := &route53.ListResourceRecordSetsOutput{
		MaxItems: aws.Int32(int32(size)), ResourceRecordSets: []types.ResourceRecordSet{},
	}
	if len(sets) > size {
		next := sets[size]
		out.IsTruncated, out.NextRecordName, out.NextRecordType = true, &next.Name, types.RRType(next.Type)
		if id := next.Routing.SetIdentifier; id != "" {
			out.NextRecordIdentifier = &id
		}
		sets = sets[:size]
	}
	for _, set := range sets {
		out.ResourceRecordSets = append(out.ResourceRecordSets, describeRecords(set))
	}
	return out, nil
}

func describeRecords(set *store.RecordSet) types.ResourceRecordSet {
	out := types.ResourceRecordSet{Name: aws.String(set.Name), Type: types.RRType(set.Type)}
	describeRouting(&out, set.Routing)
	if alias := set.Alias; alias != nil {
		out.AliasTarget = &types.AliasTarget{
			DNSName: aws.String(alias.Name), HostedZoneId: aws.String(alias.ZoneID),
			EvaluateTargetHealth: alias.EvaluateHealth,
		}
		return out
	}
	out.TTL = aws.Int64(set.TTL)
	for _, value := range set.Values {
		out.ResourceRecords = append(out.ResourceRecords, types.ResourceRecord{Value: aws.String(value)})
	}
	return out
}
