package route53

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"

	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// Quotas of zones and delegation sets (Amazon Route 53 Developer Guide, "Quotas").
const (
	maxRecordSets = 10_000
	maxSetZones   = 100
	maxOwnZones   = 500
	maxOwnSets    = 100
)

// GetHostedZoneLimit returns how many records or VPCs a zone may have, and how many it has.
func (a *API) GetHostedZoneLimit(
	ctx context.Context, in *route53.GetHostedZoneLimitInput,
) (*route53.GetHostedZoneLimitOutput, error) {
	view := a.Store.Read(ctx)
	zone, err := findZone(ctx, view, in.HostedZoneId)
	if err != nil {
		return nil, err
	}
	out := &route53.GetHostedZoneLimitOutput{Limit: &types.HostedZoneLimit{Type: in.Type}}
	switch in.Type {
	case types.HostedZoneLimitTypeMaxRrsetsByZone:
		out.Limit.Value = aws.Int64(maxRecordSets)
		out.Count = int64(len(store.RecordSetsByZone.List(view, zone.ID)))
	case types.HostedZoneLimitTypeMaxVpcsAssociatedByZone:
		if !zone.Private {
			return nil, wire.Errorf("HostedZoneNotPrivate", "The specified hosted zone is a public hosted zone, not a "+
				"private hosted zone.")
		}
		out.Limit.Value, out.Count = aws.Int64(maxVPCs), int64(len(zone.VPCs))
	default:
		return nil, model.OutOfSet("type", in.Type, "MAX_RRSETS_BY_ZONE", "MAX_VPCS_ASSOCIATED_BY_ZONE")
	}
	return out, nil
}

// accountLimits are how much of each an account may have (Amazon Route 53 Developer Guide, Quotas). This cloud has
// neither health checks nor traffic policies.
var accountLimits = map[types.AccountLimitType]int64{
	types.AccountLimitTypeMaxHealthChecksByOwner:           200,
	types.AccountLimitTypeMaxHostedZonesByOwner:            maxOwnZones,
	types.AccountLimitTypeMaxReusableDelegationSetsByOwner: maxOwnSets,
	types.AccountLimitTypeMaxTrafficPoliciesByOwner:        50,
	types.AccountLimitTypeMaxTrafficPolicyInstancesByOwner: 5,
}

// GetAccountLimit returns how much of something an account may have, and how much it has.
func (a *API) GetAccountLimit(
	ctx context.Context, in *route53.GetAccountLimitInput,
) (*route53.GetAccountLimitOutput, error) {
	limit, ok := accountLimits[in.Type]
	if !ok {
		return nil, model.Refuse("type", in.Type, "satisfy enum value set: %v", in.Type.Values())
	}
	view, owner, n := a.Store.Read(ctx), wire.GlobalFrom(ctx), 0
	switch in.Type {
	case types.AccountLimitTypeMaxHostedZonesByOwner:
		n = len(store.HostedZones.InRegion(view, owner))
	case types.AccountLimitTypeMaxReusableDelegationSetsByOwner:
		n = len(store.DelegationSets.InRegion(view, owner))
	}
	return &route53.GetAccountLimitOutput{
		Count: int64(n), Limit: &types.AccountLimit{Type: in.Type, Value: &limit},
	}, nil
}

// GetReusableDelegationSetLimit returns how many zones may have a delegation set, and how many do.
func (a *API) GetReusableDelegationSetLimit(
	ctx context.Context, in *route53.GetReusableDelegationSetLimitInput,
) (*route53.GetReusableDelegationSetLimitOutput, error) {
	const kind = types.ReusableDelegationSetLimitTypeMaxZonesByReusableDelegationSet
	if in.Type != kind {
		return nil, model.OutOfSet("type", in.Type, string(kind))
	}
	view := a.Store.Read(ctx)
	set, err := findDelegationSet(ctx, view, in.DelegationSetId)
	if err != nil {
		return nil, err
	}
	return &route53.GetReusableDelegationSetLimitOutput{
		Count: zonesOf(view, set), Limit: &types.ReusableDelegationSetLimit{Type: kind, Value: aws.Int64(maxSetZones)},
	}, nil
}

// ListHealthChecks lists no health checks: none can be made. Clients ask in passing.
func (a *API) ListHealthChecks(
	_ context.Context, in *route53.ListHealthChecksInput,
) (*route53.ListHealthChecksOutput, error) {
	size, err := pageSize(in.MaxItems, maxZones)
	if err != nil {
		return nil, err
	}
	return &route53.ListHealthChecksOutput{
		HealthChecks: []types.HealthCheck{}, Marker: aws.String(aws.ToString(in.Marker)),
		MaxItems: aws.Int32(int32(size)),
	}, nil
}

// GetHealthCheckCount returns the number of health checks: none can be made.
func (a *API) GetHealthCheckCount(
	_ context.Context, _ *route53.GetHealthCheckCountInput,
) (*route53.GetHealthCheckCountOutput, error) {
	return &route53.GetHealthCheckCountOutput{HealthCheckCount: aws.Int64(0)}, nil
}

// ListQueryLoggingConfigs lists no configurations: queries are not logged. Clients ask in passing.
func (a *API) ListQueryLoggingConfigs(
	ctx context.Context, in *route53.ListQueryLoggingConfigsInput,
) (*route53.ListQueryLoggingConfigsOutput, error) {
	if _, err := pageSize(in.MaxResults, maxZones); err != nil {
		return nil, err
	}
	if aws.ToString(in.NextToken) != "" {
		return nil, invalidToken()
	}
	if in.HostedZoneId != nil {
		if _, err := findZone(ctx, a.Store.Read(ctx), in.HostedZoneId); err != nil {
			return nil, err
		}
	}
	return &route53.ListQueryLoggingConfigsOutput{QueryLoggingConfigs: []types.QueryLoggingConfig{}}, nil
}
