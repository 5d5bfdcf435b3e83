package spec

import (
	"net/netip"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// Anywhere is every IPv4 address.
var Anywhere = netip.MustParsePrefix("0.0.0.0/0")

// complete fills in what the user left out. A key that is written is left as it
// is, so that a written mistake (port: 0) is reported and not repaired.
func (s *Spec) complete(d *decoder) {
	orDefault(d, "region", &s.Region, DefaultRegion)
	orDefault(d, "port", &s.Port, 3000)
	orDefault(d, "machines.count", &s.Machines.Count, 3)
	orDefault(d, "machines.type", &s.Machines.Type, "t3.micro")
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
	orDefault(d, "network.cidr", &s.Network.CIDR, netip.MustParsePrefix("10.0.0.0/16"))
	if _, written := d.places["security.web.from"]; !written {
		s.Security.Web.From = []netip.Prefix{Anywhere}
	}
	if _, written := d.places["network.subnets"]; !written {
		s.Network.Subnets = defaultSubnets(s.Network.CIDR)
	}
	s.completeScaling(d)
	s.completeSource()
	if _, written := d.places["app"]; !written {
		s.App = appName(s.Dir)
	}
	if key := s.Machines.Key; key != "" && !filepath.IsAbs(key) {
		s.Machines.Key = filepath.Join(s.Dir, key)
	}
	if s.Start == "" && s.Source.Git == "" {
		var err error
		if s.Start, err = startCommand(s.Source.Path); err != nil {
			d.rejected["start"] = true
			d.problems.Add(
				filepath.Join(s.Source.Path, "package.json"),
				"correct it, or set start: in aloft.yaml",
				"the start command cannot be read: %v",
				err,
			)
		}
	}
}

func (s *Spec) completeSource() {
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

func orDefault[T any](d *decoder, path string, field *T, value T) {
	if _, written := d.places[path]; !written {
		*field = value
	}
}

// defaultSubnets cuts three blocks of 256 addresses (or of a quarter of a
// smaller VPC) out of the VPC's range, after the first one.
func defaultSubnets(vpc netip.Prefix) []Subnet {
	if !vpc.IsValid() || !vpc.Addr().Is4() || vpc.Bits() > 25 {
		return nil // reported as a mistake of the VPC's range
	}
	bits := max(24, vpc.Bits()+2)
	subnets := make([]Subnet, 3)
	for i := range subnets {
		subnets[i].CIDR = block(vpc, bits, i+1)
	}
	return subnets
}

// block returns the nth block of the given size within the prefix.
func block(within netip.Prefix, bits, n int) netip.Prefix {
	b := within.Masked().Addr().As4()
	first := uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
	first += uint32(n) << (32 - bits)
	return netip.PrefixFrom(
		netip.AddrFrom4([4]byte{byte(first >> 24), byte(first >> 16), byte(first >> 8), byte(first)}),
		bits,
	)
}

var notInName = regexp.MustCompile(`[^a-z0-9]+`)

// appName makes an application's name of its folder's.
func appName(dir string) string {
	name := notInName.ReplaceAllString(strings.ToLower(filepath.Base(dir)), "-")
	name = strings.Trim(name, "-0123456789")
	if len(name) > maxAppName {
		name = strings.TrimRight(name[:maxAppName], "-")
	}
	if name == "" {
		return "app"
	}
	return name
}
