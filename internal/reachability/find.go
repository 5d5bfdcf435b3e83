package reachability

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"aloft.dev/aloft/internal/inventory"
)

// ErrOutside is returned for two places of which neither is in the cloud.
var ErrOutside = errors.New("neither end is in the cloud")

// Find says whether from can open a TCP connection to a port of to. The error is an
// *UnknownPlaceError for a place that the inventory does not have.
func Find(i *inventory.Inventory, from, to Place, port uint16) (*Answer, error) {
	w := &world{i}
	sources, err := w.spots(from)
	if err != nil {
		return nil, err
	}
	targets, err := w.spots(to)
	if err != nil {
		return nil, err
	}
	a := &Answer{From: from.Name, To: to.Name, Port: port}
	stage := Stage{Title: from.Name + " → " + a.Target()}
	for _, s := range sources {
		for _, t := range targets {
			if s.nic == nil && s.instance == nil && t.nic == nil && t.instance == nil {
				return nil, ErrOutside
			}
			stage.Paths = append(stage.Paths, w.toTarget(s, t, port))
		}
	}
	a.Stages = []Stage{stage}
	if lb := w.loadBalancer(to.Ref); lb != nil {
		if behind, ok := w.behind(to.Name, lb, sources[0], targets, port); ok {
			a.Stages = append(a.Stages, behind)
		}
	}
	a.settle()
	return a, nil
}

// toTarget returns the path to a spot. Nodes of internet-facing load balancers are reached at
// their public addresses from outside alone.
func (w *world) toTarget(from, to spot, port uint16) Path {
	p := w.trace(from, to, port)
	if to.balancer != nil {
		p.Hops = append(p.Hops, listenerHop(to.balancer, port))
		p.settle()
	}
	return p
}

// listenerHop says whether a load balancer listens on a port.
func listenerHop(lb *inventory.LoadBalancer, port uint16) Hop {
	h := Hop{Kind: Listener, ID: aws.ToString(lb.LoadBalancerArn), State: Allows}
	h.At = h.ID
	var all []string
	for _, l := range lb.Listeners {
		if aws.ToInt32(l.Port) == int32(port) {
			h.ID, h.Rule = aws.ToString(l.ListenerArn), fmt.Sprint(port)
			h.Reason = fmt.Sprintf("%s listens on %d", aws.ToString(lb.LoadBalancerName), port)
			return h
		}
		all = append(all, fmt.Sprint(aws.ToInt32(l.Port)))
	}
	h.State, h.Reason = Blocks, fmt.Sprintf("%s has no listener on %d", aws.ToString(lb.LoadBalancerName), port)
	if len(all) > 0 {
		h.Reason += "; it listens on " + strings.Join(all, ", ")
		h.Fix = "use port " + all[0]
	}
	return h
}

// behind returns the stage from the nodes of a load balancer to the targets that a port's
// listener forwards what a client sends to.
func (w *world) behind(
	name string, lb *inventory.LoadBalancer, client spot, nodes []spot, port uint16,
) (Stage, bool) {
	stage := Stage{Title: name + " → its targets"}
	i := slices.IndexFunc(lb.Listeners, func(l inventory.Listener) bool { return aws.ToInt32(l.Port) == int32(port) })
	if i < 0 || len(nodes) == 0 {
		return stage, false
	}
	arns := forwardsTo(lb.Listeners[i])
	for _, group := range w.TargetGroups {
		if !slices.Contains(arns, aws.ToString(group.TargetGroupArn)) {
			continue
		}
		senders := nodes
		if keepsClientAddress(lb, group) {
			senders = client.sendThrough(nodes)
		}
		for _, target := range group.Targets {
			stage.Paths = append(stage.Paths, w.pathToTarget(senders, group, target))
		}
	}
	if len(stage.Paths) == 0 && len(arns) > 0 {
		hop := Hop{
			Kind: Health, At: arns[0], ID: arns[0], State: Blocks, Reason: "the target group has no targets",
			Fix: "aws elbv2 register-targets --target-group-arn " + arns[0] + " --targets Id=i-NEW",
		}
		stage.Paths = []Path{{From: nodes[0].end(privateAddress(nodes[0].nic)), State: Blocks, Hops: []Hop{hop}}}
	}
	return stage, len(stage.Paths) > 0
}

// keepsClientAddress reports whether targets see the addresses of a load balancer's clients, which
// is the default for targets that are not IP addresses (Network Load Balancer guide, Client IP
// preservation). The attribute that turns it off is not in the inventory.
func keepsClientAddress(lb *inventory.LoadBalancer, group inventory.TargetGroup) bool {
	return lb.Type == elbtypes.LoadBalancerTypeEnumNetwork && group.TargetType != elbtypes.TargetTypeEnumIp
}

// forwardsTo returns the ARNs of the target groups of a listener and its rules.
func forwardsTo(l inventory.Listener) (arns []string) {
	actions := slices.Clone(l.DefaultActions)
	for _, r := range l.Rules {
		actions = append(actions, r.Actions...)
	}
	add := func(arn *string) {
		if arn != nil && !slices.Contains(arns, *arn) {
			arns = append(arns, *arn)
		}
	}
	for _, a := range actions {
		add(a.TargetGroupArn)
		if a.ForwardConfig != nil {
			for _, g := range a.ForwardConfig.TargetGroups {
				add(g.TargetGroupArn)
			}
		}
	}
	return arns
}

// pathToTarget returns the path from a node, of the same zone if there is one, to a target.
func (w *world) pathToTarget(
	nodes []spot, group inventory.TargetGroup, target elbtypes.TargetHealthDescription,
) Path {
	id := aws.ToString(target.Target.Id)
	port := uint16(aws.ToInt32(target.Target.Port))
	spots, err := w.spots(Place{Name: id, Ref: id})
	if err != nil || spots[0].nic == nil && spots[0].instance == nil {
		hop := Hop{Kind: Machine, At: id, ID: id, State: Blocks, Reason: "the target is gone"}
		return Path{To: End{Name: id}, Port: port, State: Blocks, Hops: []Hop{hop}}
	}
	node := nodes[0]
	for _, n := range nodes {
		if spots[0].nic != nil && aws.ToString(n.nic.AvailabilityZone) == aws.ToString(spots[0].nic.AvailabilityZone) {
			node = n
		}
	}
	p := w.trace(node, spots[0], port)
	p.Hops = append(p.Hops, healthHop(group, target))
	p.settle()
	return p
}

// healthHop says whether a load balancer sends requests to a target.
func healthHop(group inventory.TargetGroup, target elbtypes.TargetHealthDescription) Hop {
	id := aws.ToString(target.Target.Id)
	h := Hop{Kind: Health, At: id, ID: aws.ToString(group.TargetGroupArn), State: Allows}
	if target.TargetHealth == nil {
		h.State, h.Reason = Unknown, "its health is not described"
		return h
	}
	h.Reason = "the target is " + string(target.TargetHealth.State)
	if target.TargetHealth.State != elbtypes.TargetHealthStateEnumHealthy {
		h.State = Blocks
		if why := aws.ToString(target.TargetHealth.Description); why != "" {
			h.Reason += ": " + why
		}
	}
	return h
}
