package ec2

import (
	"cmp"
	"context"
	"net/netip"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/quota"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// Times of a peering connection's life (Amazon VPC Peering Guide, "VPC peering connection
// lifecycle").
const (
	peeringOffer     = 7 * 24 * time.Hour // after which a request expires
	peeringRetention = 2 * time.Hour      // for which a connection that ended can be described
)

type peering = *store.PeeringConnection

var peerings = resourceType[store.PeeringConnection]{
	table: store.PeeringConnections, kind: types.ResourceTypeVpcPeeringConnection, prefix: "pcx-",
	notFoundCode: "InvalidVpcPeeringConnectionID.NotFound", notFoundText: "The vpcPeeringConnection ID",
	malformedCode: "InvalidVpcPeeringConnectionId.Malformed",
	key:           func(row peering) (identity.Region, string) { return row.Region, row.ID },
	tags:          func(row peering) *store.Tags { return &row.Tags },
	shared: func(row peering, region identity.Region) bool {
		return row.RegionOf(row.Accepter) == region && row.State != store.PeeringFailed
	},
	at: peeringAt,
	filters: withTagFilters(func(row peering) store.Tags { return row.Tags }, filters[peering]{
		"accepter-vpc-info.cidr-block": func(_ store.Reader, row peering) []string { return blockTexts(row.Accepter) },
		"accepter-vpc-info.owner-id":   field(func(row peering) string { return row.RegionOf(row.Accepter).Account() }),
		"accepter-vpc-info.vpc-id":     field(func(row peering) string { return row.Accepter.VPCID }),
		"expiration-time": field(
			func(row peering) string { return filterTime(row.Created.Add(peeringOffer)) },
		),
		"requester-vpc-info.cidr-block": func(_ store.Reader, row peering) []string {
			return blockTexts(row.Requester)
		},
		"requester-vpc-info.owner-id": field(func(row peering) string { return row.Region.Account() }),
		"requester-vpc-info.vpc-id":   field(func(row peering) string { return row.Requester.VPCID }),
		"status-code":                 field(func(row peering) string { return row.State }),
		"status-message":              field(func(row peering) string { return row.Message }),
		"vpc-peering-connection-id":   field(func(row peering) string { return row.ID }),
	}),
}

func blockTexts(side store.PeeringSide) []string {
	return list(side.CIDRs, func(block netip.Prefix) string { return block.String() })
}

// peeringAt returns a connection as it appears at a time: a request that nobody accepts
// expires.
func peeringAt(row peering, at time.Time) peering {
	expires := row.Created.Add(peeringOffer)
	if row.State != store.PeeringPending || at.Before(expires) {
		return row
	}
	expired := *row
	expired.State, expired.EndedAt = store.PeeringExpired, expires
	expired.Message = "Expired"
	return &expired
}

// CreateVpcPeeringConnection requests a connection of two VPCs. Whether they can be connected
// shows afterwards, as its status.
func (a *API) CreateVpcPeeringConnection(
	ctx context.Context, in *ec2.CreateVpcPeeringConnectionInput,
) (*ec2.CreateVpcPeeringConnectionOutput, error) {
	if err := required(parameter{"vpcId", in.VpcId}, parameter{"peerVpcId", in.PeerVpcId}); err != nil {
		return nil, err
	}
	here := wire.RegionFrom(ctx)
	owner := cmp.Or(aws.ToString(in.PeerOwnerId), here.Account())
	if err := unsupported(map[string]bool{
		"peerOwnerId": owner != here.Account() && !a.Simulated, // there is no other account
		"peerRegion":  in.PeerRegion != nil && *in.PeerRegion != here.Name(),
	}); err != nil {
		return nil, err
	}
	tags, err := tagsOfSpecifications(in.TagSpecifications, types.ResourceTypeVpcPeeringConnection)
	if err != nil {
		return nil, err
	}
	out := &ec2.CreateVpcPeeringConnectionOutput{}
	return out, a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		requester, err := vpcs.get(tx, region, *in.VpcId)
		if err != nil {
			return err
		}
		accepter, err := vpcs.get(tx, identity.RegionOf(owner, region.Name()), *in.PeerVpcId)
		if err != nil && owner == region.Account() {
			return err
		}
		a.forgetPeerings(tx, region)
		if err := a.checkNewPeering(tx, requester, *in.PeerVpcId); err != nil {
			return err
		}
		row := &store.PeeringConnection{
			ID: a.ids.ID(peerings.prefix), Region: region, Created: a.Now().UTC(),
			Requester: store.PeeringSide{
				VPCID: requester.ID, Account: region.Account(), CIDRs: requester.Blocks(),
			},
			Accepter: store.PeeringSide{VPCID: *in.PeerVpcId, Account: owner},
			State:    store.PeeringPending, Message: "Pending Acceptance by " + owner,
			Tags: tags[types.ResourceTypeVpcPeeringConnection],
		}
		// A requester does not learn which VPCs another account has: the connection fails later.
		connects := accepter != nil && !overlap(requester.Blocks(), accepter.Blocks())
		if accepter != nil {
			row.Accepter.CIDRs = accepter.Blocks()
		}
		item := peeringItem(tx)(row)
		item.Status = &types.VpcPeeringConnectionStateReason{
			Code:    types.VpcPeeringConnectionStateReasonCodeInitiatingRequest,
			Message: aws.String("Initiating Request to " + owner),
		}
		out.VpcPeeringConnection = &item
		store.PeeringConnections.Put(tx, row)
		if !connects {
			a.endPeering(tx, row, store.PeeringFailed,
				"Failed due to incorrect VPC-ID, Account ID, or overlapping CIDR range")
		}
		return nil
	})
}

// checkNewPeering refuses a connection of a VPC with itself, one that exists, and one too many.
func (a *API) checkNewPeering(r store.Reader, requester *store.VPC, accepterID string) error {
	if requester.ID == accepterID {
		return wire.Errorf("InvalidParameterValue", "The VPC %s cannot be peered with itself.", requester.ID)
	}
	count := 1
	for _, row := range store.PeeringConnectionsByVPC.List(r, requester.ID) {
		row = peeringAt(row, a.Now())
		if !row.EndedAt.IsZero() {
			continue
		}
		if row.Other(requester.ID).VPCID == accepterID {
			return wire.Errorf("VpcPeeringConnectionAlreadyExists",
				"A VPC peering connection between the VPCs %s and %s already exists: %s",
				requester.ID, accepterID, row.ID)
		}
		count++
	}
	return a.limit(quota.PeeringConnections, count, "VpcPeeringConnectionLimitExceeded", "VPC peering connections")
}

// forgetPeerings deletes the connections of a region that ended long ago.
func (a *API) forgetPeerings(tx *store.Tx, region identity.Region) {
	for _, row := range store.PeeringConnections.InRegion(tx, region) {
		if a.isForgotten(row) {
			store.PeeringConnections.Delete(tx, row.ID)
		}
	}
}

func (a *API) isForgotten(row peering) bool {
	ended := peeringAt(row, a.Now()).EndedAt
	return !ended.IsZero() && a.Now().Sub(ended) > peeringRetention
}

// endPeering brings a connection into a state in which it carries nothing.
func (a *API) endPeering(tx *store.Tx, row peering, state, message string) {
	store.PeeringConnections.Edit(tx, row.ID, func(row *store.PeeringConnection) {
		if row.EndedAt.IsZero() {
			row.State, row.Message, row.EndedAt = state, message, a.Now().UTC()
		}
	})
}

// AcceptVpcPeeringConnection makes a requested connection carry what routes lead to it.
func (a *API) AcceptVpcPeeringConnection(
	ctx context.Context, in *ec2.AcceptVpcPeeringConnectionInput,
) (*ec2.AcceptVpcPeeringConnectionOutput, error) {
	out, id := &ec2.AcceptVpcPeeringConnectionOutput{}, in.VpcPeeringConnectionId
	return out, a.changePeering(ctx, in.DryRun, id, func(tx *store.Tx, region identity.Region, row peering) error {
		if row.State != store.PeeringPending {
			return peeringTransition(row, "active")
		}
		if err := checkAccepter(row, region, "accept"); err != nil {
			return err
		}
		store.PeeringConnections.Edit(tx, row.ID, func(row *store.PeeringConnection) {
			row.State, row.Message = store.PeeringActive, "Active"
		})
		row, err := peerings.get(tx, region, row.ID)
		if err != nil {
			return err
		}
		item := peeringItem(tx)(row)
		item.Status = &types.VpcPeeringConnectionStateReason{
			Code: types.VpcPeeringConnectionStateReasonCodeProvisioning, Message: aws.String("Provisioning"),
		}
		out.VpcPeeringConnection = &item
		return nil
	})
}

// RejectVpcPeeringConnection refuses a requested connection.
func (a *API) RejectVpcPeeringConnection(
	ctx context.Context, in *ec2.RejectVpcPeeringConnectionInput,
) (*ec2.RejectVpcPeeringConnectionOutput, error) {
	out, id := &ec2.RejectVpcPeeringConnectionOutput{Return: aws.Bool(true)}, in.VpcPeeringConnectionId
	return out, a.changePeering(ctx, in.DryRun, id, func(tx *store.Tx, region identity.Region, row peering) error {
		if row.State != store.PeeringPending {
			return peeringTransition(row, "rejected")
		}
		if err := checkAccepter(row, region, "reject"); err != nil {
			return err
		}
		a.endPeering(tx, row, store.PeeringRejected, "Rejected by "+region.Account())
		return nil
	})
}

// DeleteVpcPeeringConnection ends a connection, or takes back the request for one.
func (a *API) DeleteVpcPeeringConnection(
	ctx context.Context, in *ec2.DeleteVpcPeeringConnectionInput,
) (*ec2.DeleteVpcPeeringConnectionOutput, error) {
	out, id := &ec2.DeleteVpcPeeringConnectionOutput{Return: aws.Bool(true)}, in.VpcPeeringConnectionId
	return out, a.changePeering(ctx, in.DryRun, id, func(tx *store.Tx, region identity.Region, row peering) error {
		// Only the requester can take back a request.
		if row.State != store.PeeringActive && (row.State != store.PeeringPending || row.Region != region) {
			return peeringTransition(row, "deleting")
		}
		a.endPeering(tx, row, store.PeeringDeleted, "Deleted by "+region.Account())
		return nil
	})
}

// checkAccepter refuses what only the account of the accepter's VPC may do.
func checkAccepter(row peering, region identity.Region, action string) error {
	if row.RegionOf(row.Accepter) == region {
		return nil
	}
	return wire.Errorf("OperationNotPermitted", "User %s cannot %s peering %s", region.Account(), action, row.ID)
}

func peeringTransition(row peering, to string) error {
	return wire.Errorf("InvalidStateTransition",
		"Invalid state transition for %s, attempted to transition from %s to %s", row.ID, row.State, to)
}

// changePeering runs an operation on a connection, which it passes as it appears now.
func (a *API) changePeering(
	ctx context.Context, dryRun *bool, id *string, do func(tx *store.Tx, region identity.Region, row peering) error,
) error {
	if err := required(parameter{"vpcPeeringConnectionId", id}); err != nil {
		return err
	}
	return a.change(ctx, dryRun, func(tx *store.Tx, region identity.Region) error {
		row, err := peerings.get(tx, region, *id)
		if err != nil {
			return err
		}
		return do(tx, region, peeringAt(row, a.Now()))
	})
}

// DescribeVpcPeeringConnections lists connections, and for a while those that ended.
func (a *API) DescribeVpcPeeringConnections(
	ctx context.Context, in *ec2.DescribeVpcPeeringConnectionsInput,
) (*ec2.DescribeVpcPeeringConnectionsOutput, error) {
	view, region, err := a.read(ctx, in.DryRun)
	if err != nil {
		return nil, err
	}
	pages := pageRequest{in.MaxResults, in.NextToken}
	if err := pages.check("vpcPeeringConnectionIds", len(in.VpcPeeringConnectionIds) > 0); err != nil {
		return nil, err
	}
	rows, _, err := peerings.describe(view, region, describeQuery{
		ids: in.VpcPeeringConnectionIds, filters: in.Filters, at: a.Now(),
	})
	if err != nil {
		return nil, err
	}
	if i := slices.IndexFunc(rows, a.isForgotten); i >= 0 && len(in.VpcPeeringConnectionIds) > 0 {
		return nil, peerings.notFound(rows[i].ID)
	}
	rows, next, err := paginate(pages, slices.DeleteFunc(rows, a.isForgotten), peerings.id)
	if err != nil {
		return nil, err
	}
	return &ec2.DescribeVpcPeeringConnectionsOutput{
		VpcPeeringConnections: list(rows, peeringItem(view)), NextToken: next,
	}, nil
}

func peeringItem(r store.Reader) func(peering) types.VpcPeeringConnection {
	return func(row peering) types.VpcPeeringConnection {
		item := types.VpcPeeringConnection{
			VpcPeeringConnectionId: aws.String(row.ID),
			RequesterVpcInfo:       peeringSideItem(r, row, row.Requester, true),
			AccepterVpcInfo:        peeringSideItem(r, row, row.Accepter, row.State == store.PeeringActive),
			Status: &types.VpcPeeringConnectionStateReason{
				Code: types.VpcPeeringConnectionStateReasonCode(row.State), Message: aws.String(row.Message),
			},
			Tags: tagSet(row.Tags),
		}
		if row.State == store.PeeringPending {
			item.ExpirationTime = aws.Time(row.Created.Add(peeringOffer))
		}
		return item
	}
}

// peeringSideItem describes a VPC of a connection. The blocks of the accepter's VPC are not
// told before it has accepted.
func peeringSideItem(
	r store.Reader, row peering, side store.PeeringSide, withBlocks bool,
) *types.VpcPeeringConnectionVpcInfo {
	item := &types.VpcPeeringConnectionVpcInfo{
		OwnerId: aws.String(row.RegionOf(side).Account()), VpcId: aws.String(side.VPCID),
		Region: aws.String(row.Region.Name()),
	}
	if !withBlocks {
		return item
	}
	blocks := side.CIDRs
	if vpc, ok := store.VPCs.Get(r, side.VPCID); ok {
		blocks = vpc.Blocks()
		item.Ipv6CidrBlockSet = list(vpc.IPv6Blocks(), func(block netip.Prefix) types.Ipv6CidrBlock {
			return types.Ipv6CidrBlock{Ipv6CidrBlock: aws.String(block.String())}
		})
	}
	item.CidrBlock = aws.String(blocks[0].String())
	item.CidrBlockSet = list(blocks, func(block netip.Prefix) types.CidrBlock {
		return types.CidrBlock{CidrBlock: aws.String(block.String())}
	})
	item.PeeringOptions = &types.VpcPeeringConnectionOptionsDescription{
		AllowDnsResolutionFromRemoteVpc:            aws.Bool(side.ResolvesNames),
		AllowEgressFromLocalClassicLinkToRemoteVpc: aws.Bool(false),
		AllowEgressFromLocalVpcToRemoteClassicLink: aws.Bool(false),
	}
	return item
}

// ModifyVpcPeeringConnectionOptions says whether names of one side resolve on the other.
func (a *API) ModifyVpcPeeringConnectionOptions(
	ctx context.Context, in *ec2.ModifyVpcPeeringConnectionOptionsInput,
) (*ec2.ModifyVpcPeeringConnectionOptionsOutput, error) {
	requester, accepter := in.RequesterPeeringConnectionOptions, in.AccepterPeeringConnectionOptions
	if requester == nil && accepter == nil {
		return nil, missingParameter("accepterPeeringConnectionOptions")
	}
	out, id := &ec2.ModifyVpcPeeringConnectionOptionsOutput{}, in.VpcPeeringConnectionId
	return out, a.changePeering(ctx, in.DryRun, id, func(tx *store.Tx, region identity.Region, row peering) error {
		if row.State != store.PeeringActive {
			return wire.Errorf("OperationNotPermitted", "Peering %s is not active. Peering options can be added only "+
				"to active peerings.", row.ID)
		}
		for _, side := range []struct {
			name    string
			of      store.PeeringSide
			options *types.PeeringConnectionOptionsRequest
			edit    func(*store.PeeringConnection, bool)
			answer  **types.PeeringConnectionOptions
		}{
			{
				"requester", row.Requester, requester,
				func(row *store.PeeringConnection, on bool) { row.Requester.ResolvesNames = on },
				&out.RequesterPeeringConnectionOptions,
			},
			{
				"accepter", row.Accepter, accepter,
				func(row *store.PeeringConnection, on bool) { row.Accepter.ResolvesNames = on },
				&out.AccepterPeeringConnectionOptions,
			},
		} {
			switch {
			case side.options == nil:
				continue
			case row.RegionOf(side.of) != region:
				return wire.Errorf("OperationNotPermitted", "User %s does not have permission to modify the %s side "+
					"peering options", region.Account(), side.name)
			}
			if err := unsupported(map[string]bool{
				"allowEgressFromLocalClassicLinkToRemoteVpc": aws.ToBool(
					side.options.AllowEgressFromLocalClassicLinkToRemoteVpc,
				),
				"allowEgressFromLocalVpcToRemoteClassicLink": aws.ToBool(
					side.options.AllowEgressFromLocalVpcToRemoteClassicLink,
				),
			}); err != nil {
				return err
			}
			if on := side.options.AllowDnsResolutionFromRemoteVpc; on != nil {
				store.PeeringConnections.Edit(tx, row.ID, func(row *store.PeeringConnection) { side.edit(row, *on) })
			}
			*side.answer = &types.PeeringConnectionOptions{
				AllowDnsResolutionFromRemoteVpc: side.options.AllowDnsResolutionFromRemoteVpc,
			}
		}
		return nil
	})
}
