package spec

import (
	"fmt"
	"net/netip"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// DefaultRegion is the region of an application whose spec names none.
const DefaultRegion = "us-east-1"

// Anywhere contains every IPv4 address.
var Anywhere = netip.MustParsePrefix("0.0.0.0/0")

// setDefaults sets the values of the keys that are absent. A key that is in the
// file keeps its value, so that a mistake (port: 0) is reported and not repaired.
func (s *Spec) setDefaults(d *decoder) {
	orDefault(d, "region", &s.Region, DefaultRegion)
	s.RegionGiven = d.written("region")
	orDefault(d, "port", &s.Port, 3000)
	orDefault(d, "machines.count", &s.Machines.Count, 3)
	orDefault(d, "machines.type", &s.Machines.Types, InstanceTypes{"t3.micro"})
	orDefault(d, "machines.image", &s.Machines.Image, "debian-12")
	orDefault(d, "load_balancer.port", &s.LoadBalancer.Port, 80)
	orDefault(d, "load_balancer.deregistration_delay", &s.LoadBalancer.DeregistrationDelay, 30*time.Second)
	orDefault(d, "load_balancer.health.path", &s.LoadBalancer.Health.Path, "/")
	orDefault(d, "load_balancer.health.interval", &s.LoadBalancer.Health.Interval, 5*time.Second)
	orDefault(d, "load_balancer.health.timeout", &s.LoadBalancer.Health.Timeout, 2*time.Second)
	orDefault(d, "load_balancer.health.healthy", &s.LoadBalancer.Health.Healthy, 2)
	orDefault(d, "load_balancer.health.unhealthy", &s.LoadBalancer.Health.Unhealthy, 2)
	orDefault(d, "load_balancer.health.matcher", &s.LoadBalancer.Health.Matcher, "200-399")
	orDefault(d, "release.watch", &s.Release.Watch, 30*time.Second)
	orDefault(d, "release.bake", &s.Release.Bake, 30*time.Second)
	orDefault(d, "release.keep", &s.Release.Keep, 5)
	if s.Network.Exists() {
		s.setExistingDefaults(d)
	} else {
		orDefault(d, "network.cidr", &s.Network.CIDR, netip.MustParsePrefix("10.0.0.0/16"))
		orDefault(d, "network.subnets", &s.Network.Subnets, defaultSubnets(s.Network.CIDR))
		s.setPrivateDefaults(d)
	}
	orDefault(d, "security.access", &s.Security.Access, AccessSSH)
	orDefault(d, "security.web.from", &s.Security.Web.From, []netip.Prefix{Anywhere})
	s.setScalingDefaults(d)
	if s.Logs != nil {
		orDefault(d, "logs.retention", &s.Logs.Retention, "30d")
	}
	if s.AccessLogs != nil {
		orDefault(d, "access_logs.enabled", &s.AccessLogs.Enabled, true)
		orDefault(d, "access_logs.retention", &s.AccessLogs.Retention, "30d")
	}
	s.resolveSource()
	orDefault(d, "app", &s.App, appName(s.Dir))
	if key := s.Machines.Key; key != "" && !filepath.IsAbs(key) {
		s.Machines.Key = filepath.Join(s.Dir, key)
	}
	s.detect(d)
}

func orDefault[T any](d *decoder, path string, field *T, value T) {
	if !d.written(path) {
		*field = value
	}
}

// setScalingDefaults derives sizes from the number of zones.
func (s *Spec) setScalingDefaults(d *decoder) {
	if s.Scaling == nil {
		return
	}
	zones := len(s.Network.Subnets)
	orDefault(d, "scaling.min", &s.Scaling.Min, max(zones, 1))
	orDefault(d, "scaling.max", &s.Scaling.Max, min(2*s.Scaling.Least(zones), maxMachines))
	orDefault(d, "scaling.target", &s.Scaling.Target, Target{CPU: 60})
	for i := range s.Scaling.Schedule {
		orDefault(d, fmt.Sprintf("scaling.schedule[%d].timezone", i), &s.Scaling.Schedule[i].Timezone, "Etc/UTC")
	}
}

// resolveSource makes the source's path absolute, or sets the default ref.
func (s *Spec) resolveSource() {
	if s.Source.Git != "" {
		if s.Source.Ref == "" {
			s.Source.Ref = "HEAD"
		}
		return
	}
	if s.Source.Path == "" {
		s.Source.Path = "."
	}
	if !filepath.IsAbs(s.Source.Path) {
		s.Source.Path = filepath.Join(s.Dir, s.Source.Path)
	}
	s.Source.Path = filepath.Join(s.Source.Path, s.Source.Dir)
}

// defaultSubnets returns three blocks of 256 addresses in the VPC, after its first
// 256. In a VPC of less than 1024 addresses the blocks are quarters.
func defaultSubnets(vpc netip.Prefix) Subnets {
	if !vpc.IsValid() || !vpc.Addr().Is4() || vpc.Bits() > 25 {
		return nil // validation reports the VPC's block
	}
	bits := max(24, vpc.Bits()+2)
	subnets := make(Subnets, 3)
	for i := range subnets {
		subnets[i].CIDR = nthBlock(vpc, bits, i+1)
	}
	return subnets
}

// setPrivateDefaults chooses the blocks of private subnets: those of the subnets' own
// sizes that follow the last subnet and are free.
func (s *Spec) setPrivateDefaults(d *decoder) {
	n := &s.Network
	if !n.Private {
		return
	}
	orDefault(d, "network.nat", &n.NAT, NATZone)
	if !n.CIDR.IsValid() || !n.CIDR.Addr().Is4() {
		return
	}
	for i := range n.Subnets {
		if !d.written(fmt.Sprintf("network.subnets[%d].private", i)) {
			n.Subnets[i].Private = n.freeBlock(n.Subnets[i].CIDR)
		}
	}
}

// freeBlock returns a block of the size of a subnet that no subnet overlaps: the first
// after that subnet, or else the first at all. It returns the zero prefix if there is
// none.
func (n Network) freeBlock(like netip.Prefix) netip.Prefix {
	if !like.IsValid() || !like.Addr().Is4() || like.Bits() < n.CIDR.Bits() {
		return netip.Prefix{}
	}
	var first netip.Prefix
	for i := range 1 << (like.Bits() - n.CIDR.Bits()) {
		block := nthBlock(n.CIDR, like.Bits(), i)
		taken := slices.ContainsFunc(n.Subnets, func(s Subnet) bool {
			return s.CIDR.IsValid() && s.CIDR.Overlaps(block) || s.Private.IsValid() && s.Private.Overlaps(block)
		})
		switch {
		case taken:
		case like.Addr().Less(block.Addr()):
			return block
		case !first.IsValid():
			first = block
		}
	}
	return first
}

// nthBlock returns the nth block of a size within a prefix.
func nthBlock(within netip.Prefix, bits, n int) netip.Prefix {
	b := within.Masked().Addr().As4()
	first := uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
	first += uint32(n) << (32 - bits)
	address := netip.AddrFrom4([4]byte{byte(first >> 24), byte(first >> 16), byte(first >> 8), byte(first)})
	return netip.PrefixFrom(address, bits)
}

var invalidInName = regexp.MustCompile(`[^a-z0-9]+`)

// appName derives an application's name from its folder's.
func appName(dir string) string {
	name := invalidInName.ReplaceAllString(strings.ToLower(filepath.Base(dir)), "-")
	name = strings.Trim(name, "-0123456789")
	if len(name) > maxAppName {
		name = shorten(name)
	}
	if name == "" {
		return "app"
	}
	return name
}

// shorten cuts a name to the longest beginning that does not end within a word.
func shorten(name string) string {
	cut := name[:maxAppName]
	if end := strings.LastIndexByte(name[:maxAppName+1], '-'); end > 0 {
		cut = name[:end]
	}
	return strings.TrimRight(cut, "-")
}
