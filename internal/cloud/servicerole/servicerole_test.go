package servicerole_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aloft.dev/aloft/internal/cloud/access"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/managedpolicy"
	"aloft.dev/aloft/internal/cloud/policydocument"
	"aloft.dev/aloft/internal/cloud/servicerole"
	"aloft.dev/aloft/internal/cloud/store"
)

const region = identity.Region("eu-west-1")

// fill opens a store with rows.
func fill(t *testing.T, put func(tx *store.Tx)) *store.Store {
	t.Helper()
	s, err := store.Open("")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if err := s.Update(func(tx *store.Tx) error { put(tx); return nil }); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestRolesTrustTheirServiceAndHaveAPolicy(t *testing.T) {
	s := fill(t, func(*store.Tx) {})
	for _, kind := range servicerole.All() {
		role := kind.New(region, kind.Name, "AROA1", time.Unix(1, 5))
		trust, err := policydocument.Parse(policydocument.Trust, role.Trust)
		if err != nil {
			t.Fatalf("%s: %v", kind.Service, err)
		}
		asked := access.Request{Action: "sts:AssumeRole"}
		trusted := access.EvaluateTrust(trust, access.Trustee{Service: kind.Service}, asked)
		if _, ok := managedpolicy.Document(s.View(), role.Attached[0]); !ok || trusted != access.Trusted {
			t.Errorf("%s: the role is %+v", kind.Service, role)
		}
	}
}

func TestAServiceCreatesItsRoleOnce(t *testing.T) {
	ids := identity.New(nil)
	s := fill(t, func(tx *store.Tx) {
		servicerole.Ensure(tx, ids, region, servicerole.LoadBalancing, time.Unix(1, 0))
	})
	key := store.NameKey(region, "AWSServiceRoleForElasticLoadBalancing")
	first, ok := store.Roles.Get(s.View(), key)
	if !ok || first.Service != servicerole.LoadBalancing || first.Description == "" ||
		first.Region() != region.Global() {
		t.Fatalf("the role is %+v", first)
	}
	if err := s.Update(func(tx *store.Tx) error {
		servicerole.Ensure(tx, ids, "us-east-1", servicerole.LoadBalancing, time.Unix(2, 0))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if again, _ := store.Roles.Get(s.View(), key); again.ID != first.ID || len(store.Roles.List(s.View())) != 1 {
		t.Errorf("the role has become %+v", again)
	}
}

func TestRolesAreInUseForTheResourcesOfTheirAccount(t *testing.T) {
	s := fill(t, func(tx *store.Tx) {
		for arn, region := range map[string]identity.Region{
			"arn:b": region, "arn:a": region, "arn:c": "us-east-1",
			"arn:other": identity.RegionOf("111111111111", "us-east-1"),
		} {
			store.LoadBalancers.Put(tx, &store.LoadBalancer{ARN: arn, Name: arn, Region: region})
		}
		for id, state := range map[string]string{"i-1": store.Running, "i-2": store.Terminated} {
			store.Instances.Put(tx, &store.Instance{ID: id, Region: region, State: state})
			store.SpotRequests.Put(tx, &store.SpotRequest{ID: "sir-" + id, Region: region, InstanceID: id})
		}
	})
	for service, want := range map[string][]store.RoleUsage{
		servicerole.LoadBalancing: {
			{Region: "eu-west-1", Resources: []string{"arn:a", "arn:b"}},
			{Region: "us-east-1", Resources: []string{"arn:c"}},
		},
		servicerole.Spot: {{
			Region:    "eu-west-1",
			Resources: []string{"arn:aws:ec2:eu-west-1:000000000000:spot-instances-request/sir-i-1"},
		}},
		servicerole.AutoScaling: nil,
		"":                      nil,
	} {
		role := &store.Role{Service: service, ARN: "arn:aws:iam::000000000000:role/r"}
		if diff := cmp.Diff(want, servicerole.Usage(s.View(), role)); diff != "" {
			t.Errorf("%s: %s", service, diff)
		}
	}
}
