package spec

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

func (s *Spec) validateNetwork(d *decoder) {
	if s.Network.Exists() {
		s.validateExisting(d)
	} else {
		s.rejectExisting(d)
		s.validateSubnets(d)
		s.validatePrivate(d)
	}
	access := s.Security.Access
	d.require(access == AccessSSH || access == AccessEndpoint, "security.access",
		"use ssh or endpoint", "%q is not a way to reach servers", access)
	if s.Security.ThroughEndpoint() {
		d.require(len(s.Security.SSH.From) == 0, "security.ssh.from",
			"remove it, or use access: ssh",
			"servers that are reached through the endpoint open port 22 to nobody else")
		d.require(s.Machines.Key == "", "machines.key",
			"remove it, or use access: ssh", "servers that are reached through the endpoint have no key pair")
	}
	for i, from := range s.Security.SSH.From {
		d.require(from != Anywhere || s.Security.SSH.AllowWorld, fmt.Sprintf("security.ssh.from[%d]", i),
			"list the addresses that need it, or add allow_world: true under ssh to confirm",
			"SSH would be open to the whole internet (0.0.0.0/0)")
	}
}

func (s *Spec) validateSubnets(d *decoder) {
	vpc := s.Network.CIDR
	if !vpc.IsValid() {
		return // the decoder has reported it
	}
	d.require(vpc.Bits() >= 16 && vpc.Bits() <= 28, "network.cidr", "for example: cidr: 10.0.0.0/16",
		"%s: a VPC is /16 to /28 (Amazon VPC User Guide, \"VPC CIDR blocks\")", vpc)
	d.require(len(s.Network.Subnets) >= 2, "network.subnets", "add subnets in other zones",
		"a load balancer needs subnets in two zones or more, there are %d", len(s.Network.Subnets))
	zones := map[string]int{}
	for i, subnet := range s.Network.Subnets {
		path := fmt.Sprintf("network.subnets[%d]", i)
		if subnet.Zone != "" {
			first, taken := zones[subnet.Zone]
			d.require(!taken, path+".zone", "a zone that fails takes all its subnets with it: use another one",
				"zone %s has subnets[%d] already", subnet.Zone, first)
			d.require(!s.RegionGiven || strings.HasPrefix(subnet.Zone, s.Region), path+".zone",
				"the names of its zones are like "+s.Region+"a", "zone %q is not in region %s", subnet.Zone, s.Region)
			zones[subnet.Zone] = i
		}
		s.validateSubnetCIDR(d, path+".cidr", i, vpc)
	}
}

func (s *Spec) validateSubnetCIDR(d *decoder, path string, i int, vpc netip.Prefix) {
	cidr := s.Network.Subnets[i].CIDR
	if !cidr.IsValid() {
		d.require(d.written(path), path, "for example: cidr: 10.0.1.0/24", "a subnet needs a CIDR block")
		return
	}
	d.require(cidr.Bits() <= 27, path, "an Application Load Balancer needs /27 or larger, with 8 free addresses "+
		"(Elastic Load Balancing User Guide)", "%s is too small", cidr)
	inside := cidr.Bits() >= vpc.Bits() && vpc.Contains(cidr.Addr())
	d.require(inside, path, "choose a block within "+vpc.String(), "%s is outside the VPC's %s", cidr, vpc)
	for j := range i {
		other := s.Network.Subnets[j].CIDR
		d.require(!other.IsValid() || !other.Overlaps(cidr), path,
			"give each subnet addresses of its own", "%s overlaps %s of subnets[%d]", cidr, other, j)
	}
}

// validatePrivate checks the private subnets and their way out.
func (s *Spec) validatePrivate(d *decoder) {
	n := s.Network
	if !n.Private {
		d.require(n.NAT == "", "network.nat", "add private: true under network, or remove nat",
			"only private servers need a NAT gateway")
		for i, subnet := range n.Subnets {
			d.require(!subnet.Private.IsValid(), fmt.Sprintf("network.subnets[%d].private", i),
				"add private: true under network", "there are no private subnets without network.private")
		}
		return
	}
	d.require(slices.Contains([]string{NATZone, NATSingle, NATNone}, n.NAT), "network.nat",
		"zone is the default", "expected zone, single or none, got %q", n.NAT)
	if n.NAT == NATNone {
		for _, needs := range []struct {
			path string
			set  bool
		}{
			{"env", len(s.Env) > 0}, {"env_file", s.EnvFile != ""}, {"secrets", len(s.Secrets) > 0},
			{"permissions", len(s.Permissions) > 0}, {"logs", s.Logs != nil},
		} {
			d.require(!needs.set, needs.path, "use nat: zone or nat: single",
				"servers with network.nat: none have no way to the APIs of AWS, which it needs")
		}
	}
	for i := range n.Subnets {
		s.validatePrivateCIDR(d, i)
	}
}

func (s *Spec) validatePrivateCIDR(d *decoder, i int) {
	vpc, cidr, path := s.Network.CIDR, s.Network.Subnets[i].Private, fmt.Sprintf("network.subnets[%d].private", i)
	switch {
	case !vpc.IsValid() || !cidr.IsValid() && d.written(path):
		return // reported already
	case !cidr.IsValid():
		d.require(false, path, "give the private subnets blocks of their own, or the VPC a larger one",
			"there is no room left in %s", vpc)
		return
	}
	d.require(cidr.Bits() <= 28, path, "for example: private: 10.0.4.0/24",
		"%s: a subnet is /16 to /28 (Amazon VPC User Guide, \"Subnet CIDR blocks\")", cidr)
	d.require(cidr.Bits() >= vpc.Bits() && vpc.Contains(cidr.Addr()), path,
		"choose a block within "+vpc.String(), "%s is outside the VPC's %s", cidr, vpc)
	for j, other := range s.Network.Subnets {
		d.require(!other.CIDR.IsValid() || !other.CIDR.Overlaps(cidr), path,
			"give each subnet addresses of its own", "%s overlaps %s of subnets[%d]", cidr, other.CIDR, j)
		d.require(j >= i || !other.Private.IsValid() || !other.Private.Overlaps(cidr), path,
			"give each subnet addresses of its own", "%s overlaps %s, private of subnets[%d]", cidr, other.Private, j)
	}
}

func (s *Spec) validateLoadBalancer(d *decoder) {
	d.requirePort("load_balancer.port", s.LoadBalancer.Port)
	delay := s.LoadBalancer.DeregistrationDelay
	d.require(delay >= 0 && delay <= time.Hour && wholeSeconds(delay), "load_balancer.deregistration_delay",
		"30s is the default", "expected 0s to 3600s in whole seconds, got %s", delay)
	h, path := s.LoadBalancer.Health, "load_balancer.health."
	d.require(strings.HasPrefix(h.Path, "/"), path+"path",
		"for example: path: /health", "%q does not start with /", h.Path)
	d.require(h.Interval >= 5*time.Second && h.Interval <= 300*time.Second && wholeSeconds(h.Interval), path+"interval",
		"5s is the default", "expected 5s to 300s in whole seconds, got %s", h.Interval)
	d.require(h.Timeout >= 2*time.Second && h.Timeout <= 120*time.Second && wholeSeconds(h.Timeout), path+"timeout",
		"2s is the default", "expected 2s to 120s in whole seconds, got %s", h.Timeout)
	d.require(h.Timeout < h.Interval, path+"timeout", "a check must end before the next one begins",
		"%s is not less than the interval of %s", h.Timeout, h.Interval)
	d.require(h.Healthy >= 2 && h.Healthy <= 10, path+"healthy",
		"2 is the default", "expected 2 to 10, got %d", h.Healthy)
	d.require(h.Unhealthy >= 2 && h.Unhealthy <= 10, path+"unhealthy",
		"2 is the default", "expected 2 to 10, got %d", h.Unhealthy)
	d.require(validMatcher(h.Matcher), path+"matcher",
		`for example: matcher: "200-299"`, "%q is not a list of status codes from 200 to 499", h.Matcher)
}

var matcherPattern = regexp.MustCompile(`^\d{3}([,-]\d{3})*$`)

func validMatcher(matcher string) bool {
	if !matcherPattern.MatchString(matcher) {
		return false
	}
	for _, code := range strings.FieldsFunc(matcher, func(r rune) bool { return r == ',' || r == '-' }) {
		if n, err := strconv.Atoi(code); err != nil || n < 200 || n > 499 {
			return false
		}
	}
	return true
}
