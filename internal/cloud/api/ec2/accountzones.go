package ec2

import (
	"fmt"
	"slices"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/instancetype"
	"aloft.dev/aloft/internal/cloud/manners"
)

// zones returns the zones of a region as the account sees them. With the manner Zones,
// each account has names of its own for the zones (AWS RAM User Guide, Availability
// Zone IDs for your AWS resources), and new accounts do not get some zones.
func (a *API) zones(region identity.Region) []zone {
	r, _ := regionNamed(region.Name())
	if !a.Manners.Has(manners.Zones) {
		return r.allZones()
	}
	zones := a.accessible(r)
	for i := range zones {
		if j, ok := a.Manners.Pick(manners.Zones, i+1, fmt.Sprint("name of zone ", i, " of ", r.name)); ok {
			zones[i].id, zones[j].id = zones[j].id, zones[i].id
		}
	}
	return zones
}

// accessible returns the zones of a region without those that new accounts do not get.
// In Northern California they get two of three (AWS Global Infrastructure, Regions and
// Availability Zones). In Tokyo they get a, c and d, and not the zone apne1-az3 (Amazon
// EC2 User Guide, Availability Zones: constrained zones are removed for new accounts).
func (a *API) accessible(r region) []zone {
	zones := r.allZones()
	switch r.name {
	case "us-west-1":
		if missing, ok := a.Manners.Pick(manners.Zones, len(zones), "missing zone of "+r.name); ok {
			return slices.Delete(zones, missing, missing+1)
		}
	case "ap-northeast-1":
		zones[1].name, zones[2].name, zones[2].id = r.name+"c", r.name+"d", "apne1-az4"
	}
	return zones
}

// offers reports whether a zone of a region offers an instance type. With the manner
// Zones, one zone of each region with more than three lacks each family, and one zone
// of the others lacks every second family. Users meet this with t2.micro and t3.micro
// in one zone of us-east-1 and us-west-2. The region eu-north-1 has no t2.
func (a *API) offers(region identity.Region, zoneName, instanceType string) bool {
	if !a.Manners.Has(manners.Zones) {
		return true
	}
	t, _ := instancetype.ByName(instanceType)
	subject := t.Family() + " in " + region.Name()
	zones := a.zones(region)
	switch {
	case region.Name() == "eu-north-1" && t.Family() == "t2":
		return false
	case len(zones) <= 3 && !a.Manners.Holds(manners.Zones, 0.5, "a zone lacks "+subject):
		return true
	}
	lacking, ok := a.Manners.Pick(manners.Zones, len(zones), subject)
	return !ok || zones[lacking].name != zoneName
}
