//go:build linux

package metrics

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
	"time"

	"aloft.dev/aloft/internal/cloud/metric"
	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/plane/firewall"
	"aloft.dev/aloft/internal/cloud/plane/network"
	"aloft.dev/aloft/internal/cloud/store"
)

// Network is the part of the network plane that the loop uses.
type Network interface {
	// Flows returns what a node of a Network Load Balancer forwards, by protocol.
	Flows(interfaceID string) (map[string]network.Flows, error)
}

var _ Network = (*network.Plane)(nil)

// networkNamespace is the namespace of Network Load Balancers. The source of all facts about
// their metrics is the Network Load Balancer guide, CloudWatch metrics for your Network Load
// Balancer.
const networkNamespace = "AWS/NetworkELB"

// flows counts what a node had forwarded at a measurement, by protocol.
type flows map[string]network.Flows

// measureFlows adds what the nodes of Network Load Balancers forwarded to the metrics.
func (l *Loop) measureFlows(now time.Time) {
	if l.Network == nil {
		return
	}
	before := l.flows
	l.flows = map[string]flows{}
	view := l.Store.View()
	for _, lb := range store.LoadBalancers.List(view) {
		if !lb.IsNetwork() || lb.State != "active" {
			continue
		}
		_, name, _ := strings.Cut(lb.ARN, ":loadbalancer/")
		for _, n := range lb.Nodes {
			read, err := l.Network.Flows(n.InterfaceID)
			if err != nil {
				if !errors.Is(err, fs.ErrNotExist) { // it is being set up
					l.Log.Warn("read the flows of a load balancer", "load_balancer", name, "zone", n.Zone, "error", err)
				}
				continue
			}
			if c, ok := l.countersOf(lb.ARN, n.Zone); ok {
				read["tls"], read[relayed] = flowsOfProcess(c, "TLS", c.Flows), flowsOfProcess(c, "TCP", c.TCPFlows)
			}
			l.flows[n.InterfaceID] = read
			a := nodeMetrics{l.Metrics, now.Add(-interval / 2), nodeKey{lb.Region, name, n.Zone}}
			a.addFlows(before[n.InterfaceID], read)
		}
	}
}

// countersOf returns what the balancer's process last counted at a node.
func (l *Loop) countersOf(loadBalancer, zone string) (balancer.NodeCounters, bool) {
	i := slices.IndexFunc(l.counters.Nodes, func(n balancer.NodeCounters) bool {
		return n.LoadBalancer == loadBalancer && n.Zone == zone
	})
	if i < 0 {
		return balancer.NodeCounters{}, false
	}
	return l.counters.Nodes[i], true
}

// relayed is the key of the flows of TCP that the balancer's process serves. They count with those
// that the kernel forwards, but the process may begin to count again when the kernel does not.
const relayed = "tcp, relayed"

// flowsOfProcess returns the flows of a protocol that the balancer's process serves.
func flowsOfProcess(c balancer.NodeCounters, protocol string, active int) network.Flows {
	count := firewall.FlowCount{
		Flows: c.Sums["NewFlowCount_"+protocol], Bytes: c.Sums["ProcessedBytes_"+protocol],
	}
	return network.Flows{FlowCount: count, Active: active}
}

// addFlows adds what a node forwarded between two measurements. last is nil if there was no
// earlier one. A count that is lower than before began again.
func (m nodeMetrics) addFlows(last, now flows) {
	add := func(name, unit string, s metric.Summary) {
		m.add(name, unit, s, m.loadBalancerDimension())
		m.add(name, unit, s, m.zoneDimension(), m.loadBalancerDimension())
	}
	sums, active := map[string]uint64{}, map[string]int{"ActiveFlowCount": 0}
	for protocol, f := range now {
		name, _, _ := strings.Cut(protocol, ",")
		suffix := "_" + strings.ToUpper(name)
		active["ActiveFlowCount"] += f.Active
		if f.Active > 0 {
			active["ActiveFlowCount"+suffix] += f.Active
		}
		if last == nil {
			continue
		}
		grew := func(name string, from, to uint64) {
			if to < from {
				from = 0
			}
			sums[name] += to - from
		}
		was := last[protocol]
		grew("NewFlowCount", was.FlowCount.Flows, f.FlowCount.Flows)
		grew("NewFlowCount"+suffix, was.FlowCount.Flows, f.FlowCount.Flows)
		grew("ProcessedBytes", was.Bytes, f.Bytes)
		grew("ProcessedBytes"+suffix, was.Bytes, f.Bytes)
		grew("TCP_Client_Reset_Count", was.ClientResets, f.ClientResets)
		grew("TCP_Target_Reset_Count", was.TargetResets, f.TargetResets)
		grew("TCP_ELB_Reset_Count", was.OwnResets, f.OwnResets)
	}
	for name, n := range active {
		add(name, count, metric.SummaryOf(float64(n), 1))
	}
	for name, n := range sums {
		switch {
		case strings.HasPrefix(name, "ProcessedBytes") && n > 0:
			add(name, bytes, metric.SummaryOf(float64(n), 1))
		case n > 0 || name == "NewFlowCount":
			add(name, count, metric.SummaryOf(float64(n), 1))
		}
	}
}
