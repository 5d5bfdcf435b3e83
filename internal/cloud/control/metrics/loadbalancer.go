//go:build linux

package metrics

import (
	"slices"
	"strings"
	"time"

	"aloft.dev/aloft/internal/cloud/metric"
	"aloft.dev/aloft/internal/cloud/plane/balancer"
)

// elbNamespace is the namespace of Application Load Balancers. The source of all facts
// about their metrics is the Application Load Balancer guide, CloudWatch metrics for
// your Application Load Balancer.
const elbNamespace = "AWS/ApplicationELB"

// tlsErrors are the metrics that nodes of both types have.
var tlsErrors = []string{"ClientTLSNegotiationErrorCount", "TargetTLSNegotiationErrorCount"}

// nodeMetrics adds to the metrics of one node.
type nodeMetrics struct {
	store *metric.Store
	at    time.Time
	nodeKey
}

func (m nodeMetrics) add(name, unit string, s metric.Summary, dimensions ...metric.Dimension) {
	namespace := elbNamespace
	if m.isNetwork() {
		namespace = networkNamespace
	}
	m.store.Add(m.region, metric.NewID(namespace, name, dimensions...), m.at, unit, s)
}

// isNetwork reports whether the node is one of a Network Load Balancer.
func (m nodeMetrics) isNetwork() bool { return strings.HasPrefix(m.loadBalancer, "net/") }

func (m nodeMetrics) loadBalancerDimension() metric.Dimension {
	return metric.Dimension{Name: "LoadBalancer", Value: m.loadBalancer}
}

func (m nodeMetrics) zoneDimension() metric.Dimension {
	return metric.Dimension{Name: "AvailabilityZone", Value: m.zone}
}

// addNode adds the node's own metrics. Like AWS, it leaves out metrics without data.
func (m nodeMetrics) addNode(last, now balancer.NodeCounters) {
	lb, zone := m.loadBalancerDimension(), m.zoneDimension()
	add := func(name, unit string, s metric.Summary) {
		m.add(name, unit, s, lb)
		m.add(name, unit, s, zone, lb)
	}
	for name, n := range growth(last.Sums, now.Sums) {
		switch {
		case m.isNetwork() && !slices.Contains(tlsErrors, name): // addFlows adds the others
		case name == "ProcessedBytes":
			add(name, bytes, metric.SummaryOf(n, 1))
		default:
			add(name, count, metric.SummaryOf(1, n))
		}
	}
	if m.isNetwork() {
		return
	}
	// Sum is the only meaningful statistic, so one sample a minute.
	if now.Active > 0 && m.at.Truncate(metric.Resolution).Sub(m.at) > -interval {
		add("ActiveConnectionCount", count, metric.SummaryOf(float64(now.Active), 1))
	}
}
