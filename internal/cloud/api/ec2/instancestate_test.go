package ec2

import (
	"context"
	"encoding/base64"
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/store"
)

func TestStatesAreChangedFromTheRightStatesOnly(t *testing.T) {
	r := newRemote(t)
	items := r.launch(2)
	id, other := *items[0].InstanceId, *items[1].InstanceId
	ids := []string{id}
	missing := "MissingParameter: The request must contain the parameter InstanceId"
	denied(r, r.StartInstances, &ec2.StartInstancesInput{}, missing)
	denied(r, r.StopInstances, &ec2.StopInstancesInput{}, missing)
	denied(r, r.RebootInstances, &ec2.RebootInstancesInput{}, missing)
	denied(r, r.TerminateInstances, &ec2.TerminateInstancesInput{}, missing)
	unknown := "InvalidInstanceID.NotFound: The instance ID '" + noInstance + "' does not exist"
	denied(r, r.StartInstances, &ec2.StartInstancesInput{InstanceIds: []string{noInstance}}, unknown)
	denied(r, r.StopInstances, &ec2.StopInstancesInput{InstanceIds: []string{noInstance}}, unknown)
	denied(r, r.RebootInstances, &ec2.RebootInstancesInput{InstanceIds: []string{noInstance}}, unknown)
	denied(
		r,
		r.TerminateInstances,
		&ec2.TerminateInstancesInput{InstanceIds: []string{"web"}},
		`InvalidInstanceID.Malformed: Invalid id: "web" (expecting "i-...")`,
	)
	// All or none.
	denied(r, r.TerminateInstances, &ec2.TerminateInstancesInput{InstanceIds: []string{id, noInstance}}, unknown)
	denied(r, r.StartInstances, &ec2.StartInstancesInput{InstanceIds: ids, DryRun: aws.Bool(true)}, dryRun)
	denied(r, r.StopInstances, &ec2.StopInstancesInput{InstanceIds: ids, DryRun: aws.Bool(true)}, dryRun)
	denied(r, r.RebootInstances, &ec2.RebootInstancesInput{InstanceIds: ids, DryRun: aws.Bool(true)}, dryRun)
	denied(r, r.TerminateInstances, &ec2.TerminateInstancesInput{InstanceIds: ids, DryRun: aws.Bool(true)}, dryRun)
	denied(
		r,
		r.StopInstances,
		&ec2.StopInstancesInput{InstanceIds: ids, Hibernate: aws.Bool(true)},
		"UnsupportedOperation: aloft's local cloud does not support the parameter hibernate",
	)
	denied(
		r,
		r.StopInstances,
		&ec2.StopInstancesInput{InstanceIds: ids, SkipOsShutdown: aws.Bool(true)},
		"UnsupportedOperation: aloft's local cloud does not support the parameter skipOsShutdown",
	)
	denied(
		r,
		r.TerminateInstances,
		&ec2.TerminateInstancesInput{InstanceIds: ids, Force: aws.Bool(true)},
		"UnsupportedOperation: aloft's local cloud does not support the parameter force",
	)
	denied(
		r,
		r.StartInstances,
		&ec2.StartInstancesInput{InstanceIds: ids, AdditionalInfo: aws.String("x")},
		"UnsupportedOperation: aloft's local cloud does not support the parameter additionalInfo",
	)
	if row, _ := store.Instances.Get(r.cloud.Store.View(), id); row.Wanted != store.Running || row.Reboots != 0 {
		t.Errorf("refusals changed %+v", row)
	}

	for _, test := range []struct {
		state                         string
		start, stop, reboot, teardown string
	}{
		{store.Stopped, "", "", "IncorrectInstanceState:", ""},
		{store.Stopping, "IncorrectInstanceState:", "", "IncorrectInstanceState:", ""},
		{store.ShuttingDown, "IncorrectInstanceState:", "IncorrectInstanceState:", "IncorrectInstanceState:", ""},
		{store.Terminated, "IncorrectInstanceState:", "IncorrectInstanceState:", "IncorrectInstanceState:", ""},
		{store.Running, "", "", "", ""},
	} {
		ask := func(call func() error, want string) {
			t.Helper()
			r.cloud.observe(other, test.state)
			if err := call(); err == nil != (want == "") {
				t.Errorf("%s: %v, want %s", test.state, err, want)
			}
		}
		ask(func() error {
			_, err := r.StartInstances(t.Context(), &ec2.StartInstancesInput{InstanceIds: []string{other}})
			return err
		}, test.start)
		ask(func() error {
			_, err := r.StopInstances(t.Context(), &ec2.StopInstancesInput{InstanceIds: []string{other}})
			return err
		}, test.stop)
		ask(func() error {
			_, err := r.RebootInstances(t.Context(), &ec2.RebootInstancesInput{InstanceIds: []string{other}})
			return err
		}, test.reboot)
		ask(func() error {
			_, err := r.TerminateInstances(t.Context(), &ec2.TerminateInstancesInput{InstanceIds: []string{other}})
			return err
		}, test.teardown)
	}
}

func TestProtectedInstancesStay(t *testing.T) {
	r := newRemote(t)
	in := single(r.cloud.built())
	in.DisableApiTermination, in.DisableApiStop = aws.Bool(true), aws.Bool(true)
	id := *got(r, r.RunInstances, in).Instances[0].InstanceId
	r.cloud.observe(id, store.Running)
	denied(
		r,
		r.StopInstances,
		&ec2.StopInstancesInput{InstanceIds: []string{id}},
		"OperationNotPermitted: The instance '"+id+"' may not be stopped. Modify its 'disableApiStop' instance attribute and try again.",
	)
	denied(
		r,
		r.TerminateInstances,
		&ec2.TerminateInstancesInput{InstanceIds: []string{id}},
		"OperationNotPermitted: The instance '"+id+"' may not be terminated. Modify its 'disableApiTermination' instance attribute and try again.",
	)
	got(r, r.ModifyInstanceAttribute, &ec2.ModifyInstanceAttributeInput{
		InstanceId:            &id,
		DisableApiTermination: &types.AttributeBooleanValue{Value: aws.Bool(false)},
	})
	got(r, r.TerminateInstances, &ec2.TerminateInstancesInput{InstanceIds: []string{id}})
}

func TestStatusIsOfRunningInstancesUnlessAllAreAsked(t *testing.T) {
	r := newRemote(t)
	items := r.launch(7)
	status := func(in *ec2.DescribeInstanceStatusInput) map[string]types.SummaryStatus {
		all := map[string]types.SummaryStatus{}
		for _, s := range got(r, r.DescribeInstanceStatus, in).InstanceStatuses {
			all[*s.InstanceId] = s.InstanceStatus.Status
			if s.SystemStatus.Status != s.InstanceStatus.Status {
				t.Errorf("status %+v", s)
			}
		}
		return all
	}
	if all := status(&ec2.DescribeInstanceStatusInput{}); len(all) > 0 {
		t.Errorf("pending instances: %v", all)
	}
	for _, item := range items[:6] {
		r.cloud.observe(*item.InstanceId, store.Running)
	}
	first := *items[0].InstanceId
	r.edit(func(tx *store.Tx) {
		store.Instances.Edit(tx, first, func(row *store.Instance) { row.Reachable = true })
	})
	all := status(&ec2.DescribeInstanceStatusInput{IncludeAllInstances: aws.Bool(true)})
	if len(all) != 7 || all[first] != "ok" || all[*items[1].InstanceId] != "initializing" ||
		all[*items[6].InstanceId] != "not-applicable" {
		t.Errorf("status %v", all)
	}
	narrowed(r, statusFilters, map[string]string{
		"availability-zone-id": "use1-az" + string("123456"[(*items[0].Placement.AvailabilityZone)[9]-'a']),
		"availability-zone":    *items[0].Placement.AvailabilityZone, "event.code": "", "event.description": "",
		"event.not-after": "", "event.not-before": "",
		"event.instance-event-id": "", "event.not-before-deadline": "", "instance-state-code": "16",
		"instance-state-name": "running", "instance-status.reachability": "passed", "instance-status.status": "ok",
		"system-status.reachability": "passed", "system-status.status": "ok", "operator.managed": "false",
	}, first, func(f types.Filter) []string {
		out := got(r, r.DescribeInstanceStatus, &ec2.DescribeInstanceStatusInput{Filters: []types.Filter{f}})
		return list(out.InstanceStatuses, func(s types.InstanceStatus) string { return *s.InstanceId })
	})
	paged(r, []int{5, 1}, func(token *string) ([]string, *string) {
		out := got(r, r.DescribeInstanceStatus, &ec2.DescribeInstanceStatusInput{MaxResults: five(), NextToken: token})
		return list(out.InstanceStatuses, func(s types.InstanceStatus) string { return *s.InstanceId }), out.NextToken
	})
	denied(
		r,
		r.DescribeInstanceStatus,
		&ec2.DescribeInstanceStatusInput{InstanceIds: []string{first}, MaxResults: five()},
		"InvalidParameterCombination: The parameter instancesSet cannot be used with the parameter maxResults",
	)
	denied(
		r,
		r.DescribeInstanceStatus,
		&ec2.DescribeInstanceStatusInput{InstanceIds: []string{noInstance}},
		"InvalidInstanceID.NotFound:",
	)
	denied(
		r,
		r.DescribeInstanceStatus,
		&ec2.DescribeInstanceStatusInput{Filters: []types.Filter{filter("image-id", "*")}},
		"InvalidParameterValue: The filter 'image-id' is invalid",
	)
	denied(r, r.DescribeInstanceStatus, &ec2.DescribeInstanceStatusInput{DryRun: aws.Bool(true)}, dryRun)
}

func TestTheConsoleIsReadOnceTheInstanceHasRun(t *testing.T) {
	r := newRemote(t)
	id := *r.launch(1)[0].InstanceId
	fail := false
	r.cloud.Console = func(context.Context, string) ([]byte, error) {
		if fail {
			return nil, errors.New("disk on fire")
		}
		return []byte("login:"), nil
	}
	if out := got(r, r.GetConsoleOutput, &ec2.GetConsoleOutputInput{InstanceId: &id}); out.Output != nil ||
		*out.InstanceId != id {
		t.Errorf("console %+v", out)
	}
	r.cloud.observe(id, store.Running)
	out := got(r, r.GetConsoleOutput, &ec2.GetConsoleOutputInput{InstanceId: &id, Latest: aws.Bool(true)})
	if text, err := base64.StdEncoding.DecodeString(aws.ToString(out.Output)); string(text) != "login:" || err != nil ||
		!out.Timestamp.Equal(noon) {
		t.Errorf("console %q at %v: %v", text, out.Timestamp, err)
	}
	fail = true
	denied(r, r.GetConsoleOutput, &ec2.GetConsoleOutputInput{InstanceId: &id}, "InternalError:")
	denied(
		r,
		r.GetConsoleOutput,
		&ec2.GetConsoleOutputInput{},
		"MissingParameter: The request must contain the parameter instanceId",
	)
	denied(
		r,
		r.GetConsoleOutput,
		&ec2.GetConsoleOutputInput{InstanceId: aws.String(noInstance)},
		"InvalidInstanceID.NotFound:",
	)
	denied(r, r.GetConsoleOutput, &ec2.GetConsoleOutputInput{InstanceId: &id, DryRun: aws.Bool(true)}, dryRun)
}
