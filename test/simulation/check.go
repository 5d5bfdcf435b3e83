//go:build linux

package simulation

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"aloft.dev/aloft/internal/apply"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/test/invariant"
)

// NothingLeft checks every table: all resources of the deployment are gone.
func NothingLeft(t *testing.T, c *Cloud) {
	t.Helper()
	view := c.Store.View()
	Consistent(t, view)
	for _, vpc := range store.VPCs.List(view) {
		if !vpc.IsDefault {
			t.Errorf("VPC %s is left", vpc.ID)
		}
	}
	for _, i := range store.Instances.List(view) {
		if i.State != store.Terminated {
			t.Errorf("instance %s is left", i.ID)
		}
	}
	for _, image := range store.Images.List(view) {
		if !image.Public {
			t.Errorf("image %s is left", image.Name)
		}
	}
	for what, n := range map[string]int{
		"load balancers":      len(store.LoadBalancers.List(view)),
		"target groups":       len(store.TargetGroups.List(view)),
		"listeners":           len(store.Listeners.List(view)),
		"launch templates":    len(store.LaunchTemplates.List(view)),
		"Auto Scaling groups": len(store.ScalingGroups.List(view)),
		"policies":            len(store.ScalingPolicies.List(view)),
		"schedules":           len(store.ScheduledActions.List(view)),
		"alarms":              len(store.Alarms.List(view)),
		"topics":              len(store.Topics.List(view)),
		"subscriptions":       len(store.Subscriptions.List(view)),
		"targets":             len(store.Targets.List(view)),
		"key pairs":           len(store.KeyPairs.List(view)),
		"endpoints":           len(store.InstanceConnectEndpoints.List(view)),
		"network interfaces":  len(store.NetworkInterfaces.List(view)),
		"Elastic IPs":         len(store.ElasticIPs.List(view)),
		"roles":               len(Roles(view)),
		"instance profiles":   len(store.InstanceProfiles.List(view)),
		"certificates":        len(store.Certificates.List(view)),
	} {
		if n != 0 {
			t.Errorf("%d %s are left", n, what)
		}
	}
	for _, set := range store.RecordSets.List(view) {
		if set.Type != "NS" && set.Type != "SOA" {
			t.Errorf("the record %s %s is left", set.Name, set.Type)
		}
	}
	for _, p := range store.Parameters.List(view) {
		if strings.HasPrefix(p.Name, "/aloft/tutorial/") {
			t.Errorf("%s is left: %s", p.Name, p.Value)
		}
	}
}

// Consistent checks that the rows agree with each other.
func Consistent(t *testing.T, view store.Reader) {
	t.Helper()
	for _, difference := range invariant.Rows(view) {
		t.Error(difference)
	}
}

// Eventually waits up to a minute for a condition and fails the test if it does
// not hold by then.
func Eventually(t *testing.T, ok func() bool) {
	t.Helper()
	if !Happens(ok) {
		t.Fatal("the condition did not hold within a minute")
	}
}

// Happens waits up to a minute for a condition and reports whether it held.
func Happens(ok func() bool) bool {
	for began := time.Now(); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Since(began) > time.Minute {
			return false
		}
	}
	return true
}

// EverythingOnce checks that the cloud holds each resource of the tutorial once, or of the
// tutorial with private servers and one NAT gateway. A run need not wait for instances
// that an earlier one terminated, so EverythingOnce does.
func EverythingOnce(t *testing.T, c *Cloud) {
	t.Helper()
	Eventually(t, func() bool {
		return !slices.ContainsFunc(store.Instances.List(c.Store.View()), func(x *store.Instance) bool {
			return x.State == store.ShuttingDown
		})
	})
	view := c.Store.View()
	Consistent(t, view)
	network := tutorialVPC(t, view)
	subnets, gateways, tables, groups, temporary, private, nat := 0, 0, 0, 0, 0, 0, 0
	for _, x := range store.NatGateways.List(view) {
		private, nat = 3, nat+one(x.Forwards())
	}
	for _, x := range store.Subnets.List(view) {
		subnets += one(x.VPCID == network)
	}
	for _, x := range store.InternetGateways.List(view) {
		gateways += one(x.VPCID == network || x.VPCID == "")
	}
	for _, x := range store.RouteTables.List(view) {
		tables += one(x.VPCID == network)
	}
	for _, x := range store.SecurityGroups.List(view) {
		groups += one(x.VPCID == network)
		for _, rule := range x.Rules {
			temporary += one(rule.Description == "aloft:temporary")
		}
	}
	instances, targets := running(view)
	endpoints := len(store.InstanceConnectEndpoints.List(view)) // with one, there is no key pair, and one group more
	for _, count := range []struct {
		what      string
		got, want int
	}{
		{"subnets", subnets, 3 + private}, {"internet gateways", gateways, 1},
		{"route tables, with the main one", tables, 2 + private},
		{"security groups, with the default one", groups, 4 + endpoints},
		{"temporary rules", temporary, 0}, {"instances", instances, 3}, {"targets", targets, 3},
		{"key pairs and endpoints", len(store.KeyPairs.List(view)) + endpoints, 1},
		{"listeners", len(store.Listeners.List(view)), 1},
		{"load balancers", len(store.LoadBalancers.List(view)), 1},
		{"target groups", len(store.TargetGroups.List(view)), 1},
		{"NAT gateways", nat, private / 3}, {"Elastic IPs", len(store.ElasticIPs.List(view)), private / 3},
	} {
		if count.got != count.want {
			t.Errorf("%d %s, want %d", count.got, count.what, count.want)
		}
	}
}

func one(condition bool) int {
	if condition {
		return 1
	}
	return 0
}

// tutorialVPC returns the only VPC that is not a default one.
func tutorialVPC(t *testing.T, view store.Reader) string {
	t.Helper()
	var ids []string
	for _, vpc := range store.VPCs.List(view) {
		if !vpc.IsDefault {
			ids = append(ids, vpc.ID)
		}
	}
	if len(ids) != 1 {
		t.Errorf("VPCs %v, want one", ids)
		return ""
	}
	return ids[0]
}

// running counts the instances that are not terminated, and their targets. Targets of
// terminated instances stay visible as long as the instances.
func running(view store.Reader) (instances, targets int) {
	for _, x := range store.Instances.List(view) {
		instances += one(x.State != store.Terminated)
	}
	for _, x := range store.Targets.List(view) {
		i, ok := store.Instances.Get(view, x.ID)
		targets += one(ok && i.State != store.Terminated)
	}
	return instances, targets
}

// RolledBack checks that err reports a failed release that was rolled back, and
// returns the text that the user reads.
func RolledBack(t *testing.T, err error) string {
	t.Helper()
	var f *apply.Failure
	if !errors.As(err, &f) {
		t.Fatalf("want a release that failed and was rolled back, got %v", err)
	}
	var text strings.Builder
	for _, d := range diag.From(err) {
		text.WriteString(d.Error() + "\n" + d.Detail + "\n" + d.Hint + "\n")
	}
	return text.String()
}

// Contains checks that a text contains all of the words.
func Contains(t *testing.T, text string, words ...string) {
	t.Helper()
	for _, word := range words {
		if !strings.Contains(text, word) {
			t.Errorf("%q is not in\n%s", word, text)
		}
	}
}

// Must is the answer of a call that has to succeed.
func Must[T any](out T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
}

// Roles returns the roles that are no service's. Those of services stay, as on AWS.
func Roles(r store.Reader) []*store.Role {
	return slices.DeleteFunc(store.Roles.List(r), func(row *store.Role) bool { return row.Service != "" })
}
