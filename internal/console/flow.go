package console

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"aloft.dev/aloft/internal/inventory"
)

// Count holds the counters of one node of a load balancer for one target.
type Count struct {
	Balancer string // its ARN
	Zone     string // of the node
	Group    string // ARN of the target group
	Target   string // its id
	Port     uint16
	Requests uint64
	Failures uint64 // of them
	Times    Latency
}

// route identifies the subject of a Count.
type route struct {
	balancer, zone, group, target string
	port                          uint16
}

func (c Count) route() route { return route{c.Balancer, c.Zone, c.Group, c.Target, c.Port} }

// rate is the traffic on a route.
type rate struct {
	requests, failures float64 // per second
	times              Latency // of the answers
}

// meter turns counts into rates: what passed between its last two readings.
type meter struct {
	read func(context.Context) ([]Count, error)
	now  func() time.Time

	mu    sync.Mutex
	at    time.Time // of the last reading
	last  map[route]Count
	rates map[route]rate // nil: there was one reading
}

const (
	// meterInterval is the shortest time between two readings.
	meterInterval = moving * 3 / 4
	// meterStale is the longest. Rates over more say nothing about now.
	meterStale = 3 * defaultRefresh
)

// measure returns the rates now, or nil if they are not known yet.
func (m *meter) measure(ctx context.Context) (map[route]rate, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.now()
	passed := now.Sub(m.at)
	if passed < meterInterval {
		return m.rates, nil
	}
	counts, err := m.read(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the load balancers' counts: %w", err)
	}
	last := m.last
	m.at, m.last = now, make(map[route]Count, len(counts))
	for _, c := range counts {
		m.last[c.route()] = c
	}
	if m.rates = nil; passed > meterStale {
		return nil, nil
	}
	m.rates = make(map[route]rate, len(counts))
	for _, c := range counts {
		old := last[c.route()]
		if c.Requests < old.Requests {
			old = Count{} // the target was registered again
		}
		r := rate{
			requests: float64(c.Requests-old.Requests) / passed.Seconds(),
			failures: float64(c.Failures-min(c.Failures, old.Failures)) / passed.Seconds(),
			times:    growth(c.Times, old.Times),
		}
		m.rates[c.route()] = r
	}
	return m.rates, nil
}

// Flow draws the traffic that passes through a load balancer now: from clients over its nodes in
// zones to its targets.
type Flow struct {
	Balancer, ID string
	Height       int
	Zones        []FlowPoint
	Targets      []FlowPoint
	Times        Latency // of all answers
	Edges        []FlowEdge
	More         int // targets that are not drawn
	Requests     float64
	Failures     float64
	Known        bool // the rates are
}

// FlowPoint is a zone or a target.
type FlowPoint struct {
	Item

	Y                  int
	Requests, Failures float64
	Times              Latency
	ByZone             []Latency // of a target, in the order of the zones
}

// Rate returns the requests per second in words.
func (p FlowPoint) Rate() string { return number(p.Requests) }

// FailureRate returns the failures per second in words.
func (p FlowPoint) FailureRate() string { return number(p.Failures) }

// FlowEdge is a path on which requests move.
type FlowEdge struct {
	Path  string
	Speed int // 0 to 4: how fast requests are shown to move; 0: there are none
	Fails bool
}

// Measures of the drawing, in its units.
const (
	flowRow     = 34
	flowClients = 70  // x of the clients' right side
	flowZoneIn  = 200 // of a zone's left and right side
	flowZoneOut = 350
	flowTarget  = 500 // of a target's left side
	maxDrawn    = 24  // targets
)

// speed returns how fast requests of a rate are shown to move: a step for each power of ten.
func speed(perSecond float64) int {
	if perSecond <= 0 {
		return 0
	}
	return 1 + min(3, max(0, int(math.Ceil(math.Log10(perSecond)))))
}

func newEdge(x1, y1, x2, y2 int, r rate) FlowEdge {
	middle := (x1 + x2) / 2
	return FlowEdge{
		Path:  fmt.Sprintf("M%d %dC%d %d %d %d %d %d", x1, y1, middle, y1, middle, y2, x2, y2),
		Speed: speed(r.requests), Fails: r.failures > 0,
	}
}

// flowTargets returns the targets of a load balancer, with the groups that they are in.
func flowTargets(all *inventory.Inventory, lb inventory.LoadBalancer) (points []FlowPoint, ids map[string]int) {
	names := map[string]string{}
	for _, m := range all.Instances {
		names[aws.ToString(m.InstanceId)] = nameOf(m.Tags)
	}
	ids = map[string]int{}
	for _, g := range all.TargetGroups {
		if !slices.Contains(g.LoadBalancerArns, aws.ToString(lb.LoadBalancerArn)) {
			continue
		}
		for _, t := range g.Targets {
			id := aws.ToString(t.Target.Id)
			if _, seen := ids[id]; seen {
				continue
			}
			ids[id] = len(points)
			points = append(points, FlowPoint{Item: targetItem(id, names[id], t.TargetHealth)})
		}
	}
	slices.SortStableFunc(points, func(a, b FlowPoint) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
	for i, p := range points {
		ids[p.ID] = i
	}
	return points, ids
}

func targetItem(id, name string, health *elbtypes.TargetHealth) Item {
	item := Item{Kind: "target", ID: id, Name: cmp.Or(name, id), Health: Waiting}
	if health == nil {
		return item
	}
	item.State = string(health.State)
	switch health.State {
	case elbtypes.TargetHealthStateEnumHealthy:
		item.Health = Good
	case elbtypes.TargetHealthStateEnumUnhealthy:
		item.Health = Bad
	}
	return item
}

// newFlow draws a load balancer.
func newFlow(all *inventory.Inventory, lb inventory.LoadBalancer, rates map[route]rate) Flow {
	f := Flow{Balancer: aws.ToString(lb.LoadBalancerName), ID: aws.ToString(lb.LoadBalancerArn), Known: rates != nil}
	targets, ids := flowTargets(all, lb)
	zones := map[string]int{}
	for _, z := range lb.AvailabilityZones {
		zones[aws.ToString(z.ZoneName)] = 0
		f.Zones = append(f.Zones, FlowPoint{Item: Item{Name: aws.ToString(z.ZoneName)}})
	}
	slices.SortFunc(f.Zones, func(a, b FlowPoint) int { return cmp.Compare(a.Name, b.Name) })
	for i, z := range f.Zones {
		zones[z.Name] = i
	}
	for i := range targets {
		targets[i].ByZone = make([]Latency, len(f.Zones))
	}
	between := make([][]rate, len(f.Zones)) // by zone and target
	for i := range between {
		between[i] = make([]rate, len(targets))
	}
	for r, passes := range rates {
		zone, inZone := zones[r.zone]
		target, isTarget := ids[r.target]
		if r.balancer != f.ID || !inZone || !isTarget {
			continue
		}
		between[zone][target].requests += passes.requests
		between[zone][target].failures += passes.failures
		targets[target].ByZone[zone] = targets[target].ByZone[zone].plus(passes.times)
		f.Zones[zone].add(passes)
		targets[target].add(passes)
		f.Requests += passes.requests
		f.Failures += passes.failures
		f.Times = f.Times.plus(passes.times)
	}
	f.draw(targets, between)
	return f
}

// add adds what passes on a route.
func (p *FlowPoint) add(r rate) {
	p.Requests += r.requests
	p.Failures += r.failures
	p.Times = p.Times.plus(r.times)
}

// draw places zones and targets, and connects them. between are the rates by zone and target.
func (f *Flow) draw(targets []FlowPoint, between [][]rate) {
	f.Targets = targets
	f.More = max(0, len(targets)-maxDrawn)
	drawn := targets[:len(targets)-f.More]
	rows := max(len(drawn), len(f.Zones), 1)
	f.Height = rows*flowRow + 10
	place := func(points []FlowPoint) {
		for i := range points {
			points[i].Y = 5 + f.Height*(2*i+1)/(2*len(points)) - 5
		}
	}
	place(f.Zones)
	place(drawn)
	for i, zone := range f.Zones {
		into := rate{requests: zone.Requests, failures: zone.Failures}
		f.Edges = append(f.Edges, newEdge(flowClients, f.Height/2, flowZoneIn, zone.Y, into))
		for j, target := range drawn {
			f.Edges = append(f.Edges, newEdge(flowZoneOut, zone.Y, flowTarget, target.Y, between[i][j]))
		}
	}
}

// Drawn returns the targets that are drawn.
func (f Flow) Drawn() []FlowPoint { return f.Targets[:len(f.Targets)-f.More] }

// Middle returns the vertical middle of the drawing.
func (f Flow) Middle() int { return f.Height / 2 }

// Total says what passes in words.
func (f Flow) Total() string {
	if !f.Known {
		return "It is being measured."
	}
	text := number(f.Requests) + " requests a second"
	if f.Failures > 0 {
		text += ", " + number(f.Failures) + " of them fail"
	}
	return text
}

// Rate returns the requests per second in words.
func (f Flow) Rate() string { return number(f.Requests) }

// FailureRate returns the failures per second in words.
func (f Flow) FailureRate() string { return number(f.Failures) }

// Summary says what the drawing shows.
func (f Flow) Summary() string {
	var zones []string
	for _, z := range f.Zones {
		zones = append(zones, z.Name+" "+z.Rate())
	}
	return fmt.Sprintf("Requests through %s to %d targets. Requests a second by zone: %s", f.Balancer,
		len(f.Targets), strings.Join(zones, ", "))
}

// flowData is the traffic that passes through load balancers now.
type flowData struct{ Flows []Flow }

// flows draws the load balancers. moving reports whether requests pass, or may.
func (c *Console) flows(ctx context.Context, all *inventory.Inventory) (data flowData, moving bool, err error) {
	rates, err := c.meter.measure(ctx)
	if err != nil {
		return flowData{}, false, err
	}
	for _, lb := range all.LoadBalancers {
		f := newFlow(all, lb, rates)
		data.Flows = append(data.Flows, f)
		moving = moving || !f.Known || f.Requests > 0
	}
	return data, moving, nil
}
