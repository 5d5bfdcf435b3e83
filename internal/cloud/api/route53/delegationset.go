package route53

import (
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"

	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

const setPrefix = "/delegationset/"

func plainSetID(id string) string {
	return strings.TrimPrefix(strings.TrimPrefix(id, "/"), strings.TrimPrefix(setPrefix, "/"))
}

// findDelegationSet returns the reusable delegation set with an id, with or without the prefix that ids have in
// responses.
func findDelegationSet(ctx context.Context, r store.Reader, id *string) (*store.DelegationSet, error) {
	plain := plainSetID(aws.ToString(id))
	set, ok := store.DelegationSets.Get(r, plain)
	if !ok || set.Region != wire.GlobalFrom(ctx) {
		return nil, wire.Errorf("NoSuchDelegationSet", "No delegation set found with ID: %s", plain)
	}
	return set, nil
}

// CreateReusableDelegationSet creates four name servers that several zones can share, or makes those of a zone
// such a set.
func (a *API) CreateReusableDelegationSet(
	ctx context.Context, in *route53.CreateReusableDelegationSetInput,
) (*route53.CreateReusableDelegationSetOutput, error) {
	switch n := utf8.RuneCountInString(aws.ToString(in.CallerReference)); {
	case in.CallerReference == nil:
		return nil, model.Null("callerReference")
	case n == 0:
		return nil, model.Empty("callerReference")
	case n > maxReference:
		return nil, model.TooLong("callerReference", maxReference)
	}
	set := &store.DelegationSet{
		ID: a.ids.UniqueID("N"), Region: wire.GlobalFrom(ctx), CallerReference: *in.CallerReference,
		NameServers: a.newServers(),
	}
	err := a.Store.Update(func(tx *store.Tx) error {
		sets := store.DelegationSets.InRegion(tx, set.Region)
		if len(sets) >= maxOwnSets {
			return wire.Errorf("LimitsExceeded", "The account cannot have more than %d delegation sets.", maxOwnSets)
		}
		for _, old := range sets {
			if old.CallerReference == set.CallerReference {
				return wire.Errorf("DelegationSetAlreadyCreated",
					"A delegation set with the same owner and caller reference combination has already been created.")
			}
		}
		if in.HostedZoneId != nil {
			if err := reuseServers(ctx, tx, in.HostedZoneId, set); err != nil {
				return err
			}
		}
		store.DelegationSets.Put(tx, set)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &route53.CreateReusableDelegationSetOutput{
		DelegationSet: describeDelegationSet(set),
		Location:      aws.String("https://route53.amazonaws.com/2013-04-01" + setPrefix + set.ID),
	}, nil
}

// reuseServers makes the name servers of a zone those of a set.
func reuseServers(ctx context.Context, tx *store.Tx, zoneID *string, set *store.DelegationSet) error {
	zone, err := findZone(ctx, tx, zoneID)
	switch {
	case err != nil:
		return wire.Errorf("HostedZoneNotFound", "The specified HostedZone cannot be found.")
	case zone.Private:
		return wire.Errorf("InvalidArgument", "A private hosted zone has no delegation set that can be reused.")
	case zone.DelegationSetID != "":
		return wire.Errorf("DelegationSetAlreadyReusable",
			"The specified delegation set has already been marked as reusable.")
	}
	set.NameServers = zone.NameServers
	store.HostedZones.Edit(tx, zone.ID, func(edited *store.HostedZone) { edited.DelegationSetID = set.ID })
	return nil
}

// describeServers returns name servers, whose names have no dots at their ends in responses.
func describeServers(servers []string) *types.DelegationSet {
	out := &types.DelegationSet{}
	for _, server := range servers {
		out.NameServers = append(out.NameServers, strings.TrimSuffix(server, "."))
	}
	return out
}

func describeDelegationSet(set *store.DelegationSet) *types.DelegationSet {
	out := describeServers(set.NameServers)
	out.Id, out.CallerReference = aws.String(setPrefix+set.ID), aws.String(set.CallerReference)
	return out
}

// GetReusableDelegationSet returns a reusable delegation set.
func (a *API) GetReusableDelegationSet(
	ctx context.Context, in *route53.GetReusableDelegationSetInput,
) (*route53.GetReusableDelegationSetOutput, error) {
	set, err := findDelegationSet(ctx, a.Store.Read(ctx), in.Id)
	if err != nil {
		return nil, err
	}
	return &route53.GetReusableDelegationSetOutput{DelegationSet: describeDelegationSet(set)}, nil
}

// ListReusableDelegationSets lists reusable delegation sets in the order of their ids.
func (a *API) ListReusableDelegationSets(
	ctx context.Context, in *route53.ListReusableDelegationSetsInput,
) (*route53.ListReusableDelegationSetsOutput, error) {
	size, err := pageSize(in.MaxItems, maxZones)
	if err != nil {
		return nil, err
	}
	marker := plainSetID(aws.ToString(in.Marker))
	sets := slices.DeleteFunc(store.DelegationSets.InRegion(a.Store.Read(ctx), wire.GlobalFrom(ctx)),
		func(set *store.DelegationSet) bool { return set.ID < marker })
	out := &route53.ListReusableDelegationSetsOutput{
		Marker: aws.String(marker), MaxItems: aws.Int32(int32(size)), DelegationSets: []types.DelegationSet{},
	}
	if len(sets) > size {
		out.IsTruncated, out.NextMarker = true, &sets[size].ID
		sets = sets[:size]
	}
	for _, set := range sets {
		out.DelegationSets = append(out.DelegationSets, *describeDelegationSet(set))
	}
	return out, nil
}

// DeleteReusableDelegationSet deletes a reusable delegation set that no zone has.
func (a *API) DeleteReusableDelegationSet(
	ctx context.Context, in *route53.DeleteReusableDelegationSetInput,
) (*route53.DeleteReusableDelegationSetOutput, error) {
	return &route53.DeleteReusableDelegationSetOutput{}, a.Store.Update(func(tx *store.Tx) error {
		set, err := findDelegationSet(ctx, tx, in.Id)
		if err != nil {
			return err
		}
		if zonesOf(tx, set) > 0 {
			return wire.Errorf("DelegationSetInUse", "The specified delegation set contains associated hosted zones "+
				"which must be deleted before the reusable delegation set can be deleted.")
		}
		store.DelegationSets.Delete(tx, set.ID)
		return nil
	})
}

// zonesOf returns how many zones have a delegation set.
func zonesOf(r store.Reader, set *store.DelegationSet) (n int64) {
	for _, zone := range store.HostedZones.InRegion(r, set.Region) {
		if zone.DelegationSetID == set.ID {
			n++
		}
	}
	return n
}
