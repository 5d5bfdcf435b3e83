package stack

import "fmt"

// KindTarget is the kind of a server's registration with a target group.
const KindTarget Kind = "target"

var targetKind = properties{
	kind:             KindTarget,
	mayReferTo:       []Kind{KindServer, KindTargetGroup, KindListener, KindImage},
	serves:           true,
	deletedWithOwner: true,
}

// Attributes of a target.
const (
	AttrServer AttributeKey = "server"
	AttrHealth AttributeKey = "health"
)

// Target is the registration of one server with the target group. It counts as
// created once it is healthy.
type Target struct {
	TargetGroup Ref
	Server      Ref
	Port        int
	Listener    Ref // the load balancer checks health only for a group with a listener
	Image       Ref // once it exists, the server is complete
}

// Kind implements Body.
func (Target) Kind() Kind { return KindTarget }

// Title implements Body.
func (t Target) Title() string {
	return fmt.Sprintf("%s, port %d, in the target group", t.Server.Address, t.Port)
}

// Attributes implements Body.
func (t Target) Attributes() []Attribute {
	return []Attribute{
		fixed(ref(AttrTargetGroup, t.TargetGroup)),
		fixed(ref(AttrServer, t.Server)),
		fixed(text(AttrPort, t.Port)),
		text(AttrHealth, Healthy),
	}
}

// Needs implements Body.
func (t Target) Needs() []Ref { return []Ref{t.Listener, t.Image} }
