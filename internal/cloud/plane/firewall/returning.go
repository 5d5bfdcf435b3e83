//go:build linux

package firewall

import "slices"

// The node of a Network Load Balancer forwards a client's flow with the client's address, so
// a target's replies have the client as their destination. The router sends them to the node
// nevertheless: it marks flows that nodes forward with the node, and their replies with the
// mark of the flow, which selects a routing table.

// balancers returns the interfaces of nodes of Network Load Balancers.
func (r Router) balancers() []Interface {
	return slices.DeleteFunc(slices.Clone(r.Interfaces), func(i Interface) bool { return !i.Balances })
}

// balancerSets returns the map of the devices of nodes to their marks, and for each security
// group of nodes to which a rule refers the set of their devices.
func (r Router) balancerSets() []set {
	nodes := r.balancers()
	if len(nodes) == 0 {
		return nil
	}
	marks := set{name: "nodes", key: []field{inDevice}, value: &mark}
	for _, i := range nodes {
		marks.add(element{key: []value{deviceValue(i.Device)}, value: markValue(i.ReturnMark)})
	}
	sets := []set{marks}
	for _, id := range r.referencedGroups() {
		members := set{name: nodeSet(id), key: []field{inDevice}}
		for _, i := range nodes {
			if slices.Contains(i.SecurityGroups, id) {
				members.add(element{key: []value{deviceValue(i.Device)}})
			}
		}
		if len(members.elements) > 0 {
			sets = append(sets, members)
		}
	}
	return sets
}

// nodeSet returns the name of the set of the devices of nodes that have a security group.
func nodeSet(groupID string) string { return "nodes-" + groupID }

// balances reports whether a node of a Network Load Balancer has the security group.
func (r Router) balances(groupID string) bool {
	return slices.ContainsFunc(r.balancers(), func(i Interface) bool {
		return slices.Contains(i.SecurityGroups, groupID)
	})
}

// fromBalancers returns the rule that admits what nodes with the security group of the rule
// forward, whoever the client is (Network Load Balancer guide, Security groups).
func (r Rule) fromBalancers() rule {
	from := rule{inSet{[]field{inDevice}, nodeSet(r.SecurityGroup), false}}
	return append(append(from, r.matchProtocol()...), accept)
}

// returnChain returns the chain that marks flows and their replies, if there are nodes.
func (r Router) returnChain() []chain {
	if len(r.balancers()) == 0 {
		return nil
	}
	return []chain{{name: "return", hook: preroutingMark, rules: []rule{
		{reply, markAsConnection{}}, {isNew, markConnectionBy{inDevice, "nodes"}},
	}}}
}

// restoreMarks returns the rule that marks packets with the subnet they come from again, once
// they are routed, if there are nodes.
func (r Router) restoreMarks() []rule {
	if len(r.balancers()) == 0 {
		return nil
	}
	return []rule{{setMark{inDevice, "subnets"}}}
}

// enterBalancers returns the rules that apply the network ACLs of nodes' subnets to replies
// that return to the nodes. They do not enter the subnets of their destinations.
func (r Router) enterBalancers() []rule {
	var rules []rule
	for _, i := range r.balancers() {
		returns := equals{outDevice, deviceValue(i.Device)}
		for _, s := range r.Subnets {
			if s.Mark == i.Mark && s.ACL != nil {
				rules = append(rules, rule{returns, established, jumpTo(enterChain(s.ID))})
			}
		}
		rules = append(rules, rule{returns, established, accept})
	}
	return rules
}
