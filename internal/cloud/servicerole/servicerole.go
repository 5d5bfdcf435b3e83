// Package servicerole has the service-linked roles of the services that the local cloud serves:
// their names and policies, how they come into being, and what they are in use for.
//
// The local cloud's services do not act with these roles. Clients see them, as on AWS, because
// their own policies and configurations refer to them (IAM User Guide, "Service-linked roles").
package servicerole

import (
	"encoding/json"
	"slices"
	"time"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/managedpolicy"
	"aloft.dev/aloft/internal/cloud/store"
)

// The services that create their role at first use.
const (
	AutoScaling   = "autoscaling.amazonaws.com"
	LoadBalancing = "elasticloadbalancing.amazonaws.com"
	Spot          = "spot.amazonaws.com"
)

// Kind is a kind of service-linked roles. A service has one.
type Kind struct {
	Service     string // "autoscaling.amazonaws.com"
	Name        string // of the role: "AWSServiceRoleForAutoScaling"
	Suffixed    bool   // there may be further roles, whose names end in an underscore and a suffix
	description string // of a role that the service creates itself
	policy      string // name of its managed policy
	users       func(r store.Reader, role *store.Role) []user
}

// user is a resource that a role is in use for.
type user struct {
	region identity.Region
	arn    string
}

// All returns the kinds in the order of their services.
func All() []Kind {
	return []Kind{
		{
			Service: AutoScaling, Name: "AWSServiceRoleForAutoScaling", Suffixed: true,
			policy: "AutoScalingServiceRolePolicy",
			description: "Default Service-Linked Role enables access to AWS Services and Resources used or managed " +
				"by Auto Scaling",
			users: scalingGroups,
		},
		{
			Service: "ec2fleet.amazonaws.com", Name: "AWSServiceRoleForEC2Fleet",
			policy: "AWSEC2FleetServiceRolePolicy", users: nobody,
		},
		{
			Service: LoadBalancing, Name: "AWSServiceRoleForElasticLoadBalancing",
			policy:      "AWSElasticLoadBalancingServiceRolePolicy",
			description: "Allows ELB to call AWS services on your behalf.", users: loadBalancers,
		},
		{
			Service: "events.amazonaws.com", Name: "AWSServiceRoleForCloudWatchEvents",
			policy: "CloudWatchEventsServiceRolePolicy", users: nobody,
		},
		{
			Service: Spot, Name: "AWSServiceRoleForEC2Spot", policy: "AWSEC2SpotServiceRolePolicy",
			description: "Default EC2 Spot Service Linked Role", users: spotRequests,
		},
	}
}

// Find returns the kind of a service.
func Find(service string) (Kind, bool) {
	all := All()
	i := slices.IndexFunc(all, func(k Kind) bool { return k.Service == service })
	if i < 0 {
		return Kind{}, false
	}
	return all[i], true
}

// Path returns the path of the kind's roles.
func (k Kind) Path() string { return "/aws-service-role/" + k.Service + "/" }

// ARN returns the ARN of the role with a name in the account of a region.
func (k Kind) ARN(region identity.Region, name string) string {
	return identity.ARN("iam", region.Global(), "role"+k.Path()+name)
}

// sessionLimit is how long sessions of the roles last, in seconds.
const sessionLimit = 3600

// New returns a role of the kind in the account of a region.
func (k Kind) New(region identity.Region, name, id string, now time.Time) *store.Role {
	policy := managedpolicy.Prefix + managedpolicy.ServiceRoles + k.policy
	return &store.Role{
		Name: name, Path: k.Path(), ID: id, ARN: k.ARN(region, name), Service: k.Service, Trust: k.trust(),
		MaxSession: sessionLimit, Created: now.UTC().Truncate(time.Second),
		Permissions: store.Permissions{Attached: []string{policy}},
	}
}

// trust returns the document that lets the service assume the kind's roles.
func (k Kind) trust() string {
	text, _ := json.Marshal(map[string]any{ // texts always encode
		"Version": "2012-10-17",
		"Statement": []any{map[string]any{
			"Effect": "Allow", "Principal": map[string]string{"Service": k.Service}, "Action": "sts:AssumeRole",
		}},
	})
	return string(text)
}

// Exists reports whether the account of a region has the role that a service creates at first use.
func Exists(r store.Reader, region identity.Region, service string) bool {
	k, ok := Find(service)
	if !ok {
		return false
	}
	_, ok = store.Roles.Get(r, store.NameKey(region, k.Name))
	return ok
}

// Ensure creates the role that a service creates at first use, unless the account of a region has
// it.
func Ensure(tx *store.Tx, ids *identity.Source, region identity.Region, service string, now time.Time) {
	k, ok := Find(service)
	if !ok || Exists(tx, region, service) {
		return
	}
	role := k.New(region, k.Name, ids.UniqueID("AROA"), now)
	role.Description = k.description
	store.Roles.Put(tx, role)
}
