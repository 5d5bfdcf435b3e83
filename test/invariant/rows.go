//go:build linux

// Package invariant checks what must hold in every local cloud at every moment: that rows
// refer to rows that exist and agree with each other, and that the kernel holds what the
// rows describe and nothing else. It returns differences in plain words.
package invariant

import (
	"cmp"
	"fmt"
	"slices"

	"aloft.dev/aloft/internal/cloud/store"
)

// Rows compares the rows of a view with each other.
func Rows(view store.Reader) []string {
	c := &rows{Reader: view, owners: map[string]string{}}
	c.networks()
	c.gatewaysAndTables()
	c.accessLists()
	c.interfaces()
	c.elasticIPs()
	c.instances()
	c.images()
	c.loadBalancers()
	c.listeners()
	c.targets()
	c.scaling()
	c.templatesAndProfiles()
	slices.Sort(c.found)
	return c.found
}

// rows is a check of rows.
type rows struct {
	store.Reader
	found  []string
	owners map[string]string // of what only one row may have, such as an address
}

// differ records a difference.
func (c *rows) differ(format string, args ...any) {
	c.found = append(c.found, fmt.Sprintf(format, args...))
}

// refer checks that a row that another row refers to exists.
func refer[T any](c *rows, to store.Table[T], key, from string) (*T, bool) {
	row, ok := to.Get(c, key)
	if !ok {
		c.differ("%s refers to %q, which does not exist", from, key)
	}
	return row, ok
}

// own checks that nobody else has what an owner has.
func (c *rows) own(what, owner string) {
	if other, taken := c.owners[what]; taken {
		c.differ("%s and %s both have %s", other, owner, what)
	}
	c.owners[what] = owner
}

func (c *rows) networks() {
	for _, vpc := range store.VPCs.List(c) {
		groups := store.SecurityGroupsByVPC.List(c, vpc.ID)
		if n := count(groups, func(g *store.SecurityGroup) bool { return g.Name == "default" }); n != 1 {
			c.differ("%s has %d default security groups", vpc.ID, n)
		}
		subnets := store.SubnetsByVPC.List(c, vpc.ID)
		for i, s := range subnets {
			if !vpc.CIDR.Overlaps(s.CIDR) || s.CIDR.Bits() < vpc.CIDR.Bits() {
				c.differ("%s, %s, is outside of %s, %s", s.ID, s.CIDR, vpc.ID, vpc.CIDR)
			}
			for _, other := range subnets[:i] {
				if other.CIDR.Overlaps(s.CIDR) {
					c.differ("%s and %s overlap", other.ID, s.ID)
				}
			}
		}
	}
	for _, s := range store.Subnets.List(c) {
		refer(c, store.VPCs, s.VPCID, s.ID)
	}
	for _, g := range store.SecurityGroups.List(c) {
		refer(c, store.VPCs, g.VPCID, g.ID)
		c.own(fmt.Sprintf("the name %s in %s", g.Name, g.VPCID), g.ID)
		for _, rule := range g.Rules {
			c.own("the rule "+rule.ID, g.ID)
			if rule.GroupID != "" {
				refer(c, store.SecurityGroups, rule.GroupID, g.ID)
			}
		}
	}
}

// count returns the number of rows that meet a condition.
func count[T any](rows []*T, meets func(*T) bool) (n int) {
	for _, row := range rows {
		if meets(row) {
			n++
		}
	}
	return n
}

func (c *rows) gatewaysAndTables() {
	for _, g := range store.InternetGateways.List(c) {
		if g.VPCID != "" {
			refer(c, store.VPCs, g.VPCID, g.ID)
			c.own("the internet gateway of "+g.VPCID, g.ID)
		}
	}
	for _, vpc := range store.VPCs.List(c) {
		main := count(store.RouteTablesByVPC.List(c, vpc.ID), func(t *store.RouteTable) bool {
			return slices.ContainsFunc(t.Associations, func(a store.RouteTableAssociation) bool { return a.Main })
		})
		if main != 1 {
			c.differ("%s has %d main route tables", vpc.ID, main)
		}
	}
	for _, t := range store.RouteTables.List(c) {
		refer(c, store.VPCs, t.VPCID, t.ID)
		for _, a := range t.Associations {
			if a.SubnetID != "" {
				refer(c, store.Subnets, a.SubnetID, t.ID)
				c.own("the route table of "+a.SubnetID, t.ID)
			}
		}
	}
}

func (c *rows) accessLists() {
	for _, l := range store.NetworkACLs.List(c) {
		refer(c, store.VPCs, l.VPCID, l.ID)
		if l.IsDefault {
			c.own("the default network ACL of "+l.VPCID, l.ID)
		}
		for _, a := range l.Associations {
			refer(c, store.Subnets, a.SubnetID, l.ID)
			c.own("the network ACL of "+a.SubnetID, l.ID)
		}
	}
	for _, s := range store.Subnets.List(c) {
		if _, ok := c.owners["the network ACL of "+s.ID]; !ok {
			c.differ("%s has no network ACL", s.ID)
		}
	}
}

func (c *rows) interfaces() {
	for _, n := range store.NetworkInterfaces.List(c) {
		c.own("the MAC "+n.MAC, n.ID)
		subnet, inSubnet := refer(c, store.Subnets, n.SubnetID, n.ID)
		for _, a := range n.Addresses() {
			c.own(fmt.Sprintf("the private address %s in %s", a.Private, n.VPCID), n.ID)
			if a.Public.IsValid() {
				c.own("the public address "+a.Public.String(), n.ID)
			}
			if inSubnet && (subnet.VPCID != n.VPCID || !subnet.CIDR.Contains(a.Private)) {
				c.differ("%s, %s in %s, is outside of its subnet %s", n.ID, a.Private, n.VPCID, subnet.ID)
			}
		}
		if n.InstanceID != "" {
			c.own(fmt.Sprintf("device %d of %s", n.DeviceIndex, n.InstanceID), n.ID)
		}
		for _, id := range n.GroupIDs {
			if g, ok := refer(c, store.SecurityGroups, id, n.ID); ok && g.VPCID != n.VPCID {
				c.differ("%s has %s, which is a group of another VPC", n.ID, id)
			}
		}
		if n.InstanceID != "" {
			refer(c, store.Instances, n.InstanceID, n.ID)
		}
		if n.NatGatewayID != "" {
			refer(c, store.NatGateways, n.NatGatewayID, n.ID)
		}
		if n.LoadBalancerARN != "" && n.ReleasedAt.IsZero() {
			refer(c, store.LoadBalancers, n.LoadBalancerARN, n.ID)
		}
	}
}

func (c *rows) elasticIPs() {
	for _, a := range store.ElasticIPs.List(c) {
		if a.InterfaceID == "" {
			c.own("the public address "+a.PublicIP.String(), a.ID)
			continue
		}
		n, ok := refer(c, store.NetworkInterfaces, a.InterfaceID, a.ID)
		if !ok {
			continue
		}
		mapped := store.InterfaceAddress{Private: cmp.Or(a.PrivateIP, n.PrivateIP), Public: a.PublicIP}
		c.own(fmt.Sprintf("the Elastic IP address of %s at %s", n.ID, mapped.Private), a.ID)
		if !slices.Contains(n.Addresses(), mapped) {
			c.differ("%s has the address %s, and its interface %s has %v", a.ID, a.PublicIP, n.ID, n.Addresses())
		}
	}
	for _, g := range store.NatGateways.List(c) {
		if g.Forwards() {
			refer(c, store.NetworkInterfaces, g.InterfaceID, g.ID)
		}
	}
}

func (c *rows) instances() {
	for _, i := range store.Instances.List(c) {
		if i.State == store.Terminated {
			continue
		}
		refer(c, store.Subnets, i.SubnetID, i.ID)
		if len(i.InterfaceIDs) == 0 {
			c.differ("%s has no network interface", i.ID)
		}
		for _, id := range i.InterfaceIDs {
			if n, ok := refer(c, store.NetworkInterfaces, id, i.ID); ok && n.InstanceID != i.ID {
				c.differ("%s has %s, which is attached to %q", i.ID, id, n.InstanceID)
			}
		}
		if v, ok := refer(c, store.Volumes, i.RootVolumeID, i.ID); ok && v.InstanceID != i.ID {
			c.differ("%s has %s, which is attached to %q", i.ID, v.ID, v.InstanceID)
		}
	}
	for _, v := range store.Volumes.List(c) {
		if v.InstanceID != "" {
			refer(c, store.Instances, v.InstanceID, v.ID)
		}
	}
}

func (c *rows) images() {
	for _, image := range store.Images.List(c) {
		refer(c, store.Snapshots, image.SnapshotID, image.ID)
		c.own("the image name "+image.Region.Key(image.Name), image.ID)
	}
}
