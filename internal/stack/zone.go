package stack

import (
	"fmt"
	"slices"

	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/spec"
)

// chooseZones returns a zone for each subnet: the one in the spec, or the next
// usable one that no other subnet uses.
func chooseZones(s *spec.Spec, usable []string) ([]string, error) {
	where := s.File
	if where == "" {
		where = spec.FileName
	}
	var problems diag.List
	taken := map[string]bool{}
	for _, subnet := range s.Network.Subnets {
		taken[subnet.Zone] = true
	}
	var free []string
	for _, zone := range usable {
		if !taken[zone] {
			free = append(free, zone)
		}
	}
	zones := make([]string, len(s.Network.Subnets))
	for i, subnet := range s.Network.Subnets {
		switch {
		case subnet.Zone != "":
			zones[i] = subnet.Zone
			if !slices.Contains(usable, subnet.Zone) {
				hint := fmt.Sprintf("zones of %s that can be used: %v", s.Region, usable)
				problems.Add(where, hint, "network.subnets[%d].zone: there is no zone %s", i, subnet.Zone)
			}
		case len(free) > 0:
			zones[i], free = free[0], free[1:]
		default:
			problems.Add(where, "ask for fewer subnets, or use a region with more zones",
				"network.subnets: %d subnets need a zone each, and %s has %d: %v",
				len(zones), s.Region, len(usable), usable)
			return nil, problems
		}
	}
	return zones, problems.Err()
}
