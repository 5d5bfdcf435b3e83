package autoscaling

import "strings"

// NotFound returns the error of a request that refers to a resource that does not
// exist, or that Auto Scaling does not know yet. field is the field of the SDK's input
// that holds its id, name or ARN. A version of a launch template has the id of its
// store.TemplateVersionKey. Clients report the messages.
func NotFound(field, id string) error {
	template, number, isVersion := strings.Cut(id, "/")
	switch {
	case strings.HasPrefix(id, "lt-") && isVersion:
		return invalid("You must use a valid fully-formed launch template. "+
			"Could not find the specified version %s for the launch template with ID %s.",
			strings.TrimLeft(number, "0"), template)
	case field == "AutoScalingGroupName":
		return groupNotFound()
	case field == "LaunchTemplateName":
		return invalid("You must use a valid fully-formed launch template. "+
			"The specified launch template, with template name %s, does not exist.", id)
	case strings.HasPrefix(id, "lt-"):
		return invalid("You must use a valid fully-formed launch template. "+
			"The specified launch template, with template ID %s, does not exist.", id)
	case strings.HasPrefix(id, "subnet-"):
		return subnetNotFound(id)
	case strings.Contains(id, ":targetgroup/"):
		return targetGroupNotFound()
	}
	return nil
}

func groupNotFound() error { return invalid("AutoScalingGroup name not found - null") }

func subnetNotFound(id string) error { return invalid("The subnet ID '%s' does not exist", id) }

func targetGroupNotFound() error {
	return invalid("Provided Target Groups may not be valid. Please ensure they exist and try again.")
}
