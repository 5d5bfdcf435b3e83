package spec

import (
	"fmt"
	"net/netip"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"
)

const maxAppName = 20

var (
	appPattern     = regexp.MustCompile(`^[a-z]([a-z0-9-]*[a-z0-9])?$`)
	regionPattern  = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-\d$`)
	typePattern    = regexp.MustCompile(`^[a-z][a-z0-9-]*\.[a-z0-9-]+$`)
	envPattern     = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	matcherPattern = regexp.MustCompile(`^\d{3}([,-]\d{3})*$`)
	imagePattern   = regexp.MustCompile(`^ami-[0-9a-f]{8,17}$`)
)

// Images are the names by which base images are known.
var Images = []string{"debian-12", "ubuntu-24.04", "amazon-linux-2023"}

// at gives the place of a value, or of the nearest mapping around it.
func (d *decoder) at(path string) string {
	for path != "" {
		if place, ok := d.places[path]; ok {
			return place
		}
		cut := strings.LastIndexAny(path, ".[")
		path = path[:max(cut, 0)]
	}
	return d.file
}

func (d *decoder) require(ok bool, path, hint, format string, args ...any) {
	if !ok && !d.rejected[path] {
		d.problems.Add(d.at(path), hint, path+": "+format, args...)
	}
}

// ValidApp tells whether an application may be called so.
func ValidApp(name string) bool { return appPattern.MatchString(name) && len(name) <= maxAppName }

// ValidRegion tells whether a name has the form of an AWS region's.
func ValidRegion(name string) bool { return regionPattern.MatchString(name) }

func (s *Spec) validate(d *decoder) {
	d.require(ValidApp(s.App), "app", "for example: app: shop-api",
		"%q is not a name: lower-case letters, digits and hyphens, a letter first, at most %d", s.App, maxAppName)
	d.require(ValidRegion(s.Region), "region", "for example: region: eu-central-1", "%q is not an AWS region", s.Region)
	s.validateSource(d)
	d.port("port", s.Port)
	for name := range s.Env {
		d.require(
			envPattern.MatchString(name),
			"env."+name,
			"use letters, digits and underscores",
			"%q is not the name of an environment variable",
			name,
		)
	}
	s.validateMachines(d)
	s.validateScaling(d)
	s.validateNetwork(d)
	s.validateSecurity(d)
	s.validateLoadBalancer(d)
	s.validateRelease(d)
}

func (s *Spec) validateSource(d *decoder) {
	_, written := d.places["source.path"]
	switch {
	case s.Source.Git != "" && written:
		d.require(false, "source", "keep the one that is meant", "path and git are both given")
	case s.Source.Git == "":
		d.require(
			s.Source.Ref == "",
			"source.ref",
			"add git: with the repository's URL",
			"a ref needs a git repository",
		)
		info, err := os.Stat(s.Source.Path)
		d.require(
			err == nil && info.IsDir(),
			"source",
			"give a folder, or git: with a repository's URL",
			"there is no folder %s",
			s.Source.Path,
		)
	}
	d.require(
		s.Start != "",
		"start",
		`add start: with the command that serves, for example: start: node server.js`,
		"no start command is given, and none was found in package.json (scripts.start, main) or as server.js, app.js, index.js",
	)
	d.require(!strings.ContainsAny(s.Start, "\n\r\x00"), "start", "write one line", "a start command is one line")
}

func (s *Spec) validateMachines(d *decoder) {
	m := s.Machines
	d.require(
		m.Count >= 1 && m.Count <= maxMachines,
		"machines.count",
		"three spread over three zones survive the loss of one",
		"expected 1 to %d, got %d",
		maxMachines,
		m.Count,
	)
	d.require(
		typePattern.MatchString(m.Type),
		"machines.type",
		"for example: type: t3.micro",
		"%q is not an instance type",
		m.Type,
	)
	known := imagePattern.MatchString(m.Image)
	for _, name := range Images {
		known = known || name == m.Image
	}
	hint := "known: " + strings.Join(Images, ", ") + ", or an ami-… id"
	if near := Nearest(m.Image, Images); near != "" {
		hint = fmt.Sprintf("did you mean %q? %s", near, hint)
	}
	d.require(known, "machines.image", hint, "unknown image %q", m.Image)
	if m.Key != "" {
		_, err := os.Stat(m.Key)
		d.require(
			err == nil,
			"machines.key",
			"give the path of an OpenSSH public key, or leave key out and Aloft makes one",
			"there is no file %s",
			m.Key,
		)
	}
}

func (s *Spec) validateNetwork(d *decoder) {
	vpc := s.Network.CIDR
	if !vpc.IsValid() {
		return // reported where it was decoded
	}
	d.require(
		vpc.Bits() >= 16 && vpc.Bits() <= 28,
		"network.cidr",
		"for example: cidr: 10.0.0.0/16",
		"%s: a VPC is /16 to /28 (Amazon VPC User Guide, \"VPC CIDR blocks\")",
		vpc,
	)
	d.require(len(s.Network.Subnets) >= 2, "network.subnets", "add subnets in other zones",
		"a load balancer needs subnets in at least two zones, there are %d", len(s.Network.Subnets))
	zones := map[string]int{}
	for i, subnet := range s.Network.Subnets {
		path := fmt.Sprintf("network.subnets[%d]", i)
		if subnet.Zone != "" {
			first, taken := zones[subnet.Zone]
			d.require(
				!taken,
				path+".zone",
				"a zone that fails takes all its subnets with it: spread them",
				"zone %s already holds subnets[%d]",
				subnet.Zone,
				first,
			)
			d.require(
				strings.HasPrefix(subnet.Zone, s.Region),
				path+".zone",
				"zones are named like "+s.Region+"a",
				"zone %q is not in region %s",
				subnet.Zone,
				s.Region,
			)
			zones[subnet.Zone] = i
		}
		s.validateSubnet(d, path+".cidr", i, vpc)
	}
}

func (s *Spec) validateSubnet(d *decoder, path string, i int, vpc netip.Prefix) {
	cidr := s.Network.Subnets[i].CIDR
	if !cidr.IsValid() {
		_, written := d.places[path]
		d.require(written, path, `for example: cidr: 10.0.1.0/24`, "a subnet needs a CIDR block")
		return
	}
	d.require(
		cidr.Bits() <= 27,
		path,
		"an Application Load Balancer needs /27 or larger, with 8 free addresses (Elastic Load Balancing User Guide)",
		"%s is too small",
		cidr,
	)
	inside := cidr.Bits() >= vpc.Bits() && vpc.Contains(cidr.Addr())
	d.require(inside, path, "choose a block within "+vpc.String(), "%s is outside the VPC's %s", cidr, vpc)
	for j := range i {
		other := s.Network.Subnets[j].CIDR
		d.require(
			!other.IsValid() || !other.Overlaps(cidr),
			path,
			"give each subnet addresses of its own",
			"%s overlaps %s of subnets[%d]",
			cidr,
			other,
			j,
		)
	}
}

func (s *Spec) validateSecurity(d *decoder) {
	for i, from := range s.Security.SSH.From {
		d.require(
			from != Anywhere || s.Security.SSH.AllowWorld,
			fmt.Sprintf("security.ssh.from[%d]", i),
			"list the addresses that need it, or add allow_world: true under ssh if that is meant",
			"SSH would be open to the whole internet (0.0.0.0/0)",
		)
	}
}

func (s *Spec) validateLoadBalancer(d *decoder) {
	d.port("load_balancer.port", s.LoadBalancer.Port)
	delay := s.LoadBalancer.DeregistrationDelay
	d.require(
		delay >= 0 && delay <= time.Hour && wholeSeconds(delay),
		"load_balancer.deregistration_delay",
		"",
		"expected 0s to 3600s in whole seconds, got %s",
		delay,
	)
	h, path := s.LoadBalancer.Health, "load_balancer.health."
	d.require(
		strings.HasPrefix(h.Path, "/"),
		path+"path",
		"for example: path: /health",
		"%q does not start with /",
		h.Path,
	)
	d.require(
		h.Interval >= 5*time.Second && h.Interval <= 300*time.Second && wholeSeconds(h.Interval),
		path+"interval",
		"",
		"expected 5s to 300s in whole seconds, got %s",
		h.Interval,
	)
	d.require(
		h.Timeout >= 2*time.Second && h.Timeout <= 120*time.Second && wholeSeconds(h.Timeout),
		path+"timeout",
		"",
		"expected 2s to 120s in whole seconds, got %s",
		h.Timeout,
	)
	d.require(
		h.Timeout < h.Interval,
		path+"timeout",
		"a check must end before the next begins",
		"%s is not below the interval of %s",
		h.Timeout,
		h.Interval,
	)
	d.require(h.Healthy >= 2 && h.Healthy <= 10, path+"healthy", "", "expected 2 to 10, got %d", h.Healthy)
	d.require(h.Unhealthy >= 2 && h.Unhealthy <= 10, path+"unhealthy", "", "expected 2 to 10, got %d", h.Unhealthy)
	d.require(
		validMatcher(h.Matcher),
		path+"matcher",
		`for example: matcher: "200-299"`,
		"%q is not a list of status codes from 200 to 499",
		h.Matcher,
	)
}

func (s *Spec) validateRelease(d *decoder) {
	r := s.Release
	d.require(
		r.Watch >= 0 && r.Watch <= 10*time.Minute && wholeSeconds(r.Watch),
		"release.watch",
		"",
		"expected 0s to 600s in whole seconds, got %s",
		r.Watch,
	)
	d.require(
		r.Bake >= 0 && r.Bake <= time.Hour && wholeSeconds(r.Bake),
		"release.bake",
		"",
		"expected 0s to 3600s in whole seconds, got %s",
		r.Bake,
	)
	d.require(
		r.Keep >= 2 && r.Keep <= 100,
		"release.keep",
		"the image that serves and the one before it must be kept",
		"expected 2 to 100, got %d",
		r.Keep,
	)
}

func wholeSeconds(d time.Duration) bool { return d%time.Second == 0 }

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

func (d *decoder) port(path string, port int) {
	d.require(port >= 1 && port <= 65535, path, "", "expected a port from 1 to 65535, got %d", port)
}
