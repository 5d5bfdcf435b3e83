// Package spec reads aloft.yaml, the description of an application and of how to
// run it. It fills in defaults and reports every mistake with its place in the
// file.
package spec

import (
	"net/netip"
	"strconv"
	"strings"
	"time"

	"aloft.dev/aloft/internal/project"
)

// FileName is the name of the file that describes an application.
const FileName = "aloft.yaml"

// Spec describes an application and how to run it. Load returns complete and valid
// specs; other packages rely on that.
//
// A new key is a field here, an entry in keydoc.go, and perhaps a default in
// defaults.go and a check in validate.go.
type Spec struct {
	App          string            `yaml:"app"`
	Region       string            `yaml:"region"`
	Source       Source            `yaml:"source"`
	Build        Build             `yaml:"build"`
	Start        string            `yaml:"start"`
	Processes    map[string]string `yaml:"processes"`
	Port         int               `yaml:"port"`
	Domain       Domains           `yaml:"domain"`
	Certificate  string            `yaml:"certificate"`
	HSTS         bool              `yaml:"hsts"`
	Env          map[string]string `yaml:"env"`
	EnvFile      string            `yaml:"env_file"`
	Secrets      map[string]string `yaml:"secrets"`
	Permissions  []Permission      `yaml:"permissions"`
	Tags         map[string]string `yaml:"tags"`
	Protect      bool              `yaml:"protect"`
	Logs         *Logs             `yaml:"logs"`
	AccessLogs   *AccessLogs       `yaml:"access_logs"`
	Machines     Machines          `yaml:"machines"`
	Scaling      *Scaling          `yaml:"scaling"`
	Network      Network           `yaml:"network"`
	Security     Security          `yaml:"security"`
	LoadBalancer LoadBalancer      `yaml:"load_balancer"`
	Release      Release           `yaml:"release"`
	Alerts       []string          `yaml:"alerts"`
	Mirrors      Mirrors           `yaml:"mirrors"`
	Stages       Stages            `yaml:"stages"`

	Dir  string `yaml:"-"` // folder of the file; relative paths start here
	File string `yaml:"-"` // the file, or "" if the spec was derived from the folder

	Stage   string `yaml:"-"` // that the spec is of; "" for none
	program string `yaml:"-"` // the application's name without the stage; "" if it is App

	RegionGiven bool             `yaml:"-"` // Region was named and is not the default
	Detected    *project.Project `yaml:"-"` // what the files of a folder say; nil for git

	fromFile map[string]string `yaml:"-"` // the variables of EnvFile
}

// Source is the application's source: a local folder, or a git repository and ref.
type Source struct {
	Path string `yaml:"path"`
	Git  string `yaml:"git"`
	Ref  string `yaml:"ref"`
	Dir  string `yaml:"dir"`
}

// Build says how the application is built, where its files do not.
type Build struct {
	Packages []string `yaml:"packages"`
	Commands []string `yaml:"commands"`
}

// Mirrors names the places that toolchains and packages come from. "" is the public one.
type Mirrors struct {
	Node   string `yaml:"node"`
	NPM    string `yaml:"npm"`
	Python string `yaml:"python"`
	Go     string `yaml:"go"`
}

// Permission allows the application actions of the AWS API (IAM User Guide, "IAM JSON
// policy elements").
type Permission struct {
	Actions   []string `yaml:"actions"`
	Resources []string `yaml:"resources"`
}

// Logs says that the application's log goes to CloudWatch Logs, and for how long it stays.
type Logs struct {
	Retention string `yaml:"retention"` // "30d"
}

// Days returns the retention in days. It is valid for a valid spec.
func (l Logs) Days() int32 {
	days, _ := strconv.Atoi(strings.TrimSuffix(l.Retention, "d"))
	return int32(days)
}

// AccessLogs says that the load balancer's access logs go to a bucket of the application, and
// for how long they stay.
type AccessLogs struct {
	Enabled   bool   `yaml:"enabled"`
	Retention string `yaml:"retention"` // "30d"
}

// Days returns the retention in days. It is valid for a valid spec.
func (l AccessLogs) Days() int32 { return Logs{l.Retention}.Days() }

// KeepsAccessLogs reports whether the load balancer's access logs go to a bucket.
func (s *Spec) KeepsAccessLogs() bool { return s.AccessLogs != nil && s.AccessLogs.Enabled }

// Machines says how many servers there are, and what each is.
type Machines struct {
	Count    int           `yaml:"count"`
	Types    InstanceTypes `yaml:"type"`
	Builder  InstanceTypes `yaml:"builder"` // nil: Types
	Fallback string        `yaml:"fallback"`
	Image    string        `yaml:"image"`
	Key      string        `yaml:"key"`
	Role     string        `yaml:"role"`
}

// BuilderTypes returns the types of the machine on which a release is built.
func (m Machines) BuilderTypes() InstanceTypes {
	if m.HasBuilder() {
		return m.Builder
	}
	return m.Types
}

// HasBuilder reports whether releases are built on a machine of another type than the
// servers'. Then no server is ever built on, not even that of the first release.
func (m Machines) HasBuilder() bool { return len(m.Builder) > 0 }

// InstanceTypes are EC2 instance types in order of preference.
type InstanceTypes []string

// String returns the types in their order: "t3.micro, t3a.micro".
func (t InstanceTypes) String() string { return strings.Join(t, ", ") }

// FallbackZone is the value of Machines.Fallback with which a server may move to
// another zone if its own has no capacity.
const FallbackZone = "zone"

// Domains are the application's names in DNS, the main one first.
type Domains []string

// HTTPS reports whether the application is served over HTTPS, which needs a name.
func (s *Spec) HTTPS() bool { return len(s.Domain) > 0 }

// Network is the VPC: one that Aloft makes, or one that exists already and that Aloft leaves
// as it is.
type Network struct {
	VPC     string       `yaml:"vpc"` // the id of the one that exists; "": Aloft makes one
	CIDR    netip.Prefix `yaml:"cidr"`
	Subnets Subnets      `yaml:"subnets"`
	Private bool         `yaml:"private"`
	NAT     string       `yaml:"nat"`
}

// Exists reports whether the network existed before the application. It is never changed,
// tagged or deleted.
func (n Network) Exists() bool { return n.VPC != "" }

// The values of Network.NAT.
const (
	NATZone   = "zone"   // a NAT gateway in each zone
	NATSingle = "single" // one, in the zone of the first subnet
	NATNone   = "none"
)

// NATGateways returns the number of NAT gateways that Aloft makes.
func (n Network) NATGateways() int {
	switch {
	case n.Exists() || !n.Private || n.NAT == NATNone:
		return 0
	case n.NAT == NATSingle:
		return 1
	}
	return len(n.Subnets)
}

// Subnets are the subnets of a network.
type Subnets []Subnet

// Subnet is one subnet, and the private one in the same zone. In a network that exists, a
// subnet and its private one are the nth of the file, and may be in different zones.
type Subnet struct {
	ID        string       `yaml:"id"` // of one that exists; CIDR and Zone are unknown then
	PrivateID string       `yaml:"-"`
	CIDR      netip.Prefix `yaml:"cidr"`
	Zone      string       `yaml:"zone"`
	Private   netip.Prefix `yaml:"private"` // of the servers, if Network.Private
}

// IDs returns the ids of the subnets that exist, and of the private ones.
func (s Subnets) IDs() (public, private []string) {
	for _, subnet := range s {
		if subnet.ID != "" {
			public = append(public, subnet.ID)
		}
		if subnet.PrivateID != "" {
			private = append(private, subnet.PrivateID)
		}
	}
	return public, private
}

// The ways in which Aloft and its users reach servers.
const (
	AccessSSH      = "ssh"      // with a key pair, by rules that are open for as long as a command runs
	AccessEndpoint = "endpoint" // through an EC2 Instance Connect Endpoint
)

// Security lists the addresses from which connections are allowed.
type Security struct {
	Access string `yaml:"access"`

	SSH SSH `yaml:"ssh"`
	App App `yaml:"app"`
	Web Web `yaml:"web"`
}

// ThroughEndpoint reports whether servers are reached through an EC2 Instance Connect
// Endpoint.
func (s Security) ThroughEndpoint() bool { return s.Access == AccessEndpoint }

// SSH lists who may connect to port 22. AllowWorld must be set if From contains
// 0.0.0.0/0.
type SSH struct {
	From       []netip.Prefix `yaml:"from"`
	AllowWorld bool           `yaml:"allow_world"`
}

// App lists who may connect to the application's port on the servers directly. The
// load balancer always may.
type App struct {
	From []netip.Prefix `yaml:"from"`
}

// Web lists who may connect to the load balancer.
type Web struct {
	From []netip.Prefix `yaml:"from"`
}

// LoadBalancer is the Application Load Balancer with its listener and its target
// group.
type LoadBalancer struct {
	Port                int           `yaml:"port"`
	Health              Health        `yaml:"health"`
	DeregistrationDelay time.Duration `yaml:"deregistration_delay"`
}

// Health is the target group's health check (Elastic Load Balancing User Guide,
// "Health checks for Application Load Balancer target groups").
type Health struct {
	Path      string        `yaml:"path"`
	Interval  time.Duration `yaml:"interval"`
	Timeout   time.Duration `yaml:"timeout"`
	Healthy   int           `yaml:"healthy"`
	Unhealthy int           `yaml:"unhealthy"`
	Matcher   string        `yaml:"matcher"`
}

// Release says how carefully a new release is put into service, and how many
// releases can be restored.
type Release struct {
	Command string        `yaml:"command"`
	Watch   time.Duration `yaml:"watch"`
	Bake    time.Duration `yaml:"bake"`
	Keep    int           `yaml:"keep"`
}

// Scaling describes an Auto Scaling group (Amazon EC2 Auto Scaling User Guide,
// "Auto Scaling groups").
type Scaling struct {
	Min      int        `yaml:"min"`
	Max      int        `yaml:"max"`
	Target   Target     `yaml:"target"`
	Schedule []Schedule `yaml:"schedule"`
	Survive  string     `yaml:"survive"`
}

// Target is the measure of the servers that target tracking keeps constant. At
// most one field is set.
type Target struct {
	CPU               int `yaml:"cpu"`
	RequestsPerTarget int `yaml:"requests_per_target"`
}

// Schedule sets sizes at a time. A size of 0 stays as it is.
type Schedule struct {
	Cron     string `yaml:"cron"`
	Timezone string `yaml:"timezone"`
	Min      int    `yaml:"min"`
	Max      int    `yaml:"max"`
	Desired  int    `yaml:"desired"`
}
