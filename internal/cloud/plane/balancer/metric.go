package balancer

import (
	"context"
	"math/bits"
	"net/netip"
	"sync/atomic"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/balancer/http1"
	"aloft.dev/aloft/internal/cloud/plane/balancer/socket"
)

// lanes is over how many sets of counters the exchanges of a node are spread, so
// that counting seldom waits for another processor's cache.
const lanes = 4

// The sums of a node by the names of CloudWatch (Application Load Balancer
// guide, CloudWatch metrics for your Application Load Balancer).
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
	tlsErrors
	nodeSums
)

var nodeSumNames = [nodeSums]string{
	processedBytes: "ProcessedBytes",
	own3XX:         "HTTPCode_ELB_3XX_Count", own4XX: "HTTPCode_ELB_4XX_Count", own5XX: "HTTPCode_ELB_5XX_Count",
	own500: "HTTPCode_ELB_500_Count", own502: "HTTPCode_ELB_502_Count", own503: "HTTPCode_ELB_503_Count", own504: "HTTPCode_ELB_504_Count",
	redirects: "HTTP_Redirect_Count", fixedResponses: "HTTP_Fixed_Response_Count",
	nonCompliant: "DesyncMitigationMode_NonCompliant_Request_Count", droppedHeaders: "DroppedInvalidHeaderRequestCount",
	newConnections: "NewConnectionCount", tlsErrors: "ClientTLSNegotiationErrorCount",
}

// The sums of a target group at a node.
const (
	requests = iota
	target2XX
	target3XX
	target4XX
	target5XX
	connectionErrors
	groupSums
)

var groupSumNames = [groupSums]string{
	requests:  "RequestCount",
	target2XX: "HTTPCode_Target_2XX_Count", target3XX: "HTTPCode_Target_3XX_Count", target4XX: "HTTPCode_Target_4XX_Count", target5XX: "HTTPCode_Target_5XX_Count",
	connectionErrors: "TargetConnectionErrorCount",
}

// Counts of times are kept by size: exactly below 16 µs, from there on in
// sixteen steps an octave, up to the 72 minutes that 32 bits hold.
const (
	steps   = 16
	octaves = 32 - 4
	timings = (octaves + 1) * steps
)

// timing is the place of a time among the counts.
func timing(d time.Duration) int {
	us := uint64(max(d, 0) / time.Microsecond)
	if us >= 1<<32 {
		us = 1<<32 - 1
	}
	if us < steps {
		return int(us)
	}
	octave := bits.Len64(us) - 5 // of which the five highest bits tell the step
	return (octave+1)*steps + int(us>>octave)%steps
}

// timingFrom is the shortest time that is counted at the place.
func timingFrom(place int) time.Duration {
	if place < steps {
		return time.Duration(place) * time.Microsecond
	}
	return time.Duration(steps+place%steps) << (place/steps - 1) * time.Microsecond
}

// nodeCounts are what a load balancer has counted in a zone since the process
// started. They outlive the node.
type nodeCounts struct {
	lanes  [lanes]nodeLane
	groups map[string]*groupCounts // by target group; guarded by the engine's lock
	gone   time.Time               // when the node was last there; zero: it is
}

type nodeLane struct {
	sums [nodeSums]atomic.Uint64
	_    [64]byte // keeps the lanes' cache lines apart
}

// groupCounts are those of a target group at a node.
type groupCounts struct {
	arn   string
	lanes [lanes]groupLane
}

type groupLane struct {
	sums  [groupSums]atomic.Uint64
	time  atomic.Uint64 // sum of the response times in nanoseconds
	times [timings]atomic.Uint64
	_     [64]byte
}

func (c *nodeCounts) group(arn string) *groupCounts {
	g := c.groups[arn]
	if g == nil {
		g = &groupCounts{arn: arn}
		c.groups[arn] = g
	}
	return g
}

// note counts an exchange that is over, and writes it to the access log if there
// is one. It allocates nothing.
func (n *node) note(c *connection, x *exchange) {
	for j := n.journal.Load(); j != nil && !j.note(c, x); {
		j = n.journal.Load() // it has just been replaced
	}
	lane := c.lane % lanes
	r, own := &x.record, &n.counts.lanes[lane].sums
	own[processedBytes].Add(uint64(r.received + r.delivered))
	if r.target != nil {
		r.target.counts.lanes[lane].note(r)
	}
	if r.status != r.targetStatus {
		noteOwn(own, r.status)
	}
	if a := r.action; a != nil && r.target == nil {
		switch {
		case a.redirect != nil:
			own[redirects].Add(1)
		case a.fixed != nil:
			own[fixedResponses].Add(1)
		}
	}
	if x.req.Class != http1.Compliant {
		own[nonCompliant].Add(1)
	}
	if r.connected != 0 && x.dialogue.plan.lb.DropInvalid && hasInvalid(&x.req) {
		own[droppedHeaders].Add(1)
	}
}

// note counts an exchange for which a target was chosen: others are not among
// AWS's RequestCount.
func (l *groupLane) note(r *record) {
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
	l.times[timing(took)].Add(1)
}

// noteOwn counts an answer of the load balancer itself.
func noteOwn(sums *[nodeSums]atomic.Uint64, status int) {
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

// hasInvalid tells that header fields were not passed on because of their names.
func hasInvalid(r *http1.Request) bool {
	for i := range r.Fields {
		if f := &r.Fields[i]; !f.Kind.HopByHop() && !plainName(f.Name) {
			return true
		}
	}
	return false
}

// counting counts the connections that are made to targets.
func (n *node) counting(ctx context.Context, loop *socket.Loop, to netip.AddrPort) (*socket.Conn, error) {
	conn, err := n.dial(ctx, loop, to)
	if err == nil {
		n.counts.lanes[0].sums[newConnections].Add(1)
	}
	return conn, err
}
