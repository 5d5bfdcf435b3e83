//go:build linux

package invariant_test

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/test/invariant"
	"aloft.dev/aloft/test/simulation"
)

// TestADeploymentIsConsistent checks that the rows of a real deployment are right.
func TestADeploymentIsConsistent(t *testing.T) {
	t.Parallel()
	c := simulation.NewApplication(t)
	if found := invariant.Rows(c.Store.View()); found != nil {
		t.Error(found)
	}
}

// errUndone makes a transaction change nothing.
var errUndone = errors.New("undone")

// TestBrokenRowsAreReported breaks the rows of a deployment, one thing at a time.
func TestBrokenRowsAreReported(t *testing.T) {
	t.Parallel()
	app := simulation.NewApplication(t)
	app.StopLoops()
	view := app.Store.View()
	instance := store.Instances.List(view)[0]
	n := store.NetworkInterfaces.List(view)[0]
	lb := store.LoadBalancers.List(view)[0]
	group := store.TargetGroups.List(view)[0]
	for _, test := range []struct {
		want  string
		spoil func(tx *store.Tx)
	}{
		{"which does not exist", func(tx *store.Tx) { store.Instances.Delete(tx, instance.ID) }},
		{"which does not exist", func(tx *store.Tx) { store.TargetGroups.Delete(tx, group.ARN) }},
		{"which does not exist", func(tx *store.Tx) { store.LoadBalancers.Delete(tx, lb.ARN) }},
		{"which does not exist", func(tx *store.Tx) { store.NetworkInterfaces.Delete(tx, n.ID) }},
		{"which does not exist", func(tx *store.Tx) { store.Subnets.Delete(tx, n.SubnetID) }},
		{"both have the private address", func(tx *store.Tx) {
			twin := *n
			twin.ID = "eni-twin"
			store.NetworkInterfaces.Put(tx, &twin)
		}},
		{"outside of its subnet", func(tx *store.Tx) {
			store.NetworkInterfaces.Edit(tx, n.ID, func(row *store.NetworkInterface) {
				row.PrivateIP = netip.MustParseAddr("192.0.2.1")
			})
		}},
		{"has 0 main route tables", func(tx *store.Tx) {
			for _, table := range store.RouteTablesByVPC.List(tx, n.VPCID) {
				store.RouteTables.Delete(tx, table.ID)
			}
		}},
	} {
		var found []string
		if err := app.Store.Update(func(tx *store.Tx) error {
			test.spoil(tx)
			found = invariant.Rows(tx)
			return errUndone
		}); !errors.Is(err, errUndone) {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(found, func(line string) bool { return strings.Contains(line, test.want) }) {
			t.Errorf("no difference contains %q: %q", test.want, found)
		}
	}
}
