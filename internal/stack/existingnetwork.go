package stack

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"aloft.dev/aloft/internal/spec"
)

// ExistingNetwork is a VPC that existed before the application, as far as a spec names it.
type ExistingNetwork struct {
	ID          string
	Available   bool
	DNSSupport  bool // the VPC's resolver answers
	DNSNames    bool // its hosts have names, which private names of interface endpoints need
	Subnets     []ExistingSubnet
	Services    []string           // of AWS that interface endpoints offer under their own names: "ssm"
	Endpoints   []ExistingEndpoint // EC2 Instance Connect Endpoints of others
	OwnEndpoint bool               // the application has one of its own
	Serving     []string           // zones of the load balancer; none if there is none
}

// ExistingSubnet is a subnet with what its route table says.
type ExistingSubnet struct {
	ID, VPC, Zone string
	CIDR          netip.Prefix
	Free          int    // addresses
	RouteTable    string // its own, or the VPC's main one
	WayOut        string // target of the default route: "igw-…"; "": it has none
	Blackhole     bool   // the target of the default route is gone
}

// ExistingEndpoint is an EC2 Instance Connect Endpoint.
type ExistingEndpoint struct {
	ID, DNSName, State, Subnet string
	App                        string // the application of Aloft that made it; "" if another did
	Groups                     []string
	Outbound                   []Rule // of its groups
	KeepsAddress               bool   // servers see the address of the client
}

// subnet returns the subnet with an id. ok is false if it does not exist.
func (n *ExistingNetwork) subnet(id string) (ExistingSubnet, bool) {
	i := slices.IndexFunc(n.Subnets, func(s ExistingSubnet) bool { return s.ID == id })
	if i < 0 {
		return ExistingSubnet{}, false
	}
	return n.Subnets[i], true
}

// chosen returns the subnets that a spec names, sorted by their zones.
func (n *ExistingNetwork) chosen(s *spec.Spec) (public, private []ExistingSubnet) {
	byZone := func(ids []string) []ExistingSubnet {
		var all []ExistingSubnet
		for _, id := range ids {
			if subnet, ok := n.subnet(id); ok {
				all = append(all, subnet)
			}
		}
		slices.SortFunc(all, func(a, b ExistingSubnet) int {
			return cmp.Or(cmp.Compare(a.Zone, b.Zone), cmp.Compare(a.ID, b.ID))
		})
		return all
	}
	publicIDs, privateIDs := s.Network.Subnets.IDs()
	return byZone(publicIDs), byZone(privateIDs)
}

// machineBlocks returns the blocks in which machines are: builders are in public subnets.
func (n *ExistingNetwork) machineBlocks(s *spec.Spec) []netip.Prefix {
	var blocks []netip.Prefix
	public, private := n.chosen(s)
	for _, subnet := range slices.Concat(public, private) {
		blocks = append(blocks, subnet.CIDR)
	}
	return blocks
}

// Endpoint returns the endpoint of the network through which the application's machines can
// be reached. It returns nil if the application has or needs one of its own.
func (n *ExistingNetwork) Endpoint() *ExistingEndpoint {
	if n == nil || n.OwnEndpoint {
		return nil
	}
	for i, e := range n.Endpoints {
		if e.State == StateConnectable && !e.KeepsAddress && len(e.Groups) > 0 {
			return &n.Endpoints[i]
		}
	}
	return nil
}

// existingZones returns the zones of the subnets of a network that exists, in order.
func existingZones(s *spec.Spec, facts Facts) ([]string, error) {
	if facts.Network == nil {
		return nil, fmt.Errorf("network.vpc: nothing is known of %s", s.Network.VPC)
	}
	if err := checkExisting(s, facts); err != nil {
		return nil, err
	}
	public, _ := facts.Network.chosen(s)
	zones := make([]string, len(public))
	for i, subnet := range public {
		zones[i] = subnet.Zone
	}
	return zones, nil
}

func (b *builder) existingEndpoint() *ExistingEndpoint {
	if !b.spec.Security.ThroughEndpoint() {
		return nil
	}
	return b.facts.Network.Endpoint()
}

// addExistingNetwork adds what others refer to: the VPC and its subnets.
func (b *builder) addExistingNetwork() {
	n := b.facts.Network
	public, private := n.chosen(b.spec)
	b.addExisting(AddressVPC, Existing{ID: n.ID}, VPC{})
	for i, s := range public {
		b.addExisting(subnetAddress(i+1), Existing{ID: s.ID}, Subnet{CIDR: s.CIDR, Zone: s.Zone})
	}
	for i, s := range private {
		b.addExisting(privateSubnetAddress(i+1), Existing{ID: s.ID}, Subnet{CIDR: s.CIDR, Zone: s.Zone, Private: true})
	}
}

func (b *builder) addExisting(address string, of Existing, body Body) {
	b.stack.Resources = append(b.stack.Resources, Resource{Address: address, Body: body, Existing: &of})
}

// Notes returns a plan's notes about a network that exists.
func (n *ExistingNetwork) Notes(s *spec.Spec) []string {
	public, private := n.chosen(s)
	notes := []string{fmt.Sprintf("VPC %s exists: it is used and left alone, with %s.", n.ID, subnetNames(public))}
	if len(private) > 0 {
		notes[0] = fmt.Sprintf("VPC %s exists: it is used and left alone, with %s for the load balancer and builders, "+
			"and %s for servers.", n.ID, subnetNames(public), subnetNames(private))
	}
	for _, subnet := range private {
		if subnet.WayOut == "" {
			notes = append(notes, fmt.Sprintf("%s has no default route: its servers reach nothing outside the VPC "+
				"but what has an endpoint in it.", subnet.ID))
		}
	}
	if e := n.Endpoint(); e != nil && s.Security.ThroughEndpoint() {
		note := fmt.Sprintf("Servers are reached through %s, which exists: it is used and left alone", e.ID)
		if e.App != "" {
			note += fmt.Sprintf("; it is that of the application %s, which aloft down refuses to delete meanwhile",
				e.App)
		}
		notes = append(notes, note+".")
	}
	return notes
}

// subnetNames lists subnets for people: "subnet-0a in us-east-1a and subnet-0b in us-east-1b".
func subnetNames(subnets []ExistingSubnet) string {
	texts := make([]string, len(subnets))
	for i, s := range subnets {
		texts[i] = s.ID + " in " + s.Zone
	}
	if n := len(texts); n > 1 {
		return strings.Join(texts[:n-1], ", ") + " and " + texts[n-1]
	}
	return strings.Join(texts, "")
}
