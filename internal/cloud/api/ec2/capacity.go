package ec2

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// Capacity states whether a zone can launch instances of a type.
type Capacity int

// The capacity of a zone for a type.
const (
	Sufficient   Capacity = iota
	Insufficient          // the zone offers the type, and has no room at present
	NotOffered            // the zone does not offer the type
)

// capacity returns the capacity of a region's zone for a type.
func (a *API) capacity(region identity.Region, zone, instanceType string) Capacity {
	if a.Capacity != nil {
		if capacity := a.Capacity(zone, types.InstanceType(instanceType)); capacity != Sufficient {
			return capacity
		}
	}
	switch {
	case !a.offers(region, zone, instanceType):
		return NotOffered
	case a.shortages.short(a.Manners, zone, instanceType, a.Now()):
		return Insufficient
	}
	return Sufficient
}

// place returns an error unless the launch's zone has capacity. A launch that names
// neither a subnet nor a zone moves to the first zone that has.
func (a *API) place(r store.Reader, l *launch) error {
	instanceType := instanceTypeName(l.in)
	switch {
	case aws.ToBool(l.in.DryRun):
		return nil // it checks permissions
	case !l.anyZone:
		return a.checkCapacity(l.subnet.Region, l.subnet.Zone, instanceType)
	}
	for _, subnet := range store.Subnets.InRegion(r, l.subnet.Region) {
		if subnet.DefaultForAZ && a.capacity(subnet.Region, subnet.Zone, instanceType) == Sufficient {
			l.subnet = subnet
			return nil
		}
	}
	return insufficientCapacity("Insufficient capacity.")
}

// checkCapacity returns EC2's error for a launch in a zone that has no capacity for
// the type. The messages name the zones of the region that have capacity. Users
// report both errors with these words.
func (a *API) checkCapacity(region identity.Region, zone, instanceType string) error {
	a.shortages.asked(zone, instanceType, a.Now())
	capacity := a.capacity(region, zone, instanceType)
	if capacity == Sufficient {
		return nil
	}
	var choose string
	if others := a.zonesWithCapacity(region, instanceType); len(others) > 0 {
		choose = " or choosing " + strings.Join(others, ", ")
	}
	if capacity == NotOffered {
		return wire.Errorf("Unsupported", "Your requested instance type (%s) is not supported in your requested "+
			"Availability Zone (%s). Please retry your request by not specifying an Availability Zone%s.",
			instanceType, zone, choose)
	}
	return insufficientCapacity("We currently do not have sufficient %s capacity in the Availability Zone you "+
		"requested (%s). Our system will be working on provisioning additional capacity. You can currently get "+
		"%s capacity by not specifying an Availability Zone in your request%s.",
		instanceType, zone, instanceType, choose)
}

// insufficientCapacity returns the error of a launch for which there is no capacity. It
// is a server error (Amazon EC2 API Reference, "Error codes for the Amazon EC2 API").
func insufficientCapacity(format string, args ...any) *wire.Error {
	return &wire.Error{
		Code:    "InsufficientInstanceCapacity",
		Message: fmt.Sprintf(format, args...),
		Status:  http.StatusInternalServerError,
	}
}

// zonesWithCapacity returns the names of a region's zones that have capacity for a type.
func (a *API) zonesWithCapacity(region identity.Region, instanceType string) []string {
	var names []string
	for _, z := range a.zones(region) {
		if a.capacity(region, z.name, instanceType) == Sufficient {
			names = append(names, z.name)
		}
	}
	return names
}
