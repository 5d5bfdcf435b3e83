package route53

import (
	"cmp"
	"context"
	"net/http"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"

	"aloft.dev/aloft/internal/cloud/api/page"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// Limits of associations (Amazon Route 53 Developer Guide, "Quotas"; API Reference,
// ListVPCAssociationAuthorizations).
const (
	maxVPCs           = 300
	maxAuthorizations = 1000
	maxListed         = 50
)

// checkVPC refuses a VPC without an id.
func checkVPC(vpc *types.VPC) error {
	switch {
	case vpc == nil:
		return model.Null("vPC")
	case aws.ToString(vpc.VPCId) == "":
		return model.Null("vPC.vPCId")
	case vpc.VPCRegion != "" && !slices.Contains(vpc.VPCRegion.Values(), vpc.VPCRegion):
		return model.Refuse("vPC.vPCRegion", vpc.VPCRegion, "satisfy enum value set: %v", vpc.VPCRegion.Values())
	}
	return nil
}

// ownVPC returns a VPC of the caller's account. Its id is enough, because all VPCs have different ones.
func ownVPC(ctx context.Context, r store.Reader, in *types.VPC) (store.ZoneVPC, error) {
	if err := checkVPC(in); err != nil {
		return store.ZoneVPC{}, err
	}
	row, ok := store.VPCs.Get(r, *in.VPCId)
	var vpc store.ZoneVPC
	if ok {
		vpc = store.ZoneVPC{ID: row.ID, Region: row.Region.Name()}
	}
	if !ok || row.Region.Global() != wire.GlobalFrom(ctx) || !names(in, vpc) {
		return store.ZoneVPC{}, wire.Errorf("InvalidVPCId",
			"The VPC %s in region %s that you provided is not authorized to make the association.",
			*in.VPCId, in.VPCRegion)
	}
	return vpc, nil
}

// names reports whether a request names a VPC. The region may be absent.
func names(in *types.VPC, vpc store.ZoneVPC) bool {
	return *in.VPCId == vpc.ID && (in.VPCRegion == "" || string(in.VPCRegion) == vpc.Region)
}

// associate adds a VPC to a private zone. A VPC has one zone of a name.
func associate(r store.Reader, zone *store.HostedZone, vpc store.ZoneVPC) error {
	if len(zone.VPCs) >= maxVPCs {
		return wire.Errorf("LimitsExceeded", "The hosted zone %s cannot be associated with more than %d VPCs.",
			zone.ID, maxVPCs)
	}
	for _, other := range store.HostedZones.List(r) {
		if other.Name == zone.Name && other.AnswersIn(vpc.ID) {
			return wire.Errorf("ConflictingDomainExists", "The VPC %s in region %s has already been associated with "+
				"the hosted zone %s with the same domain name.", vpc.ID, vpc.Region, other.ID)
		}
	}
	zone.VPCs = append(slices.Clone(zone.VPCs), vpc)
	return nil
}

// AssociateVPCWithHostedZone makes a private zone answer in one more VPC. The zone of another account must have
// authorized the VPC.
func (a *API) AssociateVPCWithHostedZone(
	ctx context.Context, in *route53.AssociateVPCWithHostedZoneInput,
) (*route53.AssociateVPCWithHostedZoneOutput, error) {
	out := &route53.AssociateVPCWithHostedZoneOutput{}
	return out, a.Store.Update(func(tx *store.Tx) error {
		zone, err := anyZone(tx, in.HostedZoneId)
		if err != nil {
			return err
		}
		if !zone.Private {
			return wire.Errorf("PublicZoneVPCAssociation", "You're trying to associate a VPC with a public hosted "+
				"zone. Amazon Route 53 doesn't support associating a VPC with a public hosted zone.")
		}
		vpc, err := ownVPC(ctx, tx, in.VPC)
		if err != nil {
			return err
		}
		if zone.Region != wire.GlobalFrom(ctx) && !slices.Contains(zone.AuthorizedVPCs, vpc) {
			return &wire.Error{
				Code: "NotAuthorizedException", Status: http.StatusUnauthorized,
				Message: "The VPC: " + vpc.ID + " has not authorized to make the association.",
			}
		}
		edited := *zone
		if err := associate(tx, &edited, vpc); err != nil {
			return err
		}
		store.HostedZones.Put(tx, &edited)
		out.ChangeInfo = a.recordChange(ctx, tx, aws.ToString(in.Comment))
		return nil
	})
}

// DisassociateVPCFromHostedZone ends the answers of a private zone in a VPC, which is not its last one. The
// accounts of both may do so.
func (a *API) DisassociateVPCFromHostedZone(
	ctx context.Context, in *route53.DisassociateVPCFromHostedZoneInput,
) (*route53.DisassociateVPCFromHostedZoneOutput, error) {
	if err := checkVPC(in.VPC); err != nil {
		return nil, err
	}
	out := &route53.DisassociateVPCFromHostedZoneOutput{}
	return out, a.Store.Update(func(tx *store.Tx) error {
		zone, err := anyZone(tx, in.HostedZoneId)
		if err != nil {
			return err
		}
		if zone.Region != wire.GlobalFrom(ctx) {
			if _, err := ownVPC(ctx, tx, in.VPC); err != nil {
				return err
			}
		}
		i := slices.IndexFunc(zone.VPCs, func(vpc store.ZoneVPC) bool { return names(in.VPC, vpc) })
		switch {
		case i < 0:
			return &wire.Error{
				Code: "VPCAssociationNotFound", Status: http.StatusNotFound,
				Message: "The VPC: " + *in.VPC.VPCId + " is not currently associated with hosted zone " + zone.ID + ".",
			}
		case len(zone.VPCs) == 1:
			return wire.Errorf("LastVPCAssociation", "Cannot remove last VPC association for the private zone")
		default:
			edited := *zone
			edited.VPCs = slices.Delete(slices.Clone(zone.VPCs), i, i+1)
			store.HostedZones.Put(tx, &edited)
		}
		out.ChangeInfo = a.recordChange(ctx, tx, aws.ToString(in.Comment))
		return nil
	})
}

// invalidToken returns the error for a token that no list has issued.
func invalidToken() error {
	return wire.Errorf("InvalidPaginationToken", "The specified pagination token is invalid.")
}

// byVPC tokens continue a list of a VPC's zones.
const byVPC = page.Prefix("zones-by-vpc")

// ListHostedZonesByVPC lists the private zones that answer in a VPC, whoever's they are.
func (a *API) ListHostedZonesByVPC(
	ctx context.Context, in *route53.ListHostedZonesByVPCInput,
) (*route53.ListHostedZonesByVPCOutput, error) {
	size, err := pageSize(in.MaxItems, maxZones)
	if err != nil {
		return nil, err
	}
	view := a.Store.Read(ctx)
	vpc, err := ownVPC(ctx, view, &types.VPC{VPCId: in.VPCId, VPCRegion: in.VPCRegion})
	if err != nil {
		return nil, err
	}
	last, ok := byVPC.Last(in.NextToken)
	if !ok {
		return nil, invalidToken()
	}
	id := func(zone *store.HostedZone) string { return zone.ID }
	zones := slices.DeleteFunc(store.HostedZones.List(view), func(zone *store.HostedZone) bool {
		return !zone.AnswersIn(vpc.ID)
	})
	zones, next := page.First(byVPC, page.After(zones, last, id), size, id)
	out := &route53.ListHostedZonesByVPCOutput{
		MaxItems: aws.Int32(int32(size)), NextToken: next, HostedZoneSummaries: []types.HostedZoneSummary{},
	}
	for _, zone := range zones {
		out.HostedZoneSummaries = append(out.HostedZoneSummaries, types.HostedZoneSummary{
			HostedZoneId: aws.String(zone.ID), Name: aws.String(zone.Name),
			Owner: &types.HostedZoneOwner{OwningAccount: aws.String(zone.Region.Account())},
		})
	}
	return out, nil
}

func describeVPCs(vpcs []store.ZoneVPC) (out []types.VPC) {
	for _, vpc := range vpcs {
		out = append(out, types.VPC{VPCId: aws.String(vpc.ID), VPCRegion: types.VPCRegion(vpc.Region)})
	}
	return out
}

// CreateVPCAssociationAuthorization lets another account associate its VPC with a private zone.
func (a *API) CreateVPCAssociationAuthorization(
	ctx context.Context, in *route53.CreateVPCAssociationAuthorizationInput,
) (*route53.CreateVPCAssociationAuthorizationOutput, error) {
	err := a.editAuthorized(ctx, in.HostedZoneId, in.VPC, func(zone *store.HostedZone, vpc store.ZoneVPC) error {
		switch {
		case slices.Contains(zone.AuthorizedVPCs, vpc):
			return nil
		case len(zone.AuthorizedVPCs) >= maxAuthorizations:
			return wire.Errorf("TooManyVPCAssociationAuthorizations",
				"The hosted zone %s cannot have more than %d authorizations.", zone.ID, maxAuthorizations)
		}
		zone.AuthorizedVPCs = append(slices.Clone(zone.AuthorizedVPCs), vpc)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &route53.CreateVPCAssociationAuthorizationOutput{HostedZoneId: in.HostedZoneId, VPC: in.VPC}, nil
}

// DeleteVPCAssociationAuthorization takes an authorization back. A VPC that is associated remains so.
func (a *API) DeleteVPCAssociationAuthorization(
	ctx context.Context, in *route53.DeleteVPCAssociationAuthorizationInput,
) (*route53.DeleteVPCAssociationAuthorizationOutput, error) {
	err := a.editAuthorized(ctx, in.HostedZoneId, in.VPC, func(zone *store.HostedZone, vpc store.ZoneVPC) error {
		i := slices.Index(zone.AuthorizedVPCs, vpc)
		if i < 0 {
			return &wire.Error{
				Code: "VPCAssociationAuthorizationNotFound", Status: http.StatusNotFound,
				Message: "The VPC: " + vpc.ID + " that you specified is not authorized to be associated with the " +
					"hosted zone.",
			}
		}
		zone.AuthorizedVPCs = slices.Delete(slices.Clone(zone.AuthorizedVPCs), i, i+1)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &route53.DeleteVPCAssociationAuthorizationOutput{}, nil
}

// editAuthorized changes the VPCs that a private zone may be associated with.
func (a *API) editAuthorized(
	ctx context.Context, zoneID *string, vpc *types.VPC, edit func(*store.HostedZone, store.ZoneVPC) error,
) error {
	if err := checkVPC(vpc); err != nil {
		return err
	}
	if vpc.VPCRegion == "" {
		return model.Null("vPC.vPCRegion")
	}
	return a.Store.Update(func(tx *store.Tx) error {
		zone, err := findZone(ctx, tx, zoneID)
		if err != nil {
			return err
		}
		if !zone.Private {
			return model.Errorf("The hosted zone %s is not a private hosted zone.", zone.ID)
		}
		edited := *zone
		if err := edit(&edited, store.ZoneVPC{ID: *vpc.VPCId, Region: string(vpc.VPCRegion)}); err != nil {
			return err
		}
		store.HostedZones.Put(tx, &edited)
		return nil
	})
}

// byAuthorization tokens continue a list of a zone's authorizations.
const byAuthorization = page.Prefix("zone-authorizations")

// ListVPCAssociationAuthorizations lists the VPCs that a private zone may be associated with.
func (a *API) ListVPCAssociationAuthorizations(
	ctx context.Context, in *route53.ListVPCAssociationAuthorizationsInput,
) (*route53.ListVPCAssociationAuthorizationsOutput, error) {
	size, err := pageSize(in.MaxResults, maxListed)
	if err != nil {
		return nil, err
	}
	zone, err := findZone(ctx, a.Store.Read(ctx), in.HostedZoneId)
	if err != nil {
		return nil, err
	}
	last, ok := byAuthorization.Last(in.NextToken)
	if !ok {
		return nil, invalidToken()
	}
	key := func(vpc store.ZoneVPC) string { return vpc.ID + " " + vpc.Region }
	vpcs := slices.SortedFunc(slices.Values(zone.AuthorizedVPCs), func(a, b store.ZoneVPC) int {
		return cmp.Compare(key(a), key(b))
	})
	vpcs, next := page.First(byAuthorization, page.After(vpcs, last, key), size, key)
	return &route53.ListVPCAssociationAuthorizationsOutput{
		HostedZoneId: aws.String(zone.ID), NextToken: next, VPCs: append([]types.VPC{}, describeVPCs(vpcs)...),
	}, nil
}
