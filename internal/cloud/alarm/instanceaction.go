package alarm

import "strings"

// InstanceAction is the action that an alarm takes on the instance that its metric is about (Amazon
// CloudWatch User Guide, "Create alarms to stop, terminate, reboot, or recover an EC2 instance").
type InstanceAction string

// The actions on instances.
const (
	StopInstance      InstanceAction = "stop"
	TerminateInstance InstanceAction = "terminate"
	RebootInstance    InstanceAction = "reboot"
	RecoverInstance   InstanceAction = "recover"
)

// InstanceDimension is the dimension that names the instance.
const InstanceDimension = "InstanceId"

// InstanceActionOf returns the action on an instance that an ARN is, in its two forms:
// "arn:aws:automate:us-east-1:ec2:stop" and
// "arn:aws:swf:us-east-1:000000000000:action/actions/AWS_EC2.InstanceId.Stop/1.0".
func InstanceActionOf(arn string) (InstanceAction, bool) {
	fields := strings.Split(arn, ":")
	name := ""
	switch {
	case len(fields) != 6:
	case fields[2] == "automate" && fields[4] == "ec2":
		name = fields[5]
	case fields[2] == "swf":
		name, _ = strings.CutPrefix(fields[5], "action/actions/AWS_EC2.InstanceId.")
		name, _ = strings.CutSuffix(name, "/1.0")
		if name == strings.ToLower(name) {
			return "", false
		}
	}
	switch action := InstanceAction(strings.ToLower(name)); action {
	case StopInstance, TerminateInstance, RebootInstance, RecoverInstance:
		return action, true
	}
	return "", false
}
