package autoscaling

import (
	"strings"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
)

// findGroup returns the group with a name.
func findGroup(r store.Reader, region identity.Region, name *string) (*store.ScalingGroup, error) {
	if err := model.Required("autoScalingGroupName", name != nil); err != nil {
		return nil, err
	}
	g, ok := store.ScalingGroups.Get(r, region.Key(*name))
	if !ok {
		return nil, invalid("AutoScalingGroup name not found - AutoScalingGroup %s not found", *name)
	}
	return g, nil
}

// findActiveGroup returns the group with a name, unless the group is being
// deleted: such a group can no longer be changed.
func findActiveGroup(r store.Reader, region identity.Region, name *string) (*store.ScalingGroup, error) {
	g, err := findGroup(r, region, name)
	if err == nil && g.Deleting {
		return nil, invalid("AutoScalingGroup name not found - AutoScalingGroup %s is pending delete", *name)
	}
	return g, err
}

// checkGroupName checks the name of a new group (Amazon EC2 Auto Scaling API
// Reference, CreateAutoScalingGroup).
func checkGroupName(name *string) error {
	if err := checkName("autoScalingGroupName", name); err != nil {
		return err
	}
	if strings.ContainsFunc(*name, func(r rune) bool { return r < 33 && r != ' ' || r > 126 || r == ':' }) {
		return invalid("Group name may only contain ASCII characters from 33 to 126, and no colon")
	}
	return nil
}
