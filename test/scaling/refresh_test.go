//go:build linux

package scaling

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	scalingtypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/test/simulation"
)

// next creates another version of the group's launch template and returns it as a
// desired configuration.
func (s *scalable) next(data types.RequestLaunchTemplateData) *scalingtypes.DesiredConfiguration {
	s.t.Helper()
	v := simulation.Must(s.ec2.CreateLaunchTemplateVersion(s.t.Context(), &ec2.CreateLaunchTemplateVersionInput{
		LaunchTemplateName: aws.String("web"),
		SourceVersion:      aws.String("1"),
		LaunchTemplateData: &data,
	}))(s.t)
	return &scalingtypes.DesiredConfiguration{LaunchTemplate: &scalingtypes.LaunchTemplateSpecification{
		LaunchTemplateName: aws.String("web"),
		Version:            aws.String(string('0' + rune(*v.LaunchTemplateVersion.VersionNumber))),
	}}
}

// refresh starts an instance refresh that launches before it terminates.
func (s *scalable) refresh(desired *scalingtypes.DesiredConfiguration) string {
	s.t.Helper()
	return *simulation.Must(s.scaling.StartInstanceRefresh(s.t.Context(), &autoscaling.StartInstanceRefreshInput{
		AutoScalingGroupName: aws.String("web"), DesiredConfiguration: desired,
		Preferences: &scalingtypes.RefreshPreferences{
			MinHealthyPercentage: aws.Int32(100), MaxHealthyPercentage: aws.Int32(110), InstanceWarmup: aws.Int32(1),
		},
	}))(s.t).InstanceRefreshId
}

func (s *scalable) settled(id, status string) {
	s.t.Helper()
	s.cloud.Until(s.t, "the refresh is "+status, func(r store.Reader) bool {
		row, _ := store.InstanceRefreshes.Get(r, id)
		return row.Status == status
	})
}

// versions counts the serving instances by the launch template version in their
// EC2 tags.
func (s *scalable) versions() map[string]int {
	out, view := map[string]int{}, s.cloud.Store.View()
	for _, id := range s.serving(view) {
		i, _ := store.Instances.Get(view, id)
		out[i.Tags["aws:ec2launchtemplate:version"]]++
	}
	return out
}

func TestRefreshKeepsDesiredHealthyTargets(t *testing.T) {
	s := newScalable(t)
	before := s.three()
	simulation.Must(s.scaling.UpdateAutoScalingGroup(t.Context(), &autoscaling.UpdateAutoScalingGroupInput{
		AutoScalingGroupName: aws.String("web"),
		LaunchTemplate: &scalingtypes.LaunchTemplateSpecification{
			LaunchTemplateName: aws.String("web"), Version: aws.String("1"),
		},
	}))(t)
	id := s.refresh(s.next(types.RequestLaunchTemplateData{InstanceType: types.InstanceTypeT3Small}))
	least := 3
	s.cloud.Until(t, "the refresh is over", func(r store.Reader) bool {
		least = min(least, len(s.serving(r)))
		row, _ := store.InstanceRefreshes.Get(r, id)
		return row.Status == store.RefreshSuccessful
	})
	after := s.three()
	if least < 3 || s.versions()["2"] != 3 {
		t.Errorf("the least was %d healthy targets; versions at the end: %v", least, s.versions())
	}
	for _, old := range before {
		for _, now := range after {
			if old == now {
				t.Errorf("%s was not replaced", old)
			}
		}
	}
	group := simulation.Must(s.scaling.DescribeAutoScalingGroups(
		t.Context(), &autoscaling.DescribeAutoScalingGroupsInput{},
	))(t).AutoScalingGroups[0]
	if *group.LaunchTemplate.Version != "2" {
		t.Errorf("the group launches from version %s", *group.LaunchTemplate.Version)
	}

	// The next version's instances are unhealthy: they get no traffic and are removed.
	sick := s.refresh(
		s.next(types.RequestLaunchTemplateData{TagSpecifications: []types.LaunchTemplateTagSpecificationRequest{{
			ResourceType: types.ResourceTypeInstance, Tags: []types.Tag{
				{Key: aws.String("sick"), Value: aws.String("yes")},
			},
		}}}),
	)
	s.cloud.Until(t, "the group has an unhealthy instance", func(r store.Reader) bool {
		for _, i := range store.Instances.List(r) {
			if i.Tags["sick"] != "" {
				return true
			}
		}
		return false
	})
	simulation.Must(s.scaling.RollbackInstanceRefresh(
		t.Context(),
		&autoscaling.RollbackInstanceRefreshInput{AutoScalingGroupName: aws.String("web")},
	))(t)
	s.settled(sick, store.RefreshRollbackSuccessful)
	s.three()
	if s.versions()["2"] != 3 {
		t.Errorf("after the rollback %v", s.versions())
	}
}
