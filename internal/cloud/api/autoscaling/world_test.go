//go:build linux

package autoscaling_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	api "aloft.dev/aloft/internal/cloud/api/autoscaling"
	compute "aloft.dev/aloft/internal/cloud/api/ec2"
	"aloft.dev/aloft/internal/cloud/api/elbv2"
	"aloft.dev/aloft/internal/cloud/control/scaling"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

const here = "us-east-1"

type createInput = autoscaling.CreateAutoScalingGroupInput

// world is the API with the services that it calls, and an account that has a
// launch template and a target group.
type world struct {
	*api.API
	t           *testing.T
	ctx         context.Context
	store       *store.Store
	ec2         *compute.API
	elb         *elbv2.API
	subnets     []string
	image       string
	targetGroup string // its ARN
}

// newWorld returns a world without the scaling loop: groups get no instances.
func newWorld(t *testing.T) *world {
	t.Helper()
	s, err := store.Open("")
	if err != nil {
		t.Fatal(err)
	}
	public := netip.MustParsePrefix("198.18.0.0/15")
	w := &world{
		t:     t,
		store: s,
		ctx:   wire.WithCaller(context.Background(), wire.Caller{Region: here}),
		elb:   elbv2.New(elbv2.Config{Store: s, PublicRange: public}),
	}
	w.ec2 = compute.New(compute.Config{
		Store:       s,
		PublicRange: public,
		Images: []compute.BaseImage{{
			Base: "debian-12", Name: "debian-12", Owner: "136693071363", Architecture: "x86_64",
			RootDevice: "/dev/xvda", SizeGiB: 8, Parameters: []string{"/p"},
		}},
	})
	w.API = api.New(api.Config{Store: s, Templates: w.ec2})
	w.image = *must(w.ec2.DescribeImages(w.ctx, &ec2.DescribeImagesInput{}))(t).Images[0].ImageId
	w.update(func(tx *store.Tx) {
		store.Images.Edit(tx, w.image, func(i *store.Image) {
			i.State = "available"
			store.Snapshots.Edit(
				tx, i.SnapshotID, func(s *store.Snapshot) { s.State, s.Layers = "completed", []string{"base"} },
			)
		})
	})
	subnets := must(w.ec2.DescribeSubnets(w.ctx, &ec2.DescribeSubnetsInput{}))(t).Subnets
	slices.SortFunc(subnets, func(a, b ec2types.Subnet) int {
		return strings.Compare(*a.AvailabilityZone, *b.AvailabilityZone)
	})
	for _, subnet := range subnets[:3] {
		w.subnets = append(w.subnets, *subnet.SubnetId)
	}
	must(w.ec2.CreateLaunchTemplate(w.ctx, &ec2.CreateLaunchTemplateInput{
		LaunchTemplateName: new("web"),
		LaunchTemplateData: &ec2types.RequestLaunchTemplateData{ImageId: &w.image, InstanceType: "t3.micro"},
	}))(t)
	w.targetGroup = *must(w.elb.CreateTargetGroup(w.ctx, &elb.CreateTargetGroupInput{
		Name: new("web"), Protocol: elbtypes.ProtocolEnumHttp, Port: new(int32(80)), VpcId: subnets[0].VpcId,
	}))(t).TargetGroups[0].TargetGroupArn
	return w
}

// withLoop runs a test in a synctest bubble with the scaling loop. Instances start
// and terminate at once.
func withLoop(t *testing.T, test func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		loop := &scaling.Loop{
			Store: w.store,
			Fleet: &api.Fleet{Store: w.store, Compute: w.ec2, Balancing: w.elb},
			Log:   slog.New(slog.DiscardHandler),
		}
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { _ = loop.Run(ctx) })
		running.Go(func() { w.runInstances(ctx) })
		defer func() { cancel(); running.Wait(); _ = w.store.Close() }()
		test(w)
	})
}

// runInstances stands in for the instances loop.
func (w *world) runInstances(ctx context.Context) {
	for {
		view := w.store.View()
		for _, i := range store.Instances.List(view) {
			next := map[string]string{
				store.Pending: store.Running, store.ShuttingDown: store.Terminated, store.Stopping: store.Stopped,
			}[i.State]
			if next == "" {
				continue
			}
			_ = w.store.Update(func(tx *store.Tx) error {
				store.Instances.Edit(
					tx, i.ID, func(i *store.Instance) { i.State, i.Reachable = next, next == store.Running },
				)
				return nil
			})
		}
		if view.Changed(ctx, store.Instances) != nil {
			return
		}
	}
}

func (w *world) update(do func(tx *store.Tx)) {
	w.t.Helper()
	if err := w.store.Update(func(tx *store.Tx) error { do(tx); return nil }); err != nil {
		w.t.Fatal(err)
	}
}

// groupOfThree returns the request for a group of one to six instances, three
// desired, in three zones.
func (w *world) groupOfThree() *autoscaling.CreateAutoScalingGroupInput {
	return &autoscaling.CreateAutoScalingGroupInput{
		AutoScalingGroupName: new("g"),
		MinSize:              new(int32(1)), MaxSize: new(int32(6)), DesiredCapacity: new(int32(3)),
		VPCZoneIdentifier: new(strings.Join(w.subnets, ",")),
		LaunchTemplate: &types.LaunchTemplateSpecification{
			LaunchTemplateName: new("web"),
		}, TargetGroupARNs: []string{w.targetGroup},
	}
}

// createGroup creates groupOfThree, changed by change if that is not nil, waits for
// its instances and returns their IDs.
func (w *world) createGroup(change func(*createInput)) []string {
	w.t.Helper()
	in := w.groupOfThree()
	if change != nil {
		change(in)
	}
	must(w.CreateAutoScalingGroup(w.ctx, in))(w.t)
	w.waitForLoop()
	var ids []string
	for _, i := range w.describeGroup().Instances {
		ids = append(ids, *i.InstanceId)
	}
	return ids
}

// waitForLoop waits until the scaling loop has nothing left to do.
func (w *world) waitForLoop() {
	time.Sleep(time.Minute)
	synctest.Wait()
}

func (w *world) describeGroup() types.AutoScalingGroup {
	w.t.Helper()
	groups := must(w.DescribeAutoScalingGroups(
		w.ctx,
		&autoscaling.DescribeAutoScalingGroupsInput{AutoScalingGroupNames: []string{"g"}},
	))(w.t).AutoScalingGroups
	if len(groups) != 1 {
		w.t.Fatalf("%d groups", len(groups))
	}
	return groups[0]
}

// lifecycleStates returns how many instances are in each lifecycle state, as
// "[InService:2 Standby:1]".
func (w *world) lifecycleStates() string {
	n := map[types.LifecycleState]int{}
	for _, i := range w.describeGroup().Instances {
		n[i.LifecycleState]++
	}
	return strings.TrimPrefix(fmt.Sprint(n), "map")
}

// newestActivity returns the newest activity whose description names an instance.
func (w *world) newestActivity(id string) types.Activity {
	w.t.Helper()
	for _, a := range must(w.DescribeScalingActivities(w.ctx, &autoscaling.DescribeScalingActivitiesInput{
		AutoScalingGroupName: new("g"),
	}))(w.t).Activities {
		if strings.Contains(*a.Description, id) {
			return a
		}
	}
	w.t.Fatalf("no activity of %s", id)
	return types.Activity{}
}

// putHook creates a lifecycle hook with a heartbeat timeout of ten minutes.
func (w *world) putHook(name, transition string) {
	w.t.Helper()
	must(w.PutLifecycleHook(w.ctx, &autoscaling.PutLifecycleHookInput{
		AutoScalingGroupName: new("g"),
		LifecycleHookName:    &name,
		LifecycleTransition:  &transition,
		HeartbeatTimeout:     aws.Int32(600),
	}))(w.t)
}

// hookWaits returns an instance's waits for hooks.
func (w *world) hookWaits(id string) []store.HookWait {
	i, ok := store.ScalingInstances.Get(w.store.View(), id)
	if !ok {
		return nil
	}
	return i.Waits
}

// registrations returns how many targets an instance is.
func (w *world) registrations(id string) int {
	return len(store.TargetsByID.List(w.store.View(), id))
}

// launchOf returns a launch of an instance of a type from the launch template.
func launchOf(w *world, instanceType string) compute.Launch {
	return compute.Launch{
		Template: store.TemplateRef{Name: "web"}, Type: instanceType, SubnetID: w.subnets[0], Count: 1,
	}
}

// suspend suspends a process of the group.
func (w *world) suspend(process string) {
	w.t.Helper()
	must(w.SuspendProcesses(w.ctx, &autoscaling.SuspendProcessesInput{
		AutoScalingGroupName: new("g"), ScalingProcesses: []string{process},
	}))(w.t)
}
