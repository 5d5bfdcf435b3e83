package balancers

import (
	"net/netip"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/store"
)

// standing is how a registration is to be treated, whatever its health checks
// say.
type standing struct {
	serves   bool // the balancer knows it
	draining bool
	address  netip.Addr
	gone     bool             // there is nothing behind the registration any more
	ended    bool             // the instance is being terminated or is: deregister it
	health   *balancer.Health // nil: what the health checks say
}

// The health of targets that are not checked (Elastic Load Balancing API
// Reference, TargetHealth).
var (
	starting = balancer.Health{
		State:       "initial",
		Reason:      "Elb.RegistrationInProgress",
		Description: "Target registration is in progress",
	}
	deregister = balancer.Health{
		State:       "draining",
		Reason:      "Target.DeregistrationInProgress",
		Description: "Target deregistration is in progress",
	}
	notInUse = balancer.Health{
		State:       "unused",
		Reason:      "Target.NotInUse",
		Description: "Target group is not configured to receive traffic from the load balancer",
	}
	otherZone = balancer.Health{
		State:       "unused",
		Reason:      "Target.NotInUse",
		Description: "Target is in an Availability Zone that is not enabled for the load balancer",
	}
	unusable = balancer.Health{
		State:       "unused",
		Reason:      "Target.IpUnusable",
		Description: "The IP address is reserved for use by a load balancer",
	}
	stopped = balancer.Health{
		State:       "unused",
		Reason:      "Target.InvalidState",
		Description: "Target is in the stopped state",
	}
)

// stand judges one registration by everything but its health checks.
func stand(r store.Reader, t *store.Target, group *store.TargetGroup, use use) standing {
	s := standing{address: address(r, t), draining: !t.DeregisteredAt.IsZero()}
	_, notAnAddress := netip.ParseAddr(t.ID)
	if notAnAddress != nil && s.byInstance(r, t.ID) {
		return s
	}
	switch {
	case s.draining:
		s.health = &deregister
		s.serves = use.by != nil && s.address.IsValid()
	case use.by == nil:
		s.health = &notInUse
	case t.Zone != "" && t.Zone != "all" && !use.zones[t.Zone]:
		s.health = &otherZone
	case notAnAddress == nil && ofBalancer(r, group.VPCID, s.address):
		s.health = &unusable
	case !s.address.IsValid():
		s.health = &starting
	default:
		s.serves = true
	}
	return s
}

// byInstance judges by the state of the instance; false: there is more to see.
func (s *standing) byInstance(r store.Reader, id string) (judged bool) {
	i, ok := store.Instances.Get(r, id)
	switch {
	case !ok:
		s.gone = true
		return true
	case i.State == store.ShuttingDown:
		s.ended, s.draining = true, true
	case i.State == store.Terminated:
		s.ended, s.draining, s.health = true, true, &deregister
	case i.State == store.Stopped || i.State == store.Stopping:
		s.health = &stopped
		if s.draining {
			s.health = &deregister
		}
	case i.State == store.Pending && !s.draining:
		s.health = &starting
	}
	return s.health != nil
}

// ofBalancer tells whether a load balancer's node has the address in the VPC.
func ofBalancer(r store.Reader, vpc string, address netip.Addr) bool {
	for _, nic := range store.NetworkInterfaces.By(r, "vpc", vpc) {
		if nic.PrivateIP == address && nic.LoadBalancerARN != "" {
			return true
		}
	}
	return false
}

// expiry is when a draining registration ends. The whole delay is waited out,
// whether or not requests are in flight: AWS lists the target as draining until
// then (Application Load Balancer guide, Deregistration delay). A terminated
// instance stays known for as long as its row does.
func expiry(t *store.Target, group *store.TargetGroup, s standing) time.Time {
	if s.ended {
		return time.Time{}
	}
	return t.DeregisteredAt.Add(seconds(group.Attributes["deregistration_delay.timeout_seconds"]))
}
