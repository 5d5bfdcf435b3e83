//go:build linux

package engine

import (
	"maps"
	"sync/atomic"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/plane/balancer/http1"
)

// lanes is over how many sets of counters the exchanges of a node are spread, so that
// counting rarely waits for another processor's cache.
const lanes = 4

// The sums of a node by CloudWatch's names (Application Load Balancer guide,
// CloudWatch metrics for your Application Load Balancer; Network Load Balancer guide).
const (
	processedBytes = iota
	own3XX
	own4XX
	own5XX
	own500
	own502
	own503
	own504
	redirects
	fixedResponses
	nonCompliant
	droppedHeaders
	newConnections
	rejectedConnections
	tlsErrors
	targetTLSErrors
	tlsFlowBytes // by flowProtocol
	tcpFlowBytes
	newTLSFlows // by flowProtocol
	newTCPFlows
	nodeSums
)

// flowProtocol is the protocol of the clients of an opaque listener.
type flowProtocol int

// The protocols, in the order of their sums.
const (
	tlsFlow flowProtocol = iota
	tcpFlow
	flowProtocols
)

var nodeSumNames = [nodeSums]string{
	processedBytes:      "ProcessedBytes",
	own3XX:              "HTTPCode_ELB_3XX_Count",
	own4XX:              "HTTPCode_ELB_4XX_Count",
	own5XX:              "HTTPCode_ELB_5XX_Count",
	own500:              "HTTPCode_ELB_500_Count",
	own502:              "HTTPCode_ELB_502_Count",
	own503:              "HTTPCode_ELB_503_Count",
	own504:              "HTTPCode_ELB_504_Count",
	redirects:           "HTTP_Redirect_Count",
	fixedResponses:      "HTTP_Fixed_Response_Count",
	nonCompliant:        "DesyncMitigationMode_NonCompliant_Request_Count",
	droppedHeaders:      "DroppedInvalidHeaderRequestCount",
	newConnections:      "NewConnectionCount",
	rejectedConnections: "RejectedConnectionCount",
	tlsErrors:           "ClientTLSNegotiationErrorCount",
	targetTLSErrors:     "TargetTLSNegotiationErrorCount",
	tlsFlowBytes:        "ProcessedBytes_TLS",
	tcpFlowBytes:        "ProcessedBytes_TCP",
	newTLSFlows:         "NewFlowCount_TLS",
	newTCPFlows:         "NewFlowCount_TCP",
}

// The sums of a target group at a node.
const (
	requests = iota
	grpcRequests
	target2XX
	target3XX
	target4XX
	target5XX
	connectionErrors
	groupSums
)

var groupSumNames = [groupSums]string{
	requests:         "RequestCount",
	grpcRequests:     "GrpcRequestCount",
	target2XX:        "HTTPCode_Target_2XX_Count",
	target3XX:        "HTTPCode_Target_3XX_Count",
	target4XX:        "HTTPCode_Target_4XX_Count",
	target5XX:        "HTTPCode_Target_5XX_Count",
	connectionErrors: "TargetConnectionErrorCount",
}

// nodeCounts are a load balancer's counts in a zone since the process started. They
// outlive the node.
type nodeCounts struct {
	lanes  [lanes]nodeLane
	flows  [flowProtocols]atomic.Int64 // open connections of opaque listeners that have one to a target
	groups map[string]*groupCounts     // by target group; guarded by the engine's lock
	gone   time.Time                   // when the node was found missing; zero: it exists
}

type nodeLane struct {
	sums [nodeSums]atomic.Uint64
	_    [64]byte // keeps the lanes' cache lines apart
}

// groupCounts are a target group's counts at a node.
type groupCounts struct {
	arn     string
	lanes   [lanes]groupLane
	targets map[targetKey]*targetCounts // that are registered; guarded by the engine's lock
}

// targetKey identifies a target within its group.
type targetKey struct {
	id   string
	port uint16
}

// targetCounts are a target's counts at a node. Targets are many, so a histogram is not in each
// lane. Few exchanges at once have times of the same bucket of the same target.
type targetCounts struct {
	lanes [lanes]targetLane
	times histogram
}

type targetLane struct {
	requests, failures atomic.Uint64
	_                  [48]byte // fills a cache line
}

type groupLane struct {
	sums  [groupSums]atomic.Uint64
	time  atomic.Uint64 // sum of the response times in nanoseconds
	times histogram
	_     [64]byte
}

func (c *nodeCounts) group(arn string) *groupCounts {
	g := c.groups[arn]
	if g == nil {
		g = &groupCounts{arn: arn, targets: map[targetKey]*targetCounts{}}
		c.groups[arn] = g
	}
	return g
}

// record counts a finished exchange, and logs it if there is an access log. It does not
// allocate.
func (n *node) record(c *connection, x *exchange) {
	if log := n.accessLog.Load(); log != nil {
		n.logExchange(log, c, x)
	}
	lane := c.lane % lanes
	r, own := &x.record, &n.counts.lanes[lane].sums
	own[processedBytes].Add(uint64(r.received + r.sent))
	if r.target != nil {
		r.target.counts.lanes[lane].record(r)
		r.target.own.record(lane, r)
		if c.stream && isGRPC(&x.req) {
			r.target.counts.lanes[lane].sums[grpcRequests].Add(1)
		}
	}
	if r.status != r.targetStatus {
		countOwnResponse(own, r.status)
	}
	if a := r.action; a != nil && r.target == nil {
		switch {
		case a.Redirect != nil:
			own[redirects].Add(1)
		case a.FixedResponse != nil:
			own[fixedResponses].Add(1)
		}
	}
	if x.req.Class != http1.Compliant {
		own[nonCompliant].Add(1)
	}
	if r.connected != 0 && x.roundTrip.listener.lb.DropInvalid && hasInvalidName(&x.req) {
		own[droppedHeaders].Add(1)
	}
}

// record counts an exchange for which a target was chosen. AWS's RequestCount does not
// include others.
func (l *groupLane) record(r *record) {
	l.sums[requests].Add(1)
	if r.connected == 0 {
		l.sums[connectionErrors].Add(1)
		return
	}
	if r.targetStatus == 0 {
		return
	}
	if class := r.targetStatus / 100; 2 <= class && class <= 5 {
		l.sums[target2XX+class-2].Add(1)
	}
	took := r.answered - r.connected
	l.time.Add(uint64(max(took, 0)))
	l.times.add(took)
}

// record counts an exchange with the target.
func (c *targetCounts) record(lane int, r *record) {
	l := &c.lanes[lane]
	l.requests.Add(1)
	if r.connected == 0 || r.targetStatus == 0 || r.targetStatus >= 500 {
		l.failures.Add(1)
	}
	if r.targetStatus != 0 {
		c.times.add(r.answered - r.connected)
	}
}

// target returns the counts of a target. The engine's lock is held.
func (g *groupCounts) target(t balancer.Target) *targetCounts {
	key := targetKey{t.ID, t.Port}
	c := g.targets[key]
	if c == nil {
		c = &targetCounts{}
		g.targets[key] = c
	}
	return c
}

// keepTargets forgets the counts of other targets than those of the group. The engine's lock is
// held.
func (g *groupCounts) keepTargets(group *balancer.TargetGroup) {
	registered := make(map[targetKey]bool, len(group.Targets))
	for _, t := range group.Targets {
		registered[targetKey{t.ID, t.Port}] = true
	}
	maps.DeleteFunc(g.targets, func(key targetKey, _ *targetCounts) bool { return !registered[key] })
}

// countOwnResponse counts a response of the load balancer itself.
func countOwnResponse(sums *[nodeSums]atomic.Uint64, status int) {
	if class := status / 100; 3 <= class && class <= 5 {
		sums[own3XX+class-3].Add(1)
	}
	switch status {
	case 500:
		sums[own500].Add(1)
	case 502, 503, 504:
		sums[own502+status-502].Add(1)
	}
}
