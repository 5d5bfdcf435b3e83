package stack

import "fmt"

// KindListener is the kind of a load balancer's listener.
const KindListener Kind = "listener"

var listenerKind = properties{kind: KindListener, mayReferTo: []Kind{KindLoadBalancer, KindTargetGroup}}

// AddressListener is the address of the application's listener.
const AddressListener = "listener"

// AttrForwardsTo is the target group that a listener forwards to.
const AttrForwardsTo AttributeKey = "forwards to"

// Listener accepts requests on a port of a load balancer and forwards them to a
// target group.
type Listener struct {
	LoadBalancer Ref
	Port         int
	TargetGroup  Ref
}

// Kind implements Body.
func (Listener) Kind() Kind { return KindListener }

// Title implements Body.
func (l Listener) Title() string {
	return fmt.Sprintf("listener HTTP:%d, forwards to the target group", l.Port)
}

// Attributes implements Body.
func (l Listener) Attributes() []Attribute {
	return []Attribute{
		fixed(ref(AttrLoadBalancer, l.LoadBalancer)),
		text(AttrPort, l.Port),
		text(AttrProtocol, "HTTP"),
		ref(AttrForwardsTo, l.TargetGroup),
	}
}

// Needs implements Body.
func (Listener) Needs() []Ref { return nil }
