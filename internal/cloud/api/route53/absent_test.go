package route53_test

import (
	"testing"

	client "github.com/aws/aws-sdk-go-v2/service/route53"
)

func TestThereAreNoTrafficPolicies(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	zone := w.zone("example.com")
	policies, err := w.ListTrafficPolicies(ctx, &client.ListTrafficPoliciesInput{})
	if err != nil || len(policies.TrafficPolicySummaries) != 0 || policies.IsTruncated {
		t.Errorf("got %+v, %v", policies, err)
	}
	instances, err := w.ListTrafficPolicyInstances(ctx, &client.ListTrafficPolicyInstancesInput{})
	if err != nil || len(instances.TrafficPolicyInstances) != 0 || instances.IsTruncated {
		t.Errorf("got %+v, %v", instances, err)
	}
	count, err := w.GetTrafficPolicyInstanceCount(ctx, &client.GetTrafficPolicyInstanceCountInput{})
	if err != nil || *count.TrafficPolicyInstanceCount != 0 {
		t.Errorf("got %+v, %v", count, err)
	}
	collections, err := w.ListCidrCollections(ctx, &client.ListCidrCollectionsInput{})
	if err != nil || len(collections.CidrCollections) != 0 {
		t.Errorf("got %+v, %v", collections, err)
	}
	for id, known := range map[string]bool{zone: true, "Z0": false} {
		_, err := w.ListTrafficPolicyInstancesByHostedZone(ctx, &client.ListTrafficPolicyInstancesByHostedZoneInput{
			HostedZoneId: &id,
		})
		if (err == nil) != known {
			t.Errorf("of zone %s: %v", id, err)
		}
	}
	for name, err := range map[string]error{
		"size": func() error {
			_, err := w.ListTrafficPolicies(ctx, &client.ListTrafficPoliciesInput{MaxItems: new(int32(0))})
			return err
		}(),
		"token": func() error {
			_, err := w.ListCidrCollections(ctx, &client.ListCidrCollectionsInput{NextToken: new("x")})
			return err
		}(),
	} {
		if err == nil {
			t.Errorf("an unknown %s is accepted", name)
		}
	}
}
