package spec

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"

	"github.com/goccy/go-yaml/ast"
)

// subnetPrefix begins the ids of subnets.
const subnetPrefix = "subnet-"

var subnetsType = reflect.TypeFor[Subnets]()

// existingSubnets is the form of Network.Subnets that names subnets of a VPC that exists.
type existingSubnets struct {
	Public  []string `yaml:"public"`
	Private []string `yaml:"private"`
}

// decodeExisting decodes a mapping of the kinds of existing subnets.
func (d *decoder) decodeExisting(node ast.Node, into reflect.Value, path string) {
	if d.overlay {
		d.remove(into, path)
		d.places[path] = d.where(node)
	}
	var existing existingSubnets
	d.decodeStruct(node, reflect.ValueOf(&existing).Elem(), path)
	subnets := make(Subnets, max(len(existing.Public), len(existing.Private)))
	for i, id := range existing.Public {
		subnets[i].ID = id
	}
	for i, id := range existing.Private {
		subnets[i].PrivateID = id
	}
	into.Set(reflect.ValueOf(subnets))
}

var (
	vpcPattern    = regexp.MustCompile(`^vpc-[0-9a-f]{8,17}$`)
	subnetPattern = regexp.MustCompile(`^` + subnetPrefix + `[0-9a-f]{8,17}$`)
)

// setExistingDefaults makes the servers private if private subnets are named.
func (s *Spec) setExistingDefaults(d *decoder) {
	_, private := s.Network.Subnets.IDs()
	orDefault(d, "network.private", &s.Network.Private, len(private) > 0)
}

// validateExisting checks the file's description of a network that exists. What is true of the
// network itself, a survey of the cloud finds.
func (s *Spec) validateExisting(d *decoder) {
	n := s.Network
	d.require(vpcPattern.MatchString(n.VPC), "network.vpc", "for example: vpc: vpc-0a1b2c3d4e5f60718",
		"%q is not the id of a VPC", n.VPC)
	for _, key := range []string{"network.cidr", "network.nat"} {
		d.require(!d.written(key), key, "remove it, or remove vpc",
			"Aloft leaves a VPC that exists as it is, so this is decided")
	}
	public, private := n.Subnets.IDs()
	for i, subnet := range n.Subnets {
		d.require(!subnet.CIDR.IsValid() && subnet.Zone == "" && !subnet.Private.IsValid(),
			fmt.Sprintf("network.subnets[%d]", i), "name a subnet of the VPC: subnet-0a1b2c3d4e5f60718",
			"the subnets of a VPC that exists are named by their ids")
	}
	d.require(len(public) >= 2, "network.subnets", "for example: subnets: {public: [subnet-…, subnet-…]}",
		"a load balancer needs public subnets in two zones or more, there are %d", len(public))
	d.require(n.Private == (len(private) > 0), "network.private",
		"servers are private if subnets has private: [subnet-…, subnet-…], and otherwise not",
		"this does not agree with network.subnets")
	d.require(len(private) == 0 || len(private) == len(public), "network.subnets.private",
		"name one private subnet in the zone of each public one",
		"there are %d private subnets and %d public ones", len(private), len(public))
	listed := slices.Concat(public, private)
	for i, id := range listed {
		path := existingPath(d, i, len(public))
		d.require(subnetPattern.MatchString(id), path, "for example: subnet-0a1b2c3d4e5f60718",
			"%q is not the id of a subnet", id)
		d.require(slices.Index(listed, id) == i, path, "list each subnet once", "%s is listed twice", id)
	}
}

// existingPath returns the path of the nth id: the public ones come first.
func existingPath(d *decoder, n, public int) string {
	switch {
	case n >= public:
		return fmt.Sprintf("network.subnets.private[%d]", n-public)
	case d.written("network.subnets.public"):
		return fmt.Sprintf("network.subnets.public[%d]", n)
	}
	return fmt.Sprintf("network.subnets[%d].id", n)
}

// rejectExisting reports ids of subnets without the id of their VPC.
func (s *Spec) rejectExisting(d *decoder) {
	public, private := s.Network.Subnets.IDs()
	d.require(len(public)+len(private) == 0, "network.subnets",
		"add vpc: with the id of their VPC, or give the subnets' CIDR blocks",
		"subnets that exist need a VPC that exists")
}
