package ec2

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/store"
)

func TestInstanceStatusOmitsInstancesThatDoNotRun(t *testing.T) {
	r := newRemote(t)
	items := r.launch(7)
	status := func(in *ec2.DescribeInstanceStatusInput) map[string]types.SummaryStatus {
		all := map[string]types.SummaryStatus{}
		for _, s := range doRemote(r, r.DescribeInstanceStatus, in).InstanceStatuses {
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
	r.edit(func(tx *store.Tx) {
		store.Instances.Edit(tx, first, func(row *store.Instance) { row.ImpairedSince = time.Now() })
	})
	impaired := doRemote(r, r.DescribeInstanceStatus, &ec2.DescribeInstanceStatusInput{Filters: []types.Filter{
		filter("instance-status.status", "impaired"), filter("system-status.status", "ok"),
	}}).InstanceStatuses
	if len(impaired) != 1 || *impaired[0].InstanceId != first || impaired[0].SystemStatus.Status != "ok" ||
		impaired[0].InstanceStatus.Details[0].ImpairedSince == nil {
		t.Errorf("with a read-only disk: %+v", impaired)
	}
	r.edit(func(tx *store.Tx) {
		store.Instances.Edit(tx, first, func(row *store.Instance) { row.ImpairedSince = time.Time{} })
	})
	wantFilters(r, statusFilters, map[string]string{
		"availability-zone-id": "use1-az" + string("123456"[(*items[0].Placement.AvailabilityZone)[9]-'a']),
		"availability-zone":    *items[0].Placement.AvailabilityZone, "event.code": "", "event.description": "",
		"operator.principal": "", "attached-ebs-status.status": "",
		"event.not-after": "", "event.not-before": "",
		"event.instance-event-id": "", "event.not-before-deadline": "", "instance-state-code": "16",
		"instance-state-name": "running", "instance-status.reachability": "passed", "instance-status.status": "ok",
		"system-status.reachability": "passed", "system-status.status": "ok", "operator.managed": "false",
	}, first, func(f types.Filter) []string {
		out := doRemote(r, r.DescribeInstanceStatus, &ec2.DescribeInstanceStatusInput{Filters: []types.Filter{f}})
		return list(out.InstanceStatuses, func(s types.InstanceStatus) string { return *s.InstanceId })
	})
	wantPages(r, []int{5, 1}, func(token *string) ([]string, *string) {
		out := doRemote(r, r.DescribeInstanceStatus, &ec2.DescribeInstanceStatusInput{
			MaxResults: five(), NextToken: token,
		})
		return list(out.InstanceStatuses, func(s types.InstanceStatus) string { return *s.InstanceId }), out.NextToken
	})
	wantRemoteError(r, r.DescribeInstanceStatus,
		&ec2.DescribeInstanceStatusInput{InstanceIds: []string{first}, MaxResults: five()},
		"InvalidParameterCombination: The parameter instancesSet cannot be used with the parameter maxResults")
	wantRemoteError(r, r.DescribeInstanceStatus, &ec2.DescribeInstanceStatusInput{InstanceIds: []string{noInstance}},
		"InvalidInstanceID.NotFound:")
	wantRemoteError(r, r.DescribeInstanceStatus,
		&ec2.DescribeInstanceStatusInput{Filters: []types.Filter{filter("image-id", "*")}},
		"InvalidParameterValue: The filter 'image-id' is invalid")
	wantRemoteError(r, r.DescribeInstanceStatus, &ec2.DescribeInstanceStatusInput{DryRun: aws.Bool(true)}, dryRun)
}
