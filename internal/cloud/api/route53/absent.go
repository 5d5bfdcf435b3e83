package route53

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"
)

// Clients ask about what the local cloud has none of, because no operation of it makes one. The truthful answer is an
// empty list.

// ListTrafficPolicies lists the traffic policies.
func (a *API) ListTrafficPolicies(
	_ context.Context, in *route53.ListTrafficPoliciesInput,
) (*route53.ListTrafficPoliciesOutput, error) {
	size, err := pageSize(in.MaxItems, maxZones)
	return &route53.ListTrafficPoliciesOutput{
		TrafficPolicySummaries: []types.TrafficPolicySummary{}, MaxItems: aws.Int32(int32(size)),
		TrafficPolicyIdMarker: aws.String(""),
	}, err
}

// ListTrafficPolicyInstances lists the instances of traffic policies.
func (a *API) ListTrafficPolicyInstances(
	_ context.Context, in *route53.ListTrafficPolicyInstancesInput,
) (*route53.ListTrafficPolicyInstancesOutput, error) {
	size, err := pageSize(in.MaxItems, maxZones)
	return &route53.ListTrafficPolicyInstancesOutput{
		TrafficPolicyInstances: []types.TrafficPolicyInstance{}, MaxItems: aws.Int32(int32(size)),
	}, err
}

// ListTrafficPolicyInstancesByHostedZone lists the instances of traffic policies in a hosted zone.
func (a *API) ListTrafficPolicyInstancesByHostedZone(
	ctx context.Context, in *route53.ListTrafficPolicyInstancesByHostedZoneInput,
) (*route53.ListTrafficPolicyInstancesByHostedZoneOutput, error) {
	size, err := pageSize(in.MaxItems, maxZones)
	if err != nil {
		return nil, err
	}
	_, err = findZone(ctx, a.Store.Read(ctx), in.HostedZoneId)
	return &route53.ListTrafficPolicyInstancesByHostedZoneOutput{
		TrafficPolicyInstances: []types.TrafficPolicyInstance{}, MaxItems: aws.Int32(int32(size)),
	}, err
}

// GetTrafficPolicyInstanceCount returns the number of instances of traffic policies.
func (a *API) GetTrafficPolicyInstanceCount(
	context.Context, *route53.GetTrafficPolicyInstanceCountInput,
) (*route53.GetTrafficPolicyInstanceCountOutput, error) {
	return &route53.GetTrafficPolicyInstanceCountOutput{TrafficPolicyInstanceCount: aws.Int32(0)}, nil
}

// ListCidrCollections lists the collections of blocks for routing by client address.
func (a *API) ListCidrCollections(
	_ context.Context, in *route53.ListCidrCollectionsInput,
) (*route53.ListCidrCollectionsOutput, error) {
	if _, err := pageSize(in.MaxResults, maxZones); err != nil {
		return nil, err
	}
	if aws.ToString(in.NextToken) != "" {
		return nil, invalidToken()
	}
	return &route53.ListCidrCollectionsOutput{CidrCollections: []types.CollectionSummary{}}, nil
}
