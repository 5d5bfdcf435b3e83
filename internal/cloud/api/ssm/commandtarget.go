package ssm

import (
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"aloft.dev/aloft/internal/cloud/runcommand"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// Limits of targets (AWS Systems Manager API Reference, Target).
const (
	maxTargets      = 5
	maxTargetValues = 50
)

var instanceForm = regexp.MustCompile(`(^i-(\w{8}|\w{17})$)|(^mi-\w{17}$)`)

// checkInstances refuses ids of instances that cannot be in one command.
func checkInstances(ids []string) error {
	if len(ids) > maxInstances {
		return model.TooLong("instanceIds", maxInstances)
	}
	for n, id := range ids {
		if err := checkInstance(&id); err != nil {
			return err
		}
		if slices.Contains(ids[:n], id) {
			return wire.Errorf("DuplicateInstanceId", "The instance %s is in the list more than once.", id)
		}
	}
	return nil
}

// checkInstance refuses a text that cannot be an instance's id. nil stands for any instance.
func checkInstance(id *string) error {
	if id == nil || instanceForm.MatchString(*id) {
		return nil
	}
	return model.Refuse("instanceId", *id, pattern, instanceForm)
}

func checkTargets(targets []types.Target) error {
	if len(targets) > maxTargets {
		return model.TooLong("targets", maxTargets)
	}
	for _, t := range targets {
		key := aws.ToString(t.Key)
		switch {
		case strings.HasPrefix(key, "resource-groups:"):
			return unsupported("targets by resource group: select instances by tag or by id")
		case key != runcommand.InstancesKey && (!strings.HasPrefix(key, "tag:") || key == "tag:"):
			return wire.Errorf("InvalidTarget", "The key %q of a target is neither InstanceIds nor tag:NAME.", key)
		case len(t.Values) == 0:
			return wire.Errorf("InvalidTarget", "The target %s has no values.", key)
		case len(t.Values) > maxTargetValues:
			return model.TooLong("targets.1.member.values", maxTargetValues)
		}
	}
	return nil
}

// recipients returns the instances that a command is for, in the order of their ids.
func recipients(r store.Reader, c *store.Command) ([]*store.Instance, error) {
	found, invalid := runcommand.Recipients(r, c.Region, c.InstanceIDs, c.Targets)
	if len(invalid) > 0 {
		return nil, wire.Errorf("InvalidInstanceId", "Instances [[%s]] not in a valid state for account %s",
			strings.Join(invalid, ", "), c.Region.Account())
	}
	return found, nil
}
