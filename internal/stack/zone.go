package stack

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/spec"
)

// Zone is an Availability Zone that can be used at present.
type Zone struct {
	Name   string
	Offers []string // of the types that a survey asks for, those that the zone offers
}

// OffersAny reports whether the zone offers one of some types.
func (z Zone) OffersAny(types []string) bool {
	return slices.ContainsFunc(types, func(t string) bool { return slices.Contains(z.Offers, t) })
}

// Alternatives are general-purpose instance types that errors suggest in place of
// types that a zone does not offer. They run x86_64 images.
var Alternatives = []string{
	"t3.micro", "t3a.micro", "t2.micro",
	"t3.small", "t3a.small", "t2.small",
	"t3.medium", "t3a.medium", "t2.medium",
	"t3.large", "t3a.large", "t2.large", "m7i.large", "m6i.large", "m5.large",
	"t3.xlarge", "m7i.xlarge", "m6i.xlarge", "m5.xlarge",
}

// zoneChoice assigns zones to subnets.
type zoneChoice struct {
	spec     *spec.Spec
	where    string
	usable   []Zone
	standing map[string]string // zones of the subnets that exist, by address
	problems diag.List
}

// chooseZones returns a zone for each subnet: the one in the spec, the one where the
// subnet stands, or the next that no other subnet uses. A zone that offers no type of
// the spec is not chosen, and one that offers all comes before one that offers some.
func chooseZones(s *spec.Spec, facts Facts) ([]string, error) {
	c := &zoneChoice{spec: s, where: cmp.Or(s.File, spec.FileName), usable: facts.Zones, standing: facts.Subnets}
	zones := make([]string, len(s.Network.Subnets))
	taken := map[string]bool{}
	for i, subnet := range s.Network.Subnets {
		zones[i] = cmp.Or(subnet.Zone, c.standing[subnetAddress(i+1)])
		taken[zones[i]] = true
		if zones[i] != "" {
			c.check(i, zones[i], subnet.Zone != "")
		}
	}
	free := c.offering(taken)
	for i := range zones {
		switch {
		case zones[i] != "":
		case len(free) > 0:
			zones[i], free = free[0], free[1:]
		default:
			c.tooFew(len(zones))
			return nil, c.problems
		}
	}
	return zones, c.problems.Err()
}

// check reports a zone that the spec names, or in which a subnet stands, and in which
// no server can be launched.
func (c *zoneChoice) check(subnet int, zone string, named bool) {
	at := slices.IndexFunc(c.usable, func(z Zone) bool { return z.Name == zone })
	types := c.spec.Machines.Types
	switch {
	case at < 0 && named:
		c.problems.Add(c.where, fmt.Sprintf("zones of %s that can be used: %s", c.spec.Region, names(c.usable)),
			"network.subnets[%d].zone: there is no zone %s", subnet, zone)
	case at < 0 || c.offersAny(c.usable[at]): // the subnet of a zone that is unavailable now stays
	case named:
		c.problems.Add(c.where, c.remedy([]Zone{c.usable[at]}, "another zone"),
			"network.subnets[%d].zone: %s does not offer %s", subnet, zone, preference(types))
	default:
		var standing []Zone
		for _, z := range c.usable {
			for _, name := range c.standing {
				if z.Name == name {
					standing = append(standing, z)
				}
			}
		}
		c.problems.Add(c.where, c.remedy(standing, ""),
			"machines.type: %s, where %s is, does not offer %s", zone, subnetAddress(subnet+1), preference(types))
	}
}

// tooFew reports that fewer zones offer the spec's types than it has subnets.
func (c *zoneChoice) tooFew(needed int) {
	var offering []Zone
	for _, z := range c.usable {
		if c.offersAny(z) {
			offering = append(offering, z)
		}
	}
	if len(offering) == len(c.usable) {
		c.problems.Add(c.where, "ask for fewer subnets, or use a region with more zones",
			"network.subnets: %d subnets need a zone each, and %s has %d: %s",
			needed, c.spec.Region, len(offering), names(offering))
		return
	}
	c.problems.Add(c.where, c.remedyIn(needed, c.usable, "fewer subnets or another region"),
		"network.subnets: %d subnets need a zone each that offers %s, and %s has %d: %s",
		needed, preference(c.spec.Machines.Types), c.spec.Region, len(offering), names(offering))
}

// remedy names types that all of some zones offer, zones that offer a type of the
// spec, and what else may be changed.
func (c *zoneChoice) remedy(zones []Zone, otherwise string) string {
	if otherwise != "" {
		if offering := c.offering(nil); len(offering) > 0 {
			otherwise += " (" + strings.Join(offering, ", ") + ")"
		}
	}
	return c.remedyIn(len(zones), zones, otherwise)
}

// remedyIn names types that enough of some zones offer, and what else may be changed.
func (c *zoneChoice) remedyIn(enough int, zones []Zone, otherwise string) string {
	const suggested = 3
	own := c.spec.Machines.Types
	var types []string
	for _, name := range Alternatives {
		n := 0
		for _, z := range zones {
			if slices.Contains(z.Offers, name) {
				n++
			}
		}
		if n >= enough && !slices.Contains(own, name) {
			types = append(types, name)
		}
	}
	like := func(name string) int { // 0 for the size that the spec prefers
		_, size, _ := strings.Cut(name, ".")
		if strings.HasSuffix(own[0], "."+size) {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(types, func(a, b string) int { return cmp.Compare(like(a), like(b)) })
	types = types[:min(len(types), suggested)]
	switch {
	case len(types) == 0:
		return "choose " + cmp.Or(otherwise, "another machines.type")
	case otherwise == "":
		return "choose another machines.type, such as " + strings.Join(types, ", ")
	}
	return fmt.Sprintf("choose another machines.type, such as %s; or %s", strings.Join(types, ", "), otherwise)
}

// offering returns the names of the zones that offer a type of the spec, except those
// that are taken.
func (c *zoneChoice) offering(taken map[string]bool) []string {
	var all, some []string
	for _, z := range c.usable {
		switch {
		case taken[z.Name]:
		case c.offersAll(z):
			all = append(all, z.Name)
		case c.offersAny(z):
			some = append(some, z.Name)
		}
	}
	return append(all, some...)
}

func (c *zoneChoice) offersAll(z Zone) bool {
	return !slices.ContainsFunc(c.spec.Machines.Types, func(t string) bool { return !slices.Contains(z.Offers, t) })
}

func (c *zoneChoice) offersAny(z Zone) bool { return z.OffersAny(c.spec.Machines.Types) }

func names(zones []Zone) string {
	all := make([]string, len(zones))
	for i, z := range zones {
		all[i] = z.Name
	}
	return strings.Join(all, ", ")
}
