package elbv2

import (
	"regexp"
	"strings"
)

var nameForm = regexp.MustCompile(`^[A-Za-z0-9-]+$`)

// checkName applies the rules that the names of load balancers and target groups
// share (Elastic Load Balancing API Reference, CreateLoadBalancer).
func checkName(kind, name string) error {
	switch {
	case name == "":
		return invalid("%s name cannot be empty", kind)
	case len(name) > 32:
		return invalid("%s name '%s' cannot be longer than '32' characters", kind, name)
	case !nameForm.MatchString(name):
		return invalid(
			"%s name '%s' can only contain characters that are alphanumeric characters or hyphens(-)", kind, name,
		)
	case strings.HasPrefix(name, "-") || strings.HasSuffix(name, "-"):
		return invalid("%s name '%s' cannot begin or end with '-'", kind, name)
	}
	return nil
}
