package ec2

import (
	"fmt"

	"aloft.dev/aloft/internal/cloud/alarm"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
)

// Act carries out an alarm's action on an instance, in the transaction. If it returns an error,
// it has written nothing. To recover an instance is to reboot it: there is one host.
func (a *API) Act(tx *store.Tx, region identity.Region, id string, action alarm.InstanceAction) error {
	row, err := instances.get(tx, region, id)
	if err != nil {
		return err
	}
	var after vm
	switch action {
	case alarm.StopInstance:
		after, err = a.stopped(tx, row, false, false)
	case alarm.RebootInstance, alarm.RecoverInstance:
		after, err = rebooted(row)
	case alarm.TerminateInstance:
		if err = checkTermination(row); err == nil {
			after = a.terminated(tx, row, false)
		}
	default:
		err = fmt.Errorf("the action %q is unknown", action)
	}
	if err != nil {
		return err
	}
	store.Instances.Put(tx, after)
	return nil
}
