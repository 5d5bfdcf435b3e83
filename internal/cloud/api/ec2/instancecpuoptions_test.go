package ec2

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/store"
)

func TestALaunchChoosesItsProcessors(t *testing.T) {
	c := newCloud(t)
	cpus := func(kind types.InstanceType, cores, threads *int32) *ec2.RunInstancesInput {
		in := launchOne(c.availableImage())
		in.InstanceType = kind
		in.CpuOptions = &types.CpuOptionsRequest{CoreCount: cores, ThreadsPerCore: threads}
		return in
	}
	for want, in := range map[string]*ec2.RunInstancesInput{
		"MissingParameter: The request must contain the parameter CpuOptions.ThreadsPerCore": cpus(
			"m5.2xlarge", aws.Int32(2), nil,
		),
		"InvalidParameterCombination: The instance type t2.micro does not support specifying CpuOptions.": cpus(
			"t2.micro", aws.Int32(1), aws.Int32(1),
		),
		"InvalidParameterValue: Value (3) for parameter coreCount is invalid. The type m5.4xlarge cannot have as " +
			"many cores.": cpus("m5.4xlarge", aws.Int32(3), aws.Int32(1)),
		"InvalidParameterValue: Value (2) for parameter threadsPerCore is invalid. Cores of the type c7a.large " +
			"cannot have as many threads.": cpus("c7a.large", aws.Int32(1), aws.Int32(2)),
	} {
		wantError(c, c.RunInstances, in, want)
	}
	item := do(c, c.RunInstances, cpus("m5.2xlarge", aws.Int32(2), aws.Int32(1))).Instances[0]
	row := func() *store.Instance {
		row, _ := store.Instances.Get(c.Store.View(), *item.InstanceId)
		return row
	}
	if o := item.CpuOptions; *o.CoreCount != 2 || *o.ThreadsPerCore != 1 || row().VCPUs(8) != 2 {
		t.Errorf("%+v, %d vCPUs", o, row().VCPUs(8))
	}
	modify := &ec2.ModifyInstanceCpuOptionsInput{
		InstanceId: item.InstanceId, CoreCount: aws.Int32(4), ThreadsPerCore: aws.Int32(1),
	}
	wantError(c, c.ModifyInstanceCpuOptions, modify,
		"IncorrectInstanceState: The instance '"+*item.InstanceId+"' is not in the 'stopped' state.")
	c.observe(*item.InstanceId, store.Stopped)
	do(c, c.ModifyInstanceCpuOptions, modify)
	if row().VCPUs(8) != 4 {
		t.Errorf("%d vCPUs after the change", row().VCPUs(8))
	}
	do(c, c.ModifyInstanceAttribute, &ec2.ModifyInstanceAttributeInput{
		InstanceId: item.InstanceId, InstanceType: &types.AttributeValue{Value: aws.String("m5.large")},
	})
	if row().VCPUs(2) != 2 {
		t.Errorf("%d vCPUs with another type", row().VCPUs(2))
	}
}

func TestRecoveryIsRecorded(t *testing.T) {
	c := newCloud(t)
	item := c.launch(func(in *ec2.RunInstancesInput) {
		in.MaintenanceOptions = &types.InstanceMaintenanceOptionsRequest{AutoRecovery: "disabled"}
	})
	if item.MaintenanceOptions.AutoRecovery != types.InstanceAutoRecoveryStateDisabled {
		t.Errorf("%+v", item.MaintenanceOptions)
	}
	out := do(c, c.ModifyInstanceMaintenanceOptions, &ec2.ModifyInstanceMaintenanceOptionsInput{
		InstanceId: item.InstanceId, AutoRecovery: types.InstanceAutoRecoveryStateDefault,
	})
	if out.AutoRecovery != types.InstanceAutoRecoveryStateDefault {
		t.Errorf("%+v", out)
	}
	wantError(c, c.ModifyInstanceMaintenanceOptions, &ec2.ModifyInstanceMaintenanceOptionsInput{
		InstanceId: item.InstanceId, AutoRecovery: "perhaps",
	}, "InvalidParameterValue: Value (perhaps) for parameter autoRecovery is invalid. It is not one of the values "+
		"that the parameter can have.")
}
