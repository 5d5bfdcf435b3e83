package autoscaling_test

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	ec2client "github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/smithy-go"

	"aloft.dev/aloft/internal/cloud/api/autoscaling"
	"aloft.dev/aloft/internal/cloud/api/ec2"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
	"aloft.dev/aloft/internal/cloud/wire/wiretest"
)

// refreshable is a group behind the wire that launches from version 1 of a
// template of three versions. No loop runs: refreshes stay where handlers put
// them.
type refreshable struct {
	*client.Client
	t        *testing.T
	store    *store.Store
	template *string
}

func newRefreshable(t *testing.T) *refreshable {
	t.Helper()
	s, err := store.Open("")
	if err != nil {
		t.Fatal(err)
	}
	compute := ec2.New(
		ec2.Config{Store: s, PublicRange: netip.MustParsePrefix("198.18.0.0/15"), Images: []ec2.BaseImage{{
			Base: "debian-12", Name: "debian", Owner: "136693071363", Architecture: "x86_64", RootDevice: "/dev/xvda",
			SizeGiB: 8, Parameter: "/aws/service/debian",
		}}},
	)
	config := wiretest.Serve(
		t,
		"eu-west-1",
		wire.Service{
			Name: "ec2",
			API:  compute,
		},
		wire.Service{Name: "autoscaling", API: autoscaling.New(autoscaling.Config{Store: s, Templates: compute})},
	)
	machines := ec2client.NewFromConfig(config)
	w := &refreshable{Client: client.NewFromConfig(config), t: t, store: s}
	images, err := machines.DescribeImages(t.Context(), &ec2client.DescribeImagesInput{})
	if err != nil {
		t.Fatal(err)
	}
	image := images.Images[0].ImageId
	w.update(func(tx *store.Tx) {
		store.Images.Edit(tx, *image, func(row *store.Image) {
			row.State = "available"
			store.Snapshots.Edit(
				tx, row.SnapshotID, func(s *store.Snapshot) { s.State, s.Layers = "completed", []string{"base"} },
			)
		})
	})
	made, err := machines.CreateLaunchTemplate(t.Context(), &ec2client.CreateLaunchTemplateInput{
		LaunchTemplateName: aws.String("web"),
		LaunchTemplateData: &ec2types.RequestLaunchTemplateData{ImageId: image, InstanceType: "t3.micro"},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.template = made.LaunchTemplate.LaunchTemplateId
	for _, data := range []ec2types.RequestLaunchTemplateData{
		{InstanceType: "t3.small"}, {ImageId: aws.String("resolve:ssm:/aws/service/debian")},
	} {
		if _, err := machines.CreateLaunchTemplateVersion(t.Context(), &ec2client.CreateLaunchTemplateVersionInput{
			LaunchTemplateId: w.template, SourceVersion: aws.String("1"), LaunchTemplateData: &data,
		}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.CreateAutoScalingGroup(t.Context(), &client.CreateAutoScalingGroupInput{
		AutoScalingGroupName: aws.String("g"), MinSize: aws.Int32(0), MaxSize: aws.Int32(4),
		AvailabilityZones: []string{"eu-west-1a"}, HealthCheckGracePeriod: aws.Int32(90),
		LaunchTemplate: w.version("1"),
	}); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *refreshable) version(word string) *types.LaunchTemplateSpecification {
	return &types.LaunchTemplateSpecification{LaunchTemplateId: w.template, Version: &word}
}

func (w *refreshable) update(do func(tx *store.Tx)) {
	w.t.Helper()
	if err := w.store.Update(func(tx *store.Tx) error { do(tx); return nil }); err != nil {
		w.t.Fatal(err)
	}
}

func (w *refreshable) begin(change func(*client.StartInstanceRefreshInput)) (string, error) {
	in := &client.StartInstanceRefreshInput{
		AutoScalingGroupName: aws.String("g"),
		DesiredConfiguration: &types.DesiredConfiguration{LaunchTemplate: w.version("2")},
	}
	if change != nil {
		change(in)
	}
	out, err := w.StartInstanceRefresh(w.t.Context(), in)
	if err != nil {
		return "", err
	}
	return *out.InstanceRefreshId, nil
}

func (w *refreshable) all(ids ...string) []types.InstanceRefresh {
	w.t.Helper()
	out, err := w.DescribeInstanceRefreshes(
		w.t.Context(),
		&client.DescribeInstanceRefreshesInput{AutoScalingGroupName: aws.String("g"), InstanceRefreshIds: ids},
	)
	if err != nil {
		w.t.Fatal(err)
	}
	return out.InstanceRefreshes
}

func (w *refreshable) edit(id string, change func(*store.InstanceRefresh)) {
	w.t.Helper()
	w.update(func(tx *store.Tx) { store.InstanceRefreshes.Edit(tx, id, change) })
}

func told(err error) string {
	if refusal, ok := errors.AsType[smithy.APIError](err); ok {
		return refusal.ErrorCode() + ": " + refusal.ErrorMessage()
	}
	return fmt.Sprint(err)
}

func TestARefreshIsKeptWithTheDefaultsOfItsPreferences(t *testing.T) {
	w := newRefreshable(t)
	id, err := w.begin(nil)
	if err != nil {
		t.Fatal(err)
	}
	r := w.all()[0]
	p := r.Preferences
	if *r.InstanceRefreshId != id || r.Status != "Pending" || r.Strategy != "Rolling" || r.StartTime != nil ||
		r.PercentageComplete != nil ||
		*r.DesiredConfiguration.LaunchTemplate.Version != "2" ||
		*r.DesiredConfiguration.LaunchTemplate.LaunchTemplateName != "web" {
		t.Errorf("%+v", r)
	}
	if *p.MinHealthyPercentage != 90 || p.MaxHealthyPercentage != nil || *p.InstanceWarmup != 90 || *p.SkipMatching ||
		*p.AutoRollback ||
		p.CheckpointDelay != nil ||
		p.StandbyInstances != "Wait" ||
		p.ScaleInProtectedInstances != "Wait" {
		t.Errorf("%+v", p)
	}
	w.update(func(tx *store.Tx) {
		store.ScalingGroups.Edit(
			tx,
			"eu-west-1/g",
			func(g *store.ScalingGroup) { g.DefaultWarmup, g.MinHealthy, g.MaxHealthy = aws.Int32(30), 100, 110 },
		)
		store.InstanceRefreshes.Delete(tx, id)
	})
	if _, err := w.begin(func(in *client.StartInstanceRefreshInput) {
		in.DesiredConfiguration, in.Preferences = nil, &types.RefreshPreferences{
			CheckpointPercentages: []int32{20, 100},
		}
	}); err != nil {
		t.Fatal(err)
	}
	if p := w.all()[0].Preferences; *p.MinHealthyPercentage != 100 || *p.MaxHealthyPercentage != 110 ||
		*p.InstanceWarmup != 30 ||
		*p.CheckpointDelay != 3600 {
		t.Errorf("%+v", p)
	}
}

func TestStartInstanceRefreshRefusals(t *testing.T) {
	w := newRefreshable(t)
	with := func(p types.RefreshPreferences) func(*client.StartInstanceRefreshInput) {
		return func(in *client.StartInstanceRefreshInput) { in.Preferences = &p }
	}
	for want, change := range map[string]func(*client.StartInstanceRefreshInput){
		"ValidationError: AutoScalingGroup name not found - AutoScalingGroup none not found":                                              func(in *client.StartInstanceRefreshInput) { in.AutoScalingGroupName = aws.String("none") },
		"NotImplemented: aloft's local cloud does not implement replacing root volumes of running instances (Strategy ReplaceRootVolume)": func(in *client.StartInstanceRefreshInput) { in.Strategy = types.RefreshStrategyReplaceRootVolume },
		"ValidationError: The difference between MaxHealthyPercentage and MinHealthyPercentage cannot be greater than 100.": with(types.RefreshPreferences{
			MinHealthyPercentage: aws.Int32(50), MaxHealthyPercentage: aws.Int32(200),
		}),
		"ValidationError: You must specify MinHealthyPercentage when you specify MaxHealthyPercentage.": with(types.RefreshPreferences{
			MaxHealthyPercentage: aws.Int32(200),
		}),
		"ValidationError: CheckpointPercentages must be unique, in ascending order and from 1 to 100.": with(types.RefreshPreferences{
			CheckpointPercentages: []int32{50, 50},
		}),
		"ValidationError: You must specify CheckpointPercentages when you specify CheckpointDelay.": with(types.RefreshPreferences{
			CheckpointDelay: aws.Int32(60),
		}),
		"ValidationError: The CloudWatch alarm errors does not exist.": with(types.RefreshPreferences{
			AlarmSpecification: &types.AlarmSpecification{Alarms: []string{"errors"}},
		}),
		"ValidationError: You must use a valid fully-formed launch template. Could not find the specified version 9 for the launch template with": func(in *client.StartInstanceRefreshInput) { in.DesiredConfiguration.LaunchTemplate = w.version("9") },
		"ValidationError: The request isn't valid. The AutoRollback parameter cannot be set to true when the DesiredConfiguration parameter is empty. Set AutoRollback to false or specify a desired configuration and try again.": func(in *client.StartInstanceRefreshInput) {
			in.DesiredConfiguration, in.Preferences = nil, &types.RefreshPreferences{AutoRollback: aws.Bool(true)}
		},
	} {
		if _, err := w.begin(change); !strings.HasPrefix(told(err), want) {
			t.Errorf("got %s, want %s", told(err), want)
		}
	}
	if _, err := w.begin(nil); err != nil {
		t.Fatal(err)
	}
	if _, err := w.begin(nil); told(
		err,
	) != "InstanceRefreshInProgress: An Instance Refresh is already in progress and blocks the execution of this Instance Refresh." {
		t.Errorf("a second refresh: %v", err)
	}
	if n := len(w.all()); n != 1 {
		t.Errorf("%d refreshes", n)
	}
}

func TestNothingIsRolledBackToAConfigurationThatMayChange(t *testing.T) {
	w := newRefreshable(t)
	for _, own := range []string{"$Latest", "$Default", "3"} {
		if _, err := w.UpdateAutoScalingGroup(t.Context(), &client.UpdateAutoScalingGroupInput{
			AutoScalingGroupName: aws.String("g"), LaunchTemplate: w.version(own),
		}); err != nil {
			t.Fatal(err)
		}
		_, err := w.begin(func(in *client.StartInstanceRefreshInput) {
			in.Preferences = &types.RefreshPreferences{AutoRollback: aws.Bool(true)}
		})
		if !strings.HasPrefix(
			told(err),
			"ValidationError: The request isn't valid. The AutoRollback parameter cannot be set to true when the Auto Scaling group ",
		) {
			t.Errorf("%s: %v", own, err)
		}
		id, err := w.begin(nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.RollbackInstanceRefresh(t.Context(), &client.RollbackInstanceRefreshInput{
			AutoScalingGroupName: aws.String("g"),
		}); !strings.HasPrefix(
			told(err),
			"IrreversibleInstanceRefresh: ",
		) {
			t.Errorf("%s: %v", own, err)
		}
		w.update(func(tx *store.Tx) { store.InstanceRefreshes.Delete(tx, id) })
	}
}

func TestARefreshIsCancelledOrRolledBackWhileItIsActive(t *testing.T) {
	w := newRefreshable(t)
	group := aws.String("g")
	const none = "ActiveInstanceRefreshNotFound: No in progress, baking, pending, or cancelling Instance Refresh found for Auto Scaling group g"
	if _, err := w.CancelInstanceRefresh(
		t.Context(), &client.CancelInstanceRefreshInput{AutoScalingGroupName: group},
	); told(
		err,
	) != none {
		t.Errorf("cancel nothing: %v", err)
	}
	if _, err := w.RollbackInstanceRefresh(
		t.Context(), &client.RollbackInstanceRefreshInput{AutoScalingGroupName: group},
	); told(
		err,
	) != none {
		t.Errorf("roll nothing back: %v", err)
	}
	id, err := w.begin(nil)
	if err != nil {
		t.Fatal(err)
	}
	w.edit(id, func(r *store.InstanceRefresh) {
		r.Status, r.Started, r.Percent, r.Remaining = store.RefreshInProgress, time.Now(), 33, 2
	})
	if out, err := w.RollbackInstanceRefresh(
		t.Context(), &client.RollbackInstanceRefreshInput{AutoScalingGroupName: group},
	); err != nil ||
		*out.InstanceRefreshId != id {
		t.Fatalf("%+v %v", out, err)
	}
	r := w.all()[0]
	if d := r.RollbackDetails; r.Status != "RollbackInProgress" || *d.PercentageCompleteOnRollback != 33 ||
		*d.InstancesToUpdateOnRollback != 2 ||
		d.RollbackStartTime == nil ||
		*d.RollbackReason != "Rollback was initiated due to user request." {
		t.Errorf("%+v", r)
	}
	if out, err := w.CancelInstanceRefresh(t.Context(), &client.CancelInstanceRefreshInput{
		AutoScalingGroupName: group, WaitForTransitioningInstances: aws.Bool(false),
	}); err != nil ||
		*out.InstanceRefreshId != id {
		t.Fatalf("%+v %v", out, err)
	}
	row, _ := store.InstanceRefreshes.Get(w.store.View(), id)
	if row.Status != store.RefreshCancelling || !row.Abrupt {
		t.Errorf("%+v", row)
	}
}

func TestTheConfigurationOfAGroupWaitsForARefreshThatBringsAnother(t *testing.T) {
	w := newRefreshable(t)
	id, err := w.begin(nil)
	if err != nil {
		t.Fatal(err)
	}
	change := func(word string) error {
		_, err := w.UpdateAutoScalingGroup(
			t.Context(),
			&client.UpdateAutoScalingGroupInput{AutoScalingGroupName: aws.String("g"), LaunchTemplate: w.version(word)},
		)
		return err
	}
	if err := change("2"); told(
		err,
	) != "ValidationError: An active instance refresh with a desired configuration exists. All configuration options derived from the desired configuration are not available for update while the instance refresh is active." {
		t.Errorf("got %v", err)
	}
	if err := change("1"); err != nil {
		t.Errorf("the configuration that it has: %v", err)
	}
	w.edit(id, func(r *store.InstanceRefresh) { r.Status = store.RefreshCancelled })
	if err := change("2"); err != nil {
		t.Errorf("after the refresh: %v", err)
	}
}

func TestRefreshesAreListedTheLatestFirstForSixWeeks(t *testing.T) {
	w := newRefreshable(t)
	id, err := w.begin(nil)
	if err != nil {
		t.Fatal(err)
	}
	ids := []string{id}
	for age := range 5 {
		if age == 0 {
			continue
		}
		w.update(func(tx *store.Tx) {
			row, _ := store.InstanceRefreshes.Get(tx, id)
			old := *row
			old.ID, old.Status, old.Created = fmt.Sprint(
				"old-",
				age,
			), store.RefreshSuccessful, row.Created.Add(-time.Duration(age)*11*24*time.Hour)
			store.InstanceRefreshes.Put(tx, &old)
		})
		if age < 4 {
			ids = append(ids, fmt.Sprint("old-", age))
		}
	}
	var got []string
	for p := client.NewDescribeInstanceRefreshesPaginator(w, &client.DescribeInstanceRefreshesInput{
		AutoScalingGroupName: aws.String("g"), MaxRecords: aws.Int32(3),
	}); p.HasMorePages(); {
		out, err := p.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range out.InstanceRefreshes {
			got = append(got, *r.InstanceRefreshId)
		}
	}
	if strings.Join(got, " ") != strings.Join(ids, " ") {
		t.Errorf("got %v, want %v", got, ids)
	}
	if one := w.all("old-2"); len(one) != 1 || *one[0].InstanceRefreshId != "old-2" {
		t.Errorf("%+v", one)
	}
	if _, err := w.DescribeInstanceRefreshes(t.Context(), &client.DescribeInstanceRefreshesInput{
		AutoScalingGroupName: aws.String("g"), NextToken: aws.String("x"),
	}); told(
		err,
	) != "InvalidNextToken: The token 'x' is invalid." {
		t.Errorf("got %v", err)
	}
}

func TestWarmPoolsAreRefusedByName(t *testing.T) {
	w := newRefreshable(t)
	_, put := w.PutWarmPool(t.Context(), &client.PutWarmPoolInput{AutoScalingGroupName: aws.String("g")})
	_, describe := w.DescribeWarmPool(t.Context(), &client.DescribeWarmPoolInput{AutoScalingGroupName: aws.String("g")})
	_, remove := w.DeleteWarmPool(t.Context(), &client.DeleteWarmPoolInput{AutoScalingGroupName: aws.String("g")})
	for name, err := range map[string]error{
		"PutWarmPool": put, "DescribeWarmPool": describe, "DeleteWarmPool": remove,
	} {
		if told(err) != "NotImplemented: aloft's local cloud does not implement autoscaling:"+name {
			t.Errorf("%s: %v", name, err)
		}
	}
}
