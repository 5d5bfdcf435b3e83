package servicerole

import (
	"cmp"
	"slices"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
)

// Usage returns the resources that a service-linked role is in use for, region by region. Such a role cannot be
// deleted.
func Usage(r store.Reader, role *store.Role) []store.RoleUsage {
	k, ok := Find(role.Service)
	if !ok {
		return nil
	}
	users := slices.DeleteFunc(k.users(r, role), func(u user) bool {
		return u.region.Account() != role.Region().Account()
	})
	slices.SortFunc(users, func(a, b user) int {
		return cmp.Or(cmp.Compare(a.region.Name(), b.region.Name()), cmp.Compare(a.arn, b.arn))
	})
	var out []store.RoleUsage
	for _, u := range users {
		if len(out) == 0 || out[len(out)-1].Region != u.region.Name() {
			out = append(out, store.RoleUsage{Region: u.region.Name()})
		}
		last := &out[len(out)-1]
		last.Resources = append(last.Resources, u.arn)
	}
	return out
}

func nobody(store.Reader, *store.Role) []user { return nil }

func loadBalancers(r store.Reader, _ *store.Role) []user {
	var out []user
	for _, lb := range store.LoadBalancers.List(r) {
		out = append(out, user{lb.Region, lb.ARN})
	}
	return out
}

func scalingGroups(r store.Reader, role *store.Role) []user {
	var out []user
	for _, g := range store.ScalingGroups.List(r) {
		if g.ServiceLinkedRoleARN == role.ARN {
			out = append(out, user{g.Region, g.ARN})
		}
	}
	return out
}

// spotRequests returns the requests whose instances are not terminated.
func spotRequests(r store.Reader, _ *store.Role) []user {
	var out []user
	for _, row := range store.SpotRequests.List(r) {
		instance, ok := store.Instances.Get(r, row.InstanceID)
		if ok && instance.State != store.Terminated {
			out = append(out, user{row.Region, identity.ARN("ec2", row.Region, "spot-instances-request/"+row.ID)})
		}
	}
	return out
}
