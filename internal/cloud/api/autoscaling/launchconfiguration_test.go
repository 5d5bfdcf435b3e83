//go:build linux

package autoscaling_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"aloft.dev/aloft/internal/cloud/store"
)

type configurationInput = autoscaling.CreateLaunchConfigurationInput

// configure creates a launch configuration of t3.small, changed by change if it is not nil.
func (w *world) configure(name string, change func(*configurationInput)) error {
	in := &configurationInput{
		LaunchConfigurationName: &name, ImageId: &w.image, InstanceType: aws.String("t3.small"),
	}
	if change != nil {
		change(in)
	}
	_, err := w.CreateLaunchConfiguration(w.ctx, in)
	return err
}

func (w *world) mustConfigure(name string, change func(*configurationInput)) {
	w.t.Helper()
	if err := w.configure(name, change); err != nil {
		w.t.Fatal(err)
	}
}

// fromConfiguration makes a group launch from a launch configuration.
func fromConfiguration(name string) func(*createInput) {
	return func(in *createInput) { in.LaunchTemplate, in.LaunchConfigurationName = nil, &name }
}

func TestGroupsLaunchFromLaunchConfigurations(t *testing.T) {
	withLoop(t, func(w *world) {
		w.mustConfigure("lc", func(in *configurationInput) {
			in.AssociatePublicIpAddress, in.UserData = new(false), new("IyE=")
			in.MetadataOptions = &types.InstanceMetadataOptions{
				HttpTokens: "required", HttpPutResponseHopLimit: new(int32(2)),
			}
			in.BlockDeviceMappings = []types.BlockDeviceMapping{{
				DeviceName: new("/dev/xvda"), Ebs: &types.Ebs{VolumeSize: new(int32(20)), VolumeType: new("gp2")},
			}}
		})
		ids := w.createGroup(fromConfiguration("lc"))
		check(t, "number of instances", len(ids), 3)
		g := w.describeGroup()
		check(t, "LaunchConfigurationName", *g.LaunchConfigurationName, "lc")
		check(t, "LaunchConfigurationName of an instance", *g.Instances[0].LaunchConfigurationName, "lc")
		check(t, "LaunchTemplate", g.LaunchTemplate, nil)
		view := w.store.View()
		row, _ := store.Instances.Get(view, ids[0])
		volume, _ := store.Volumes.Get(view, row.RootVolumeID)
		eni, _ := store.NetworkInterfaces.Get(view, row.InterfaceIDs[0])
		check(t, "Type", row.Type, "t3.small")
		check(t, "UserData", row.UserData, "IyE=")
		check(t, "Monitoring", row.Monitoring, true)
		check(t, "MetadataTokens", row.MetadataTokens, "required")
		check(t, "MetadataHopLimit", row.MetadataHopLimit, 2)
		check(t, "volume", volume.Type, "gp2")
		check(t, "size", volume.SizeGiB, 20)
		check(t, "public address", eni.PublicIP.IsValid(), false)

		_, err := w.DeleteLaunchConfiguration(w.ctx, &autoscaling.DeleteLaunchConfigurationInput{
			LaunchConfigurationName: new("lc"),
		})
		wantError(t, err, "ResourceInUse", "Cannot delete launch configuration lc because it is attached to "+
			"AutoScalingGroup g")
		must(w.UpdateAutoScalingGroup(w.ctx, &autoscaling.UpdateAutoScalingGroupInput{
			AutoScalingGroupName: new("g"), DesiredCapacity: new(int32(4)),
			LaunchTemplate: &types.LaunchTemplateSpecification{LaunchTemplateName: new("web")},
		}))(t)
		w.waitForLoop()
		g = w.describeGroup()
		check(t, "LaunchConfigurationName", g.LaunchConfigurationName, nil)
		check(t, "LaunchTemplateName", *g.LaunchTemplate.LaunchTemplateName, "web")
		must(w.DeleteLaunchConfiguration(w.ctx, &autoscaling.DeleteLaunchConfigurationInput{
			LaunchConfigurationName: new("lc"),
		}))(t)
		// The default termination policy ends instances of launch configurations first.
		must(w.SetDesiredCapacity(w.ctx, &autoscaling.SetDesiredCapacityInput{
			AutoScalingGroupName: new("g"), DesiredCapacity: new(int32(1)),
		}))(t)
		w.waitForLoop()
		g = w.describeGroup()
		check(t, "number of instances", len(g.Instances), 1)
		check(t, "InstanceType", *g.Instances[0].InstanceType, "t3.micro")
	})
}

func TestARefreshMovesToALaunchConfiguration(t *testing.T) {
	withLoop(t, func(w *world) {
		w.createGroup(nil)
		w.mustConfigure("lc", nil)
		must(w.UpdateAutoScalingGroup(w.ctx, &autoscaling.UpdateAutoScalingGroupInput{
			AutoScalingGroupName: new("g"), LaunchConfigurationName: new("lc"),
		}))(t)
		must(w.StartInstanceRefresh(w.ctx, &autoscaling.StartInstanceRefreshInput{
			AutoScalingGroupName: new("g"), Preferences: &types.RefreshPreferences{SkipMatching: new(true)},
		}))(t)
		time.Sleep(time.Hour)
		w.waitForLoop()
		for _, i := range w.describeGroup().Instances {
			check(t, "LaunchConfigurationName", aws.ToString(i.LaunchConfigurationName), "lc")
		}
		_, err := w.StartInstanceRefresh(w.ctx, &autoscaling.StartInstanceRefreshInput{
			AutoScalingGroupName: new("g"), Preferences: &types.RefreshPreferences{AutoRollback: new(true)},
			DesiredConfiguration: &types.DesiredConfiguration{
				LaunchTemplate: &types.LaunchTemplateSpecification{LaunchTemplateName: new("web"), Version: new("1")},
			},
		})
		wantError(t, err, "ValidationError", "launch configuration")
	})
}

func TestOldestLaunchConfigurationLeavesFirst(t *testing.T) {
	withLoop(t, func(w *world) {
		w.mustConfigure("old", nil)
		time.Sleep(time.Second)
		w.mustConfigure("new", nil)
		w.createGroup(func(in *createInput) {
			fromConfiguration("new")(in)
			in.TerminationPolicies, in.DesiredCapacity = []string{"OldestLaunchConfiguration"}, new(int32(1))
			in.VPCZoneIdentifier = &w.subnets[0]
		})
		for n, name := range []string{"old", "new"} {
			must(w.UpdateAutoScalingGroup(w.ctx, &autoscaling.UpdateAutoScalingGroupInput{
				AutoScalingGroupName: new("g"), LaunchConfigurationName: &name, DesiredCapacity: new(int32(2 + n)),
			}))(t)
			w.waitForLoop()
		}
		must(w.SetDesiredCapacity(w.ctx, &autoscaling.SetDesiredCapacityInput{
			AutoScalingGroupName: new("g"), DesiredCapacity: new(int32(2)),
		}))(t)
		w.waitForLoop()
		for _, i := range w.describeGroup().Instances {
			check(t, "LaunchConfigurationName", *i.LaunchConfigurationName, "new")
		}
	})
}

func TestLaunchConfigurationsAreDescribed(t *testing.T) {
	w := newWorld(t)
	w.mustConfigure("b", func(in *configurationInput) {
		in.SecurityGroups = []string{"sg-1"}
		in.InstanceMonitoring = &types.InstanceMonitoring{Enabled: new(false)}
	})
	ids := must(w.ec2.RunInstancesFor(w.ctx, here, launchOf(w, "t3.medium")))(t)
	w.mustConfigure("a", func(in *configurationInput) {
		in.ImageId, in.InstanceType, in.InstanceId = nil, nil, &ids[0]
	})
	describe := func(in *autoscaling.DescribeLaunchConfigurationsInput) []types.LaunchConfiguration {
		return must(w.DescribeLaunchConfigurations(w.ctx, in))(t).LaunchConfigurations
	}
	all := describe(&autoscaling.DescribeLaunchConfigurationsInput{})
	check(t, "number of launch configurations", len(all), 2)
	check(t, "LaunchConfigurationName", *all[0].LaunchConfigurationName, "a")
	check(t, "InstanceType", *all[0].InstanceType, "t3.medium")
	check(t, "ImageId", *all[0].ImageId, w.image)
	b := describe(&autoscaling.DescribeLaunchConfigurationsInput{LaunchConfigurationNames: []string{"b", "c"}})
	check(t, "number of launch configurations", len(b), 1)
	check(t, "SecurityGroups", b[0].SecurityGroups, []string{"sg-1"})
	check(t, "InstanceMonitoring", *b[0].InstanceMonitoring.Enabled, false)
	check(t, "BlockDeviceMappings", b[0].BlockDeviceMappings, []types.BlockDeviceMapping{})
	check(t, "KernelId", *b[0].KernelId, "")
	limits := must(w.DescribeAccountLimits(w.ctx, nil))(t)
	check(t, "NumberOfLaunchConfigurations", *limits.NumberOfLaunchConfigurations, 2)
}

func TestLaunchConfigurationsAreRefused(t *testing.T) {
	w := newWorld(t)
	w.mustConfigure("lc", nil)
	const both = "Valid requests must contain either the InstanceID parameter or both the ImageId and InstanceType " +
		"parameters."
	for name, c := range map[string]struct {
		change     func(*configurationInput)
		code, text string
	}{
		"name": {
			func(in *configurationInput) { in.LaunchConfigurationName = new("lc") }, "AlreadyExists", "name lc",
		},
		"no image": {func(in *configurationInput) { in.ImageId = nil }, "ValidationError", both},
		"no type":  {func(in *configurationInput) { in.InstanceType = nil }, "ValidationError", both},
		"image":    {func(in *configurationInput) { in.ImageId = new("ami-0") }, "ValidationError", "ami-0"},
		"type":     {func(in *configurationInput) { in.InstanceType = new("t9.huge") }, "ValidationError", "t9.huge"},
		"key":      {func(in *configurationInput) { in.KeyName = new("none") }, "ValidationError", "none"},
		"profile": {
			func(in *configurationInput) { in.IamInstanceProfile = new("none") }, "ValidationError",
			"Invalid IAM Instance Profile name",
		},
		"instance": {func(in *configurationInput) { in.InstanceId = new("i-0") }, "ValidationError", "i-0"},
		"user data": {
			func(in *configurationInput) { in.UserData = new("?") }, "ValidationError", "BASE64",
		},
		"device": {
			func(in *configurationInput) { in.BlockDeviceMappings = []types.BlockDeviceMapping{{}} },
			"ValidationError", "deviceName",
		},
		"instance store": {
			func(in *configurationInput) {
				in.BlockDeviceMappings = []types.BlockDeviceMapping{
					{DeviceName: new("b"), VirtualName: new("memory0")},
				}
			}, "UnsupportedOperation", "blockDeviceMapping",
		},
		"price": {func(in *configurationInput) { in.SpotPrice = new("0") }, "ValidationError", "price above zero"},
		"tenancy": {
			func(in *configurationInput) { in.PlacementTenancy = new("host") },
			"NotImplemented", "PlacementTenancy host",
		},
		"kernel": {func(in *configurationInput) { in.KernelId = new("aki-1") }, "NotImplemented", "KernelId"},
		"Classic": {
			func(in *configurationInput) { in.ClassicLinkVPCId = new("vpc-1") }, "NotImplemented", "EC2-Classic",
		},
	} {
		t.Run(name, func(t *testing.T) { wantError(t, w.configure("other", c.change), c.code, c.text) })
	}
	const missing = "Launch configuration name not found - Launch configuration none not found"
	in := w.groupOfThree()
	fromConfiguration("none")(in)
	_, err := w.CreateAutoScalingGroup(w.ctx, in)
	wantError(t, err, "ValidationError", missing)
	_, err = w.DeleteLaunchConfiguration(w.ctx, &autoscaling.DeleteLaunchConfigurationInput{
		LaunchConfigurationName: new("none"),
	})
	wantError(t, err, "ValidationError", missing)
	in = w.groupOfThree()
	in.LaunchConfigurationName = new("lc")
	_, err = w.CreateAutoScalingGroup(w.ctx, in)
	wantError(t, err, "ValidationError", "Valid requests must contain either launchTemplate")
	w.mustConfigure("foreign", func(in *configurationInput) { in.SecurityGroups = []string{"sg-0"} })
	in = w.groupOfThree()
	fromConfiguration("foreign")(in)
	_, err = w.CreateAutoScalingGroup(w.ctx, in)
	wantError(t, err, "ValidationError", "sg-0")
}
