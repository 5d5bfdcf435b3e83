package ec2

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/store"
)

func TestAPersistentSpotRequestLaunchesAgain(t *testing.T) {
	r := newRemote(t)
	image := r.cloud.availableImage()
	made := doRemote(r, r.RequestSpotInstances, &ec2.RequestSpotInstancesInput{
		Type: types.SpotInstanceTypePersistent, InstanceCount: aws.Int32(2),
		LaunchSpecification: &types.RequestSpotLaunchSpecification{
			ImageId: &image, InstanceType: types.InstanceTypeT3Micro,
		},
		TagSpecifications: specification(types.ResourceTypeSpotInstancesRequest, "Name", "web"),
	}).SpotInstanceRequests
	if len(made) != 2 || made[0].Type != types.SpotInstanceTypePersistent {
		t.Fatalf("requests %+v", made)
	}
	id, first := *made[0].SpotInstanceRequestId, *made[0].InstanceId
	repeat := func() {
		t.Helper()
		row, _ := store.SpotRequests.Get(r.cloud.Store.View(), id)
		if err := r.cloud.RepeatSpotRequest(r.cloud.ctx, row); err != nil {
			t.Fatal(err)
		}
	}
	repeat()
	if got := r.spotRequest(id); *got.InstanceId != first || got.State != types.SpotInstanceStateActive {
		t.Errorf("the request is %+v", got)
	}
	r.cloud.observe(first, store.Running)
	wantRemoteError(r, r.StopInstances, &ec2.StopInstancesInput{InstanceIds: []string{first}}, "UnsupportedOperation:")
	doRemote(r, r.TerminateInstances, &ec2.TerminateInstancesInput{InstanceIds: []string{first}})
	repeat()
	if got := r.spotRequest(id); *got.InstanceId != first || got.State != types.SpotInstanceStateOpen {
		t.Errorf("while its instance terminates, the request is %+v", got)
	}
	r.cloud.observe(first, store.Terminated)
	repeat()
	got := r.spotRequest(id)
	if *got.InstanceId == first || got.State != types.SpotInstanceStateActive || len(got.Tags) != 1 {
		t.Errorf("the request is %+v", got)
	}
	if row, _ := store.Instances.Get(r.cloud.Store.View(), *got.InstanceId); row.SpotRequestID != id {
		t.Errorf("the instance fulfils %s", row.SpotRequestID)
	}
	if all := doRemote(r, r.DescribeSpotInstanceRequests, &ec2.DescribeSpotInstanceRequestsInput{
		Filters: []types.Filter{filter("type", "persistent")},
	}).SpotInstanceRequests; len(all) != 2 {
		t.Errorf("%d requests, want 2", len(all))
	}
	cancel := &ec2.CancelSpotInstanceRequestsInput{SpotInstanceRequestIds: []string{id}}
	doRemote(r, r.CancelSpotInstanceRequests, cancel)
	r.cloud.observe(*got.InstanceId, store.Terminated)
	repeat()
	after := r.spotRequest(id)
	if *after.InstanceId != *got.InstanceId || after.State != types.SpotInstanceStateCancelled {
		t.Errorf("the cancelled request is %+v", after)
	}
}

func TestAPersistentSpotRequestEndsWhenItsTimeIsOver(t *testing.T) {
	r := newRemote(t)
	image := r.cloud.availableImage()
	made := doRemote(r, r.RequestSpotInstances, &ec2.RequestSpotInstancesInput{
		Type: types.SpotInstanceTypePersistent, ValidUntil: aws.Time(noon.Add(time.Hour)),
		LaunchSpecification: &types.RequestSpotLaunchSpecification{
			ImageId: &image, InstanceType: types.InstanceTypeT3Micro,
		},
	}).SpotInstanceRequests[0]
	id, instance := *made.SpotInstanceRequestId, *made.InstanceId
	for _, step := range []struct {
		after time.Duration
		state string
		want  types.SpotInstanceState
	}{
		{2 * time.Hour, store.Running, types.SpotInstanceStateActive},
		{2 * time.Hour, store.Terminated, types.SpotInstanceStateCancelled},
	} {
		r.cloud.Now = func() time.Time { return noon.Add(step.after) }
		r.cloud.observe(instance, step.state)
		row, _ := store.SpotRequests.Get(r.cloud.Store.View(), id)
		if err := r.cloud.RepeatSpotRequest(r.cloud.ctx, row); err != nil {
			t.Fatal(err)
		}
		if got := r.spotRequest(id); got.State != step.want || *got.InstanceId != instance {
			t.Errorf("%+v: the request is %+v", step, got)
		}
	}
}
