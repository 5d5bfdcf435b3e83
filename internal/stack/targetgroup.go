package stack

import "fmt"

// KindTargetGroup is the kind of a target group.
const KindTargetGroup Kind = "target-group"

var targetGroupKind = properties{kind: KindTargetGroup, mayReferTo: []Kind{KindVPC}}

// AddressTargetGroup is the address of the application's target group.
const AddressTargetGroup = "target-group"

// Attributes of a target group.
const (
	AttrHealthPath          AttributeKey = "health path"
	AttrHealthInterval      AttributeKey = "health interval"
	AttrHealthTimeout       AttributeKey = "health timeout"
	AttrHealthyThreshold    AttributeKey = "healthy after"
	AttrUnhealthyThreshold  AttributeKey = "unhealthy after"
	AttrHealthCodes         AttributeKey = "health codes"
	AttrDeregistrationDelay AttributeKey = "deregistration delay"
)

// TargetGroup is the set of targets of the load balancer, with their health
// check. Each target has its own port, so a change of the application's port does
// not need another target group.
type TargetGroup struct {
	VPC       Ref
	GroupName string
	Port      int
	Path      string
	Interval  int // seconds
	Timeout   int // seconds
	Healthy   int // threshold
	Unhealthy int // threshold
	Matcher   string
	Delay     int // deregistration delay in seconds
}

// Kind implements Body.
func (TargetGroup) Kind() Kind { return KindTargetGroup }

// Title implements Body.
func (g TargetGroup) Title() string {
	return fmt.Sprintf("target group %s: HTTP on port %d, health check %s", g.GroupName, g.Port, g.Path)
}

// Attributes implements Body.
func (g TargetGroup) Attributes() []Attribute {
	return []Attribute{
		fixed(ref(AttrVPC, g.VPC)),
		fixed(text(AttrProtocol, "HTTP")),
		text(AttrHealthPath, g.Path),
		seconds(AttrHealthInterval, g.Interval),
		seconds(AttrHealthTimeout, g.Timeout),
		text(AttrHealthyThreshold, g.Healthy),
		text(AttrUnhealthyThreshold, g.Unhealthy),
		text(AttrHealthCodes, g.Matcher),
		seconds(AttrDeregistrationDelay, g.Delay),
	}
}

// Needs implements Body.
func (TargetGroup) Needs() []Ref { return nil }
