// Package cost estimates what an application costs a month on AWS, from its spec
// alone.
package cost

import (
	"fmt"

	"aloft.dev/aloft/internal/price"
	"aloft.dev/aloft/internal/spec"
	"aloft.dev/aloft/internal/stack"
)

// detailedMetrics is the number of metrics that AWS charges for each instance with
// detailed monitoring, which Auto Scaling groups have (Amazon CloudWatch pricing,
// "EC2 Detailed Monitoring").
const detailedMetrics = 7

// Line is a part of the monthly cost.
type Line struct {
	Item     string  `json:"item"`
	Quantity float64 `json:"quantity"` // instances, addresses, units, or GB
	Unit     string  `json:"unit"`     // "hour", "month" or "GB-month": what Price is for
	Price    float64 `json:"price"`    // of one unit; 0 if unknown
	Monthly  float64 `json:"monthly"`  // 0 if unknown
	Known    bool    `json:"known"`
	Note     string  `json:"note,omitempty"`
}

// Estimate is the cost of an application in US dollars a month.
type Estimate struct {
	App     string  `json:"app"`
	Region  string  `json:"region"`
	Lines   []Line  `json:"lines"`
	Monthly float64 `json:"monthly"`  // sum of the lines whose price is known
	AtLeast bool    `json:"at_least"` // a price is unknown, so the sum is too low
	// Spare is the part of the sum for servers that are there so that a zone can be
	// lost; nil if there are none.
	Spare *Part `json:"spare,omitempty"`
	// Maximum is the sum when the Auto Scaling group has its maximum size; nil
	// without scaling.
	Maximum *Part  `json:"maximum,omitempty"`
	Source  string `json:"source"`
	Date    string `json:"date"`
}

// Part is a cost with a number of servers.
type Part struct {
	Servers int     `json:"servers"`
	Monthly float64 `json:"monthly"`
}

// Assumptions are the facts that a spec does not state.
type Assumptions struct {
	// LCU is the average number of load balancer capacity units in use. One is 25
	// new connections a second, 3,000 open ones, 1 GB an hour or 1,000 rule
	// evaluations a second, whichever is reached first (Elastic Load Balancing
	// pricing).
	LCU float64
}

// Of estimates the cost of an application that always has its least number of
// servers.
func Of(s *spec.Spec, prices price.Prices, a Assumptions) *Estimate {
	e := &Estimate{App: s.App, Region: s.Region, Source: prices.Source, Date: prices.Date}
	servers, spare, most := sizes(s)
	zones := len(s.Network.Subnets)
	add := func(item price.Item, quantity, hours float64, unit, name, note string) {
		unitPrice, ok := prices.Of(item)
		line := Line{Item: name, Quantity: quantity, Unit: unit, Price: unitPrice, Known: ok, Note: note}
		line.Monthly = quantity * unitPrice * hours
		e.Lines, e.Monthly, e.AtLeast = append(e.Lines, line), e.Monthly+line.Monthly, e.AtLeast || !ok
	}
	hourly := func(item price.Item, quantity float64, name, note string) {
		add(item, quantity, price.HoursPerMonth, "hour", name, note)
	}
	hourly(price.Instance(s.Machines.Types[0]), float64(servers), "servers", s.Machines.Types[0])
	hourly(price.LoadBalancer, 1, "load balancer", "")
	hourly(price.LCU, a.LCU, "load balancer capacity", fmt.Sprintf("%g LCU on average", a.LCU))
	addresses, note := servers+zones, fmt.Sprintf("%d of servers, %d of the load balancer", servers, zones)
	if s.Network.Private {
		gateways := s.Network.NATGateways()
		addresses, note = zones, fmt.Sprintf("%d of the load balancer", zones)
		if gateways > 0 {
			addresses, note = gateways+zones, fmt.Sprintf("%d of NAT gateways, %s", gateways, note)
			hourly(price.NatGateway, float64(gateways), "NAT gateways", natNote(prices))
		}
	}
	hourly(price.Address, float64(addresses), "public addresses", note)
	add(price.Disk, float64(servers*price.DiskSize), 1, "GB-month", "disks",
		fmt.Sprintf("%d GB for each server", price.DiskSize))
	add(price.Snapshot, float64(s.Release.Keep*price.DiskSize), 1, "GB-month", "snapshots",
		fmt.Sprintf("images of %d releases, at most %d GB each", s.Release.Keep, price.DiskSize))
	if len(s.Alerts) > 0 {
		add(price.Alarm, float64(stack.AlarmMetrics()), 1, "month", "metrics of alarms",
			"and up to 1,000 emails a month without charge")
	}
	if s.KeepsAccessLogs() {
		add(price.ObjectData, 1, 1, "GB-month", "access logs", "for each GB of compressed files that is kept")
	}
	each, _ := prices.Server(s.Machines.Types[0])
	if address, _ := prices.Of(price.Address); s.Network.Private {
		each -= address * price.HoursPerMonth
	}
	if s.Scaling != nil {
		metric, _ := prices.Of(price.Metric)
		each += detailedMetrics * metric
		add(price.Metric, float64(servers*detailedMetrics), 1, "month", "detailed monitoring",
			fmt.Sprintf("%d metrics of each server", detailedMetrics))
	}
	if spare > 0 {
		e.Spare = &Part{Servers: spare, Monthly: each * float64(spare)}
	}
	if s.Scaling != nil {
		e.Maximum = &Part{Servers: most, Monthly: e.Monthly + each*float64(most-servers)}
	}
	return e
}

// natNote says what a NAT gateway costs besides its hours.
func natNote(prices price.Prices) string {
	data, ok := prices.Of(price.NatData)
	if !ok {
		return "without the data that they process"
	}
	return fmt.Sprintf("without the data that they process, $%g for each GB", data)
}

// sizes returns the least number of servers, how many of them are there so that a
// zone can be lost, and the largest number.
func sizes(s *spec.Spec) (servers, spare, most int) {
	if s.Scaling == nil {
		return s.Machines.Count, 0, s.Machines.Count
	}
	servers = s.Scaling.Least(len(s.Network.Subnets))
	return servers, servers - s.Scaling.Min, s.Scaling.Max
}
