package ec2

import (
	"strings"
	"testing"

	"aloft.dev/aloft/internal/cloud/alarm"
	"aloft.dev/aloft/internal/cloud/store"
)

func TestAlarmsActOnInstances(t *testing.T) {
	r := newRemote(t)
	id := *r.launch(1)[0].InstanceId
	for _, test := range []struct {
		name    string
		before  store.Instance
		action  alarm.InstanceAction
		desired string
		reboots int
		refused string
	}{
		{"stop", store.Instance{State: store.Running}, alarm.StopInstance, store.Stopped, 0, ""},
		{"reboot", store.Instance{State: store.Running}, alarm.RebootInstance, store.Running, 1, ""},
		{"recover", store.Instance{State: store.Running}, alarm.RecoverInstance, store.Running, 1, ""},
		{"terminate", store.Instance{State: store.Running}, alarm.TerminateInstance, store.Terminated, 0, ""},
		{
			"protected from a stop", store.Instance{State: store.Running, DisableAPIStop: true}, alarm.StopInstance,
			store.Running, 0, "may not be stopped",
		},
		{
			"protected from termination", store.Instance{State: store.Running, DisableAPITermination: true},
			alarm.TerminateInstance, store.Running, 0, "may not be terminated",
		},
		{
			"reboot of a stopped one", store.Instance{State: store.Stopped}, alarm.RebootInstance,
			store.Running, 0, "reboot",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			var refusal error
			if err := r.cloud.Store.Update(func(tx *store.Tx) error {
				store.Instances.Edit(tx, id, func(row *store.Instance) {
					row.State, row.Desired, row.Reboots = test.before.State, store.Running, 0
					row.DisableAPIStop = test.before.DisableAPIStop
					row.DisableAPITermination = test.before.DisableAPITermination
				})
				refusal = r.cloud.Act(tx, home, id, test.action)
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			row, _ := store.Instances.Get(r.cloud.Store.View(), id)
			refused := refusal != nil && test.refused != "" && strings.Contains(refusal.Error(), test.refused)
			if row.Desired != test.desired || int(row.Reboots) != test.reboots || refused != (test.refused != "") ||
				(refusal != nil) != refused {
				t.Errorf("desired %s, reboots %d, error %v", row.Desired, row.Reboots, refusal)
			}
		})
	}
}
