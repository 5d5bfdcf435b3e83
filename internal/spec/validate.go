package spec

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"
)

// maxAppName keeps the names of load balancers and target groups, which are the
// application's and seven characters more, within AWS's 32 (Elastic Load Balancing API
// Reference).
const maxAppName = 25

// maxTypes bounds the list of instance types. AWS accepts 40 overrides in a mixed
// instances policy (Amazon EC2 Auto Scaling API Reference, LaunchTemplate).
const maxTypes = 10

var (
	appPattern    = regexp.MustCompile(`^[a-z]([a-z0-9-]*[a-z0-9])?$`)
	regionPattern = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-\d$`)
	typePattern   = regexp.MustCompile(`^[a-z][a-z0-9-]*\.[a-z0-9-]+$`)
	envPattern    = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	imagePattern  = regexp.MustCompile(`^ami-[0-9a-f]{8,17}$`)
)

// Images are the names of the known base images.
var Images = []string{"debian-12", "debian-13", "ubuntu-24.04", "amazon-linux-2023"}

// ValidApp reports whether name is valid for an application.
func ValidApp(name string) bool { return appPattern.MatchString(name) && len(name) <= maxAppName }

// ValidRegion reports whether name has the form of an AWS region's name.
func ValidRegion(name string) bool { return regionPattern.MatchString(name) }

// require reports a problem with the value at path unless ok is true, or the value
// was reported before.
func (d *decoder) require(ok bool, path, hint, format string, args ...any) {
	if !ok && !d.rejected[path] {
		d.problems.Add(d.nearestPlace(path), hint, path+": "+format, args...)
	}
}

// nearestPlace returns the place of a value, or of the innermost mapping around it
// that is in the file.
func (d *decoder) nearestPlace(path string) string {
	for path != "" {
		if place, ok := d.places[path]; ok {
			return place
		}
		cut := strings.LastIndexAny(path, ".[")
		path = path[:max(cut, 0)]
	}
	return d.file
}

func (d *decoder) requirePort(path string, port int) {
	d.require(port >= 1 && port <= 65535, path,
		"choose another port", "expected a port from 1 to 65535, got %d", port)
}

func (s *Spec) validate(d *decoder) {
	hint := "for example: app: shop-api"
	if s.Stage != "" {
		hint = "name the application of this stage: stages: {" + s.Stage + ": {app: shop-" + s.Stage + "}}"
	}
	d.require(ValidApp(s.App), "app", hint,
		"%q is not a name: use lower-case letters, digits and hyphens, a letter first, at most %d", s.App, maxAppName)
	// Names of load balancers must not begin with "internal-" (Elastic Load Balancing API
	// Reference, CreateLoadBalancer), those of security groups not with "sg-" (Amazon EC2
	// API Reference, CreateSecurityGroup). Other names begin with "aloft-" or have no such
	// limit.
	first, _, _ := strings.Cut(s.App, "-")
	d.require(first != "internal" && first != "sg", "app", "choose another name, for example: app: my-"+s.App,
		"AWS reserves names that begin with %s-: those of internal load balancers and of security groups", first)
	d.require(ValidRegion(s.Region), "region", "for example: region: eu-central-1", "%q is not an AWS region", s.Region)
	s.validateSource(d)
	d.requirePort("port", s.Port)
	s.validateDomain(d)
	s.validateEnvironment(d)
	s.validatePermissions(d)
	s.validateLogs(d)
	s.validateAccessLogs(d)
	s.validateProcesses(d)
	s.validateTags(d)
	s.validateMachines(d)
	s.validateScaling(d)
	s.validateNetwork(d)
	s.validateLoadBalancer(d)
	s.validateRelease(d)
	s.validateAlerts(d)
}

func (s *Spec) validateSource(d *decoder) {
	switch {
	case s.Source.Git != "" && d.written("source.path"):
		d.require(false, "source", "keep one of them", "path and git are both given")
	case s.Source.Git == "":
		d.require(s.Source.Ref == "", "source.ref",
			"add git: with the repository's URL", "a ref needs a git repository")
		info, err := os.Stat(s.Source.Path)
		d.require(err == nil && info.IsDir(), "source",
			"give a folder, or git: with a repository's URL", "there is no folder %s", s.Source.Path)
	}
	d.require(!strings.ContainsAny(s.Start, "\n\r\x00"), "start", "write one line", "a start command is one line")
}

func (s *Spec) validateMachines(d *decoder) {
	m := s.Machines
	d.require(m.Count >= 1 && m.Count <= maxMachines, "machines.count",
		"three servers in three zones survive the loss of one", "expected 1 to %d, got %d", maxMachines, m.Count)
	s.validateTypes(d)
	known := imagePattern.MatchString(m.Image)
	for _, name := range Images {
		known = known || name == m.Image
	}
	hint := "the images: " + strings.Join(Images, ", ") + ", or the ID of an AMI"
	if near := Nearest(m.Image, Images); near != "" {
		hint = fmt.Sprintf("did you mean %q? %s", near, hint)
	}
	d.require(known, "machines.image", hint, "unknown image %q", m.Image)
	if m.Key != "" && !s.Security.ThroughEndpoint() { // or the key itself is the mistake
		_, err := os.Stat(m.Key)
		d.require(err == nil, "machines.key",
			"give the file of an OpenSSH public key, or leave key out and Aloft makes a key pair",
			"there is no file %s", m.Key)
	}
}

func (s *Spec) validateTypes(d *decoder) {
	d.requireTypes("machines.type", s.Machines.Types, "t3.micro, t3a.micro")
	if d.written("machines.builder") {
		d.requireTypes("machines.builder", s.Machines.Builder, "t3.medium, t3a.medium")
	}
	fallback := s.Machines.Fallback
	d.require(fallback == "" || fallback == FallbackZone, "machines.fallback",
		"write fallback: zone, or leave it out", "expected zone, got %q", fallback)
	d.require(fallback == "" || s.Scaling == nil, "machines.fallback",
		"leave it out: an Auto Scaling group launches in other zones by itself", "is not used together with scaling")
}

// requireTypes reports problems with a list of instance types. example is a good one.
func (d *decoder) requireTypes(path string, types InstanceTypes, example string) {
	key, one := path[strings.LastIndexByte(path, '.')+1:], strings.Split(example, ", ")[0]
	d.require(len(types) >= 1 && len(types) <= maxTypes, path,
		fmt.Sprintf("for example: %s: [%s]", key, example), "expected 1 to %d types, got %d", maxTypes, len(types))
	for i, name := range types {
		at := path
		if len(types) > 1 {
			at = fmt.Sprintf("%s[%d]", path, i)
		}
		d.require(typePattern.MatchString(name), at,
			fmt.Sprintf("for example: %s: %s", key, one), "%q is not an instance type", name)
		d.require(slices.Index(types, name) == i, at, "list each type once", "%s is listed twice", name)
	}
}

func (s *Spec) validateRelease(d *decoder) {
	r := s.Release
	d.require(r.Watch >= 0 && r.Watch <= 10*time.Minute && wholeSeconds(r.Watch), "release.watch",
		"30s is the default", "expected 0s to 600s in whole seconds, got %s", r.Watch)
	d.require(r.Bake >= 0 && r.Bake <= time.Hour && wholeSeconds(r.Bake), "release.bake",
		"30s is the default; 3m or more on AWS", "expected 0s to 3600s in whole seconds, got %s", r.Bake)
	d.require(r.Keep >= 2 && r.Keep <= 100, "release.keep",
		"a rollback needs the image that serves and the one before it", "expected 2 to 100, got %d", r.Keep)
}

func wholeSeconds(d time.Duration) bool { return d%time.Second == 0 }
