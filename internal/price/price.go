// Package price is a table of AWS's public prices, for estimates without an account.
// A price that the table does not have is unknown; none is derived from those of
// another region.
package price

import (
	"cmp"
	"strings"
)

// HoursPerMonth is the number of hours by which AWS converts hourly prices to
// monthly ones (AWS Pricing Calculator, "Assumptions").
const HoursPerMonth = 730

// Item is something that has a price.
type Item string

// The items besides instances.
const (
	LoadBalancer Item = "load-balancer" // an Application Load Balancer, by the hour
	LCU          Item = "lcu"           // a load balancer capacity unit, by the hour
	Address      Item = "address"       // a public IPv4 address in use, by the hour
	NatGateway   Item = "nat-gateway"   // a NAT gateway, by the hour
	NatData      Item = "nat-data"      // a GB that a NAT gateway processes
	Disk         Item = "disk"          // a GB of a gp3 volume, by the month
	Snapshot     Item = "snapshot"      // a GB of a snapshot, by the month
	Metric       Item = "metric"        // a metric of detailed monitoring, by the month
	Alarm        Item = "alarm"         // a metric of an alarm, by the month
	ObjectData   Item = "object-data"   // a GB of objects in S3 Standard, by the month
)

// Instance returns the item of a Linux instance of a type, by the hour on demand.
func Instance(instanceType string) Item { return Item("instance:" + instanceType) }

// Prices are the prices of a region in US dollars.
type Prices struct {
	Region string
	Source string
	Date   string // when the newest of them was read: "2026-10"

	// Of returns the price of an item. It reports whether the price is known.
	Of func(Item) (float64, bool)
}

// Table returns the prices in the table. All are unknown in a region that the table
// does not have.
func Table(region string) Prices {
	read := cmp.Or(dates[region], otherDate)
	return Prices{Region: region, Source: source, Date: read, Of: func(i Item) (float64, bool) {
		if i == Address {
			return addressHour, true
		}
		if instanceType, ok := strings.CutPrefix(string(i), "instance:"); ok {
			return instancePrice(region, instanceType)
		}
		price, ok := others[region][i]
		return price, ok
	}}
}

// instancePrice returns the hourly price of an instance type.
func instancePrice(region, instanceType string) (float64, bool) {
	if price, ok := exceptions[region][instanceType]; ok {
		return price, true
	}
	family, size, ok := strings.Cut(instanceType, ".")
	large, known := families[region][family]
	factor, regular := sizes[size]
	if !ok || !known || !regular {
		return 0, false
	}
	return large * factor, true
}

// DiskSize is the size in GB of a server's disk: of the root volume of the base images.
const DiskSize = 8

// Server returns the monthly price of a server: an instance with its public address
// and its disk. It reports whether all its prices are known.
func (p Prices) Server(instanceType string) (monthly float64, known bool) {
	instance, hasInstance := p.Of(Instance(instanceType))
	address, hasAddress := p.Of(Address)
	disk, hasDisk := p.Of(Disk)
	return (instance+address)*HoursPerMonth + disk*DiskSize, hasInstance && hasAddress && hasDisk
}
