//go:build linux

package invariant

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"aloft.dev/aloft/internal/cloud/host"
	"aloft.dev/aloft/internal/cloud/store"
)

// Kernel compares the rows of a local cloud with what exists on this host. No loop may be
// about to change either.
func Kernel(layout host.Layout, view store.Reader) []string {
	c := &kernel{rows: rows{Reader: view, owners: map[string]string{}}, layout: layout, running: map[string]bool{}}
	for _, i := range store.Instances.List(view) {
		if i.State == store.Running {
			c.running[i.ID] = true
		}
	}
	c.machines()
	c.volumes()
	c.routers()
	c.nodes()
	slices.Sort(c.found)
	return c.found
}

// kernel is a check of what exists on the host.
type kernel struct {
	rows
	layout  host.Layout
	running map[string]bool // instances
}

// same compares the names of what exists with those that are wanted.
func (c *kernel) same(what string, wanted, existing []string) {
	for _, name := range wanted {
		if !slices.Contains(existing, name) {
			c.differ("there is no %s %s", what, name)
		}
	}
	for _, name := range existing {
		if !slices.Contains(wanted, name) {
			c.differ("the %s %s belongs to no row", what, name)
		}
	}
}

// entries returns the names in a folder; none if it does not exist.
func entries(folder string) (names []string) {
	found, _ := os.ReadDir(folder)
	for _, entry := range found {
		names = append(names, entry.Name())
	}
	return names
}

// volumes checks the files of volumes and snapshots.
func (c *kernel) volumes() {
	var wanted []string
	for _, v := range store.Volumes.List(c) {
		if v.FileGiB > 0 {
			wanted = append(wanted, v.ID)
		}
	}
	for _, s := range store.Snapshots.List(c) {
		if s.InFile {
			wanted = append(wanted, s.ID)
		}
	}
	c.same("file of a volume", wanted, entries(c.layout.Volumes()))
}

// machines checks namespaces, root file systems, control groups, processes and disks.
func (c *kernel) machines() {
	wanted := slices.Sorted(maps.Keys(c.running))
	c.same("folder of a machine", wanted, entries(c.layout.MachineRun()))
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		c.differ("%v", err)
	}
	var mounted []string
	for line := range strings.Lines(string(mounts)) {
		rest, ok := strings.CutPrefix(strings.Fields(line)[4], c.layout.MachineRun()+"/")
		if ok {
			mounted = append(mounted, rest)
		}
	}
	var mountsWanted []string
	for _, id := range wanted {
		mountsWanted = append(mountsWanted, id+"/net", id+"/root", id+"/devices")
	}
	c.same("mount", mountsWanted, mounted)
	hierarchies := 0 // one of version 2, or some of version 1, or both
	for _, pattern := range []string{"/sys/fs/cgroup/", "/sys/fs/cgroup/*/"} {
		folders, _ := filepath.Glob(pattern + c.layout.Prefix)
		for _, folder := range folders {
			hierarchies++
			c.cgroups(folder, wanted)
		}
	}
	if hierarchies == 0 && len(wanted) > 0 {
		c.differ("there are no control groups")
	}
	var disks []string
	for _, i := range store.Instances.List(c) {
		if i.State != store.Terminated {
			disks = append(disks, i.ID)
		}
	}
	c.same("disk", disks, entries(c.layout.Machines()))
}

// cgroups checks the control groups of all machines in a hierarchy. Each contains a
// launcher and a system.
func (c *kernel) cgroups(folder string, wanted []string) {
	var found []string
	for _, name := range entries(folder) {
		if strings.HasPrefix(name, "i-") {
			found = append(found, name)
		}
	}
	c.same("control group", wanted, found)
	for _, id := range wanted {
		group := filepath.Join(folder, id)
		launcher := filepath.Join(group, "launcher")
		if _, err := os.Stat(launcher); err != nil { // of version 1, where both are in one group
			if processes(group) < 2 {
				c.differ("the launcher or the system of %s does not run in %s", id, folder)
			}
			continue
		}
		if n := processes(launcher); n != 1 {
			c.differ("%d launchers run for %s", n, id)
		}
		if processes(filepath.Join(group, "machine")) == 0 {
			c.differ("no system runs for %s", id)
		}
	}
}

// processes counts the processes in a control group and those below it.
func processes(group string) (n int) {
	_ = filepath.WalkDir(group, func(path string, _ os.DirEntry, _ error) error { // groups end while it walks
		if filepath.Base(path) == "cgroup.procs" {
			content, _ := os.ReadFile(path)
			n += len(strings.Fields(string(content)))
		}
		return nil
	})
	return n
}

// in runs a command in a network namespace and returns its output.
func (c *kernel) in(namespace string, command ...string) string {
	out, err := exec.Command("nsenter", append([]string{"--net=" + namespace}, command...)...).Output()
	if err != nil {
		c.differ("%s in %s: %v", strings.Join(command, " "), namespace, err)
	}
	return string(out)
}

// attached returns the interfaces of a VPC that something uses now, with the paths of
// their namespaces.
func (c *kernel) attached(vpc string) map[*store.NetworkInterface]string {
	all := map[*store.NetworkInterface]string{}
	for _, n := range store.NetworkInterfacesInVPC(c, vpc) {
		switch {
		case c.running[n.InstanceID]:
			all[n] = filepath.Join(c.layout.MachineRun(), n.InstanceID, "net")
		case n.LoadBalancerARN != "" && n.ReleasedAt.IsZero():
			all[n] = filepath.Join(c.layout.NetworkRun(), "nodes", n.ID)
		}
	}
	return all
}

// routers checks each VPC's namespace: its veths, addresses, routes and firewall.
func (c *kernel) routers() {
	folder := filepath.Join(c.layout.NetworkRun(), "routers")
	var wanted []string
	for _, vpc := range store.VPCs.List(c) {
		wanted = append(wanted, vpc.ID)
		router := filepath.Join(folder, vpc.ID)
		attached := c.attached(vpc.ID)
		var addresses, routes []string
		for n, namespace := range attached {
			device := "ens5" // also of a load balancer's node, whose device index is 1
			if n.InstanceID != "" {
				device = fmt.Sprintf("ens%d", 5+n.DeviceIndex)
			}
			has := c.in(namespace, "ip", "-4", "-o", "addr", "show", "dev", device)
			for _, a := range n.Addresses() {
				addresses = append(addresses, a.Private.String())
				if !strings.Contains(has, " "+a.Private.String()+"/") {
					c.differ("%s does not have the address %s", n.ID, a.Private)
				}
			}
		}
		for line := range strings.Lines(c.in(router, "ip", "-4", "route", "show", "table", "all", "type", "unicast")) {
			// A default route is that of replies to a load balancer's node, or of a NAT gateway.
			if fields := strings.Fields(line); strings.Contains(line, " dev eni") && fields[0] != "default" {
				routes = append(routes, fields[0])
			}
		}
		slices.Sort(routes)
		c.same("route in "+vpc.ID+" to", addresses, slices.Compact(routes))
		c.firewall(vpc.ID, parse(c.in(router, "nft", "list", "table", "ip", "aloft")), attached)
	}
	c.same("router", wanted, entries(folder))
}

// firewall checks that the chains of a router admit what the rows of its groups do.
func (c *kernel) firewall(vpc string, r ruleset, attached map[*store.NetworkInterface]string) {
	var wanted, existing []string
	for n := range attached {
		wanted = append(wanted, "to-"+n.ID)
		var jumps []string
		for _, line := range r["chain to-"+n.ID] {
			if to, ok := strings.CutPrefix(line, "jump ingress-"); ok {
				jumps = append(jumps, to)
			}
		}
		c.same(n.ID+" is in the chain of", n.GroupIDs, jumps)
	}
	for name := range r {
		if chain, ok := strings.CutPrefix(name, "chain "); ok && strings.HasPrefix(chain, "to-") {
			existing = append(existing, chain)
		}
	}
	c.same("chain in "+vpc, wanted, existing)
	for _, g := range store.SecurityGroupsByVPC.List(c, vpc) {
		rules := r["chain ingress-"+g.ID]
		for _, rule := range g.Rules {
			if rule.Egress || rule.Protocol != "tcp" || !rule.CIDR.IsValid() {
				continue
			}
			if !slices.ContainsFunc(rules, func(line string) bool {
				return strings.Contains(line, "dport "+strconv.Itoa(rule.FromPort))
			}) && rules != nil { // groups that nothing uses have no chain
				c.differ("the chain of %s does not admit port %d: %q", g.ID, rule.FromPort, rules)
			}
		}
	}
}

// ruleset is the output of nft list: the lines of each chain, set and map.
type ruleset map[string][]string

func parse(text string) ruleset {
	r, block := ruleset{}, ""
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch name, opens := strings.CutSuffix(line, " {"); {
		case opens:
			block = name
			r[block] = []string{}
		case line != "}":
			r[block] = append(r[block], line)
		}
	}
	return r
}

// nodes checks that each node of a load balancer listens on its listeners' ports, or forwards
// them, and no other.
func (c *kernel) nodes() {
	folder, wanted := filepath.Join(c.layout.NetworkRun(), "nodes"), []string(nil)
	for _, lb := range store.LoadBalancers.List(c) {
		var ports []string
		for _, l := range store.ListenersByLoadBalancer.List(c, lb.ARN) {
			ports = append(ports, fmt.Sprint(l.Port))
		}
		for _, node := range lb.Nodes {
			wanted = append(wanted, node.InterfaceID)
			open := c.listening(filepath.Join(folder, node.InterfaceID))
			if lb.IsNetwork() {
				open = c.forwarded(filepath.Join(folder, node.InterfaceID))
			}
			slices.Sort(open)
			c.same("listener of "+lb.Name+" on port", ports, slices.Compact(open))
		}
	}
	c.same("node of a load balancer", wanted, entries(folder))
}

// listening returns the TCP ports on which something listens in a namespace.
func (c *kernel) listening(namespace string) (ports []string) {
	for line := range strings.Lines(c.in(namespace, "ss", "-Hltn")) {
		address := strings.Fields(line)[3]
		ports = append(ports, address[strings.LastIndex(address, ":")+1:])
	}
	return ports
}

// forwarded returns the ports that the namespace of a Network Load Balancer's node forwards.
func (c *kernel) forwarded(namespace string) (ports []string) {
	for _, line := range parse(c.in(namespace, "nft", "list", "table", "ip", "aloft"))["chain services"] {
		if _, after, ok := strings.Cut(line, " dport "); ok {
			ports = append(ports, strings.Fields(after)[0])
		}
	}
	return ports
}
