//go:build linux

package metrics

import (
	"fmt"
	"io/fs"
	"testing"
	"time"

	"aloft.dev/aloft/internal/cloud/metric"
	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/plane/firewall"
	"aloft.dev/aloft/internal/cloud/plane/network"
	"aloft.dev/aloft/internal/cloud/store"
)

// fakeNetwork returns flows that the test sets.
type fakeNetwork map[string]map[string]network.Flows

func (n fakeNetwork) Flows(id string) (map[string]network.Flows, error) {
	if flows, ok := n[id]; ok {
		return flows, nil
	}
	return nil, fmt.Errorf("open: %w", fs.ErrNotExist)
}

func TestFlowsOfNetworkLoadBalancersAreMeasured(t *testing.T) {
	rows, err := store.Open("")
	if err != nil {
		t.Fatal(err)
	}
	const arn = "arn:aws:elasticloadbalancing:eu-west-1:000000000000:loadbalancer/net/flows/0123"
	if err := rows.Update(func(tx *store.Tx) error {
		store.LoadBalancers.Put(tx, &store.LoadBalancer{
			ARN: arn, Region: "eu-west-1", Type: "network", State: "active",
			Nodes: []store.Node{{Zone: "a", InterfaceID: "eni-a"}, {Zone: "b", InterfaceID: "eni-new"}},
		})
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	count := func(flows, bytes uint64, active int) map[string]network.Flows {
		return map[string]network.Flows{"tcp": {
			FlowCount: firewall.FlowCount{Flows: flows, Bytes: bytes, OwnResets: flows}, Active: active,
		}}
	}
	n, m := fakeNetwork{}, &metric.Store{}
	l := &Loop{Store: rows, Network: n, Metrics: m}
	began := time.Unix(1_800_000_000, 0)
	for i, flows := range []map[string]network.Flows{count(100, 1000, 2), count(103, 1500, 4), count(2, 30, 1)} {
		n["eni-a"] = flows
		l.counters.Nodes = []balancer.NodeCounters{{
			LoadBalancer: arn, Zone: "a", Flows: 3, TCPFlows: 2, Sums: map[string]uint64{
				"NewFlowCount_TLS": uint64(10 * (i + 1)), "ProcessedBytes_TLS": 500,
				"NewFlowCount_TCP": uint64(1000 * (i + 1)), // of clients of the other family than the targets
			},
		}}
		l.measureFlows(began.Add(time.Duration(i) * interval))
	}
	l.addGrowth(began, balancer.Counters{}, balancer.Counters{Nodes: []balancer.NodeCounters{{
		LoadBalancer: arn, Zone: "a", Active: 3, Sums: map[string]uint64{
			"TargetTLSNegotiationErrorCount": 7, "NewConnectionCount": 5,
		}, Groups: []balancer.GroupCounters{{
			TargetGroup: groupARN, Present: true, Healthy: 2, Unhealthy: 1,
		}},
	}}})
	lb := metric.Dimension{Name: "LoadBalancer", Value: "net/flows/0123"}
	for name, want := range map[string]struct {
		sum        float64
		dimensions []metric.Dimension
	}{
		"NewFlowCount":           {2025, []metric.Dimension{lb}},
		"NewFlowCount_TLS":       {20, []metric.Dimension{lb}},
		"ActiveFlowCount_TLS":    {9, []metric.Dimension{zoneA, lb}},
		"NewConnectionCount":     {0, []metric.Dimension{lb}},
		"ActiveConnectionCount":  {0, []metric.Dimension{lb}},
		"NewFlowCount_TCP":       {2005, []metric.Dimension{zoneA, lb}},
		"ProcessedBytes":         {530, []metric.Dimension{lb}},
		"TCP_ELB_Reset_Count":    {5, []metric.Dimension{lb}},
		"ActiveFlowCount":        {22, []metric.Dimension{lb}},
		"ActiveFlowCount_TCP":    {13, []metric.Dimension{zoneA, lb}},
		"HealthyHostCount":       {2, []metric.Dimension{group, lb}},
		"UnHealthyHostCount":     {1, []metric.Dimension{group, zoneA, lb}},
		"TCP_Client_Reset_Count": {0, []metric.Dimension{lb}},

		"TargetTLSNegotiationErrorCount": {7, []metric.Dimension{lb}},
	} {
		id, sum := metric.NewID(networkNamespace, name, want.dimensions...), 0.0
		for _, p := range m.Points("eu-west-1", id, time.Time{}, began.Add(time.Hour), "") {
			sum += p.Sum
		}
		if sum != want.sum {
			t.Errorf("%s is %v, want %v", name, sum, want.sum)
		}
	}
}
