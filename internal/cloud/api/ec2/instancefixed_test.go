package ec2

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

func TestInstancesAreDescribedWithWhatAllHave(t *testing.T) {
	r := newRemote(t)
	item := r.launch(1)[0]
	if cpu := item.CpuOptions; cpu == nil || *cpu.CoreCount != 1 || *cpu.ThreadsPerCore != 2 {
		t.Errorf("a t3.micro has %+v", cpu)
	}
	if item.HibernationOptions == nil || *item.HibernationOptions.Configured || *item.EnclaveOptions.Enabled ||
		item.MaintenanceOptions.AutoRecovery != "default" || item.PrivateDnsNameOptions.HostnameType != "ip-name" ||
		item.CapacityReservationSpecification.CapacityReservationPreference !=
			types.CapacityReservationPreferenceOpen || *item.PlatformDetails != platformDetails {
		t.Errorf("%+v", item)
	}
}
