package reachability

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"aloft.dev/aloft/internal/inventory"
)

// Internet is the name of any address outside of the cloud.
const Internet = "internet"

// Place is an end of a connection as a person names it.
type Place struct {
	// Name is for people: server-1.
	Name string
	// Ref is an instance's or an interface's id, an address, a load balancer's ARN, name or DNS
	// name, or Internet.
	Ref string
}

// UnknownPlaceError is returned for a place that the inventory does not have.
type UnknownPlaceError struct{ Place Place }

func (e *UnknownPlaceError) Error() string {
	return fmt.Sprintf("%s is no machine, address or load balancer here", e.Place.Name)
}

// spot is a place in the inventory.
type spot struct {
	name     string
	nic      *types.NetworkInterface // nil: outside
	instance *types.Instance         // nil: none
	address  netip.Addr              // outside; the zero Addr is any on the internet
	public   bool                    // nic was named by its public address
	named    bool                    // nic was named by an address
	balancer *inventory.LoadBalancer // whose node it is
	sender   netip.Addr              // of what a node forwards, if hasSender; the zero Addr is any on the internet

	hasSender bool
}

// sendThrough returns nodes that forward what the spot sends, with its address.
func (s spot) sendThrough(nodes []spot) []spot {
	nodes = slices.Clone(nodes)
	for i, n := range nodes {
		nodes[i].hasSender, nodes[i].sender = true, s.address
		switch {
		case s.nic != nil && n.public:
			nodes[i].sender = publicAddress(s.nic)
		case s.nic != nil:
			nodes[i].sender = privateAddress(s.nic)
		}
	}
	return nodes
}

// peer returns the spot, which is in a VPC, as the other end in the VPC sees it. Rules that name
// the security groups of a load balancer's node admit what it forwards.
func (s spot) peer() peer {
	p := peer{privateAddress(s.nic), groupIDs(s.nic)}
	if s.hasSender {
		p.address = s.sender
	}
	return p
}

// spots returns where a place is. A load balancer is at each of its nodes.
func (w *world) spots(p Place) ([]spot, error) {
	if p.Ref == Internet {
		return []spot{{name: p.Name}}, nil
	}
	if address, err := netip.ParseAddr(p.Ref); err == nil {
		return []spot{w.spotAt(p.Name, address)}, nil
	}
	if instance := w.instance(p.Ref); instance != nil {
		s := spot{name: p.Name, instance: instance}
		for i := range w.Interfaces {
			nic := &w.Interfaces[i]
			if nic.Attachment != nil && aws.ToString(nic.Attachment.InstanceId) == p.Ref &&
				(s.nic == nil || aws.ToInt32(nic.Attachment.DeviceIndex) == 0) {
				s.nic = nic
			}
		}
		return []spot{s}, nil
	}
	if nic := w.nic(p.Ref); nic != nil {
		return []spot{w.spotOf(p.Name, nic)}, nil
	}
	if lb := w.loadBalancer(p.Ref); lb != nil {
		return w.nodes(p.Name, lb), nil
	}
	return nil, &UnknownPlaceError{p}
}

// spotAt returns the place at an address.
func (w *world) spotAt(name string, address netip.Addr) spot {
	for i := range w.Interfaces {
		nic := &w.Interfaces[i]
		if publicAddress(nic) == address || privateAddress(nic) == address {
			s := w.spotOf(name, nic)
			s.named, s.public = true, publicAddress(nic) == address
			return s
		}
	}
	return spot{name: name, address: address}
}

func (w *world) spotOf(name string, nic *types.NetworkInterface) spot {
	s := spot{name: name, nic: nic}
	if nic.Attachment != nil {
		s.instance = w.instance(aws.ToString(nic.Attachment.InstanceId))
	}
	return s
}

// nodes returns the nodes of a load balancer. Their interfaces have the load balancer's name
// in their description (Elastic Load Balancing User Guide, Application Load Balancers).
func (w *world) nodes(name string, lb *inventory.LoadBalancer) []spot {
	_, resource, _ := strings.Cut(aws.ToString(lb.LoadBalancerArn), "loadbalancer/")
	var all []spot
	for i := range w.Interfaces {
		if nic := &w.Interfaces[i]; aws.ToString(nic.Description) == "ELB "+resource {
			s := w.spotOf(name+" in "+aws.ToString(nic.AvailabilityZone), nic)
			s.balancer = lb
			s.public = lb.Scheme == elbtypes.LoadBalancerSchemeEnumInternetFacing // as its DNS name says
			all = append(all, s)
		}
	}
	return all
}

// end returns how a spot is shown, with the address that the other end sees.
func (s spot) end(address netip.Addr) End {
	e := End{Name: s.name}
	if s.instance != nil {
		e.InstanceID, e.VPC = aws.ToString(s.instance.InstanceId), aws.ToString(s.instance.VpcId)
	}
	if s.nic != nil {
		e.Interface, e.VPC = aws.ToString(s.nic.NetworkInterfaceId), aws.ToString(s.nic.VpcId)
	}
	if address.IsValid() {
		e.Address = address.String()
	}
	return e
}

func publicAddress(nic *types.NetworkInterface) netip.Addr {
	if nic.Association == nil {
		return netip.Addr{}
	}
	address, _ := netip.ParseAddr(aws.ToString(nic.Association.PublicIp)) // the zero Addr for none
	return address
}

func privateAddress(nic *types.NetworkInterface) netip.Addr {
	address, _ := netip.ParseAddr(aws.ToString(nic.PrivateIpAddress))
	return address
}
