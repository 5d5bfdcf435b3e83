// Package spec is aloft.yaml: what a user asks for, with defaults filled in and
// every mistake reported with its place in the file.
package spec

import (
	"net/netip"
	"time"
)

// Spec is an application and how it is to run. Load gives one that is complete
// and valid; other packages rely on that.
type Spec struct {
	App          string            `yaml:"app" doc:"lower-case letters, digits, hyphens; at most 20"`
	Region       string            `yaml:"region" doc:"'us-east-1' by default"`
	Source       Source            `yaml:"source" doc:"the application's source"`
	Start        string            `yaml:"start" doc:"command line that serves, run in the source's folder"`
	Port         int               `yaml:"port" doc:"TCP port on which Start serves; 3000 by default"`
	Env          map[string]string `yaml:"env" doc:"the application's environment"`
	Machines     Machines          `yaml:"machines" doc:"servers"`
	Scaling      *Scaling          `yaml:"scaling" doc:"a group that grows and shrinks in place of a fixed number of servers"`
	Network      Network           `yaml:"network" doc:"VPC and subnets"`
	Security     Security          `yaml:"security" doc:"who may reach what"`
	LoadBalancer LoadBalancer      `yaml:"load_balancer" doc:"the way in"`
	Release      Release           `yaml:"release" doc:"how a new release comes into service"`

	Dir  string `yaml:"-"` // folder of the file: relative paths start here
	File string `yaml:"-"` // the file, or "" when it was derived from the folder
}

// Source is where the application comes from: a local folder, or a git
// repository and ref.
type Source struct {
	Path string `yaml:"path" doc:"folder, absolute after Load; '' for git"`
	Git  string `yaml:"git" doc:"URL as git takes it; one that needs your keys is cloned on your machine and shipped"`
	Ref  string `yaml:"ref" doc:"branch, tag or commit; 'HEAD' by default"`
	Dir  string `yaml:"dir" doc:"folder within the repository that holds package.json"`
}

// Machines says how many servers there are and what each is.
type Machines struct {
	Count int    `yaml:"count" doc:"one to 30, 3 by default; spread over the subnets in turn; not together with scaling"`
	Type  string `yaml:"type" doc:"instance type; 't3.micro' by default"`
	Image string `yaml:"image" doc:"'debian-12' (default), 'ubuntu-24.04', 'amazon-linux-2023' or an 'ami-…' id"`
	Key   string `yaml:"key" doc:"path of an OpenSSH public key to import, from the file's folder; '': Aloft makes a key pair"`
}

// Network is the VPC.
type Network struct {
	CIDR    netip.Prefix `yaml:"cidr" doc:"10.0.0.0/16 by default"`
	Subnets []Subnet     `yaml:"subnets" doc:"three /24 by default, each in another zone"`
}

// Subnet is one subnet. An empty Zone means: the region's next zone that no
// other subnet has.
type Subnet struct {
	CIDR netip.Prefix `yaml:"cidr"`
	Zone string       `yaml:"zone"`
}

// Security is the firewall: sources that may connect.
type Security struct {
	SSH SSH `yaml:"ssh" doc:"to port 22 of the machines; from nowhere by default"`
	App App `yaml:"app" doc:"to Port of the machines, besides the load balancer"`
	Web Web `yaml:"web" doc:"to the load balancer; from anywhere by default"`
}

// SSH lists who may reach port 22. AllowWorld must be set when From holds
// 0.0.0.0/0.
type SSH struct {
	From       []netip.Prefix `yaml:"from"`
	AllowWorld bool           `yaml:"allow_world"`
}

// App lists who may reach the application's port on the machines directly. The
// load balancer always may.
type App struct {
	From []netip.Prefix `yaml:"from"`
}

// Web lists who may reach the load balancer.
type Web struct {
	From []netip.Prefix `yaml:"from"`
}

// LoadBalancer is the Application Load Balancer, its listener and its target
// group.
type LoadBalancer struct {
	Port                int           `yaml:"port" doc:"the listener's port; 80 by default"`
	Health              Health        `yaml:"health" doc:"the target group's health check"`
	DeregistrationDelay time.Duration `yaml:"deregistration_delay" doc:"how long a leaving target finishes requests; 30 s by default"`
}

// Health is the target group's health check (Elastic Load Balancing User Guide,
// "Health checks for Application Load Balancer target groups").
type Health struct {
	Path      string        `yaml:"path" doc:"'/' by default"`
	Interval  time.Duration `yaml:"interval" doc:"5 s to 300 s; 5 s by default"`
	Timeout   time.Duration `yaml:"timeout" doc:"2 s to 120 s, below Interval; 2 s by default"`
	Healthy   int           `yaml:"healthy" doc:"passes in a row; 2 to 10, 2 by default"`
	Unhealthy int           `yaml:"unhealthy" doc:"failures in a row; 2 to 10, 2 by default"`
	Matcher   string        `yaml:"matcher" doc:"status codes that pass; '200-399' by default"`
}

// Release says how carefully a new release comes into service, and how many
// can be gone back to.
type Release struct {
	Watch time.Duration `yaml:"watch" doc:"how long the first machine of a release must answer before any gets requests; up to 10m, 30s by default"`
	Bake  time.Duration `yaml:"bake" doc:"how long health and errors are watched once a release serves; up to 1h, 30s by default; 3m and more on AWS, whose metrics come by the minute"`
	Keep  int           `yaml:"keep" doc:"releases whose images are kept; 2 to 100, 5 by default"`
}
