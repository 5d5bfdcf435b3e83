//go:build linux

package autoscaling_test

import (
	"net/netip"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	ec2sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	api "aloft.dev/aloft/internal/cloud/api/autoscaling"
	"aloft.dev/aloft/internal/cloud/api/ec2"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
	"aloft.dev/aloft/internal/cloud/wire/wiretest"
)

type refreshInput = autoscaling.StartInstanceRefreshInput

// refreshWorld is a served API with a group, g, that launches from version 1 of a
// launch template. Version 2 has another instance type, version 3 an image alias. No
// scaling loop runs, so refreshes stay as handlers store them.
type refreshWorld struct {
	*autoscaling.Client
	t        *testing.T
	store    *store.Store
	template *string
}

func newRefreshWorld(t *testing.T) *refreshWorld {
	t.Helper()
	s, err := store.Open("")
	if err != nil {
		t.Fatal(err)
	}
	compute := ec2.New(ec2.Config{
		Store: s, PublicRange: netip.MustParsePrefix("198.18.0.0/15"),
		Images: []ec2.BaseImage{{
			Base: "debian-12", Name: "debian", Owner: "136693071363", Architecture: "x86_64",
			RootDevice: "/dev/xvda", SizeGiB: 8, Parameters: []string{"/aws/service/debian"},
		}},
	})
	config := wiretest.Serve(
		t, "eu-west-1",
		wire.Service{Name: "ec2", API: compute},
		wire.Service{Name: "autoscaling", API: api.New(api.Config{Store: s, Templates: compute})},
	)
	ec2Client := ec2sdk.NewFromConfig(config)
	w := &refreshWorld{Client: autoscaling.NewFromConfig(config), t: t, store: s}
	images, err := ec2Client.DescribeImages(t.Context(), &ec2sdk.DescribeImagesInput{})
	if err != nil {
		t.Fatal(err)
	}
	image := images.Images[0].ImageId
	w.update(func(tx *store.Tx) {
		store.Images.Edit(tx, *image, func(row *store.Image) {
			row.State = "available"
			store.Snapshots.Edit(tx, row.SnapshotID, func(s *store.Snapshot) {
				s.State, s.Layers = "completed", []string{"base"}
			})
		})
	})
	created, err := ec2Client.CreateLaunchTemplate(t.Context(), &ec2sdk.CreateLaunchTemplateInput{
		LaunchTemplateName: aws.String("web"),
		LaunchTemplateData: &ec2types.RequestLaunchTemplateData{ImageId: image, InstanceType: "t3.micro"},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.template = created.LaunchTemplate.LaunchTemplateId
	for _, data := range []ec2types.RequestLaunchTemplateData{
		{InstanceType: "t3.small"}, {ImageId: aws.String("resolve:ssm:/aws/service/debian")},
	} {
		if _, err := ec2Client.CreateLaunchTemplateVersion(t.Context(), &ec2sdk.CreateLaunchTemplateVersionInput{
			LaunchTemplateId: w.template, SourceVersion: aws.String("1"), LaunchTemplateData: &data,
		}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.CreateAutoScalingGroup(t.Context(), &autoscaling.CreateAutoScalingGroupInput{
		AutoScalingGroupName: aws.String("g"), MinSize: aws.Int32(0), MaxSize: aws.Int32(4),
		AvailabilityZones: []string{"eu-west-1a"}, HealthCheckGracePeriod: aws.Int32(90),
		LaunchTemplate: w.templateVersion("1"),
	}); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *refreshWorld) templateVersion(version string) *types.LaunchTemplateSpecification {
	return &types.LaunchTemplateSpecification{LaunchTemplateId: w.template, Version: &version}
}

// startRefresh starts a refresh to version 2, changed by change if that is not nil.
func (w *refreshWorld) startRefresh(change func(*refreshInput)) (string, error) {
	in := &refreshInput{
		AutoScalingGroupName: aws.String("g"),
		DesiredConfiguration: &types.DesiredConfiguration{LaunchTemplate: w.templateVersion("2")},
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

// refreshes returns the described refreshes, all or those with the given IDs.
func (w *refreshWorld) refreshes(ids ...string) []types.InstanceRefresh {
	w.t.Helper()
	out, err := w.DescribeInstanceRefreshes(w.t.Context(), &autoscaling.DescribeInstanceRefreshesInput{
		AutoScalingGroupName: aws.String("g"), InstanceRefreshIds: ids,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return out.InstanceRefreshes
}

func (w *refreshWorld) editRefresh(id string, change func(*store.InstanceRefresh)) {
	w.t.Helper()
	w.update(func(tx *store.Tx) { store.InstanceRefreshes.Edit(tx, id, change) })
}

func (w *refreshWorld) update(do func(tx *store.Tx)) {
	w.t.Helper()
	if err := w.store.Update(func(tx *store.Tx) error { do(tx); return nil }); err != nil {
		w.t.Fatal(err)
	}
}
