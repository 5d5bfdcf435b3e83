package plan

import (
	"aloft.dev/aloft/internal/environment"
	"aloft.dev/aloft/internal/stack"
)

// Status holds facts about a resource that are not compared with the stack. Each
// kind sets the fields that apply to it.
type Status struct {
	InstanceStatus // of servers and members

	// Of an image, and of an instance of a base image: the id of the base image and the
	// name by which a spec asked for it.
	Base, BaseName string

	Environment       *environment.Environment // of an environment; nil if its parameter cannot be decoded
	EnvironmentLatest int64                    // newest version of its parameter

	Unconfirmed []string // of a topic: addresses that have not confirmed their subscriptions
	Alarm       string   // of an alarm: its state, such as "ALARM"

	Tags   map[string]string // that an earlier spec asked for
	TagIDs []string          // what carries the tags, if it is not the resource's ID alone

	DNSName string // of a load balancer
	Problem string // of a load balancer: why it serves only in part, in the cloud's words; "" if it serves

	Port int // of a target group: the port of targets that an Auto Scaling group registers

	DesiredCapacity int // of an Auto Scaling group

	NextRun string // of a schedule: "2026-01-02 15:04 UTC"

	Associations map[string]string // of a route table: subnet → association id

	// Of a security group: its rules, and those of Inbound that allow access only
	// for the duration of a command.
	Inbound, Outbound, Temporary []stack.Rule
}

// InstanceStatus is the status of an instance.
type InstanceStatus struct {
	Zone      string
	PrivateIP string
	PublicIP  string
	Private   bool   // it is not meant to have a public address
	Served    bool   // it has been healthy behind the load balancer
	HostKey   string // for SSH, as a line of an authorized_keys file; "" if it was not kept

	Health       string // as the load balancer sees it: "healthy"; "" if it is not a target
	HealthReason string // "Target.Timeout: Request timed out"

	ScalingGroup    string // Auto Scaling group that it belongs to
	Lifecycle       string // lifecycle state in that group: "InService"
	GroupHealth     string // health as that group sees it: "Healthy"
	TemplateVersion string // number of the launch template version it was launched from
}

// Healthy reports whether the load balancer sees the instance as healthy.
func (s InstanceStatus) Healthy() bool { return s.Health == stack.Healthy }
