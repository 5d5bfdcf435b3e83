package ec2

import (
	"errors"
	"maps"
	"slices"
	"strconv"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/store"
)

func (c *cloud) template(name string, data *types.RequestLaunchTemplateData) string {
	c.t.Helper()
	return *do(c, c.CreateLaunchTemplate, &ec2.CreateLaunchTemplateInput{
		LaunchTemplateName: &name, LaunchTemplateData: data,
	}).LaunchTemplate.LaunchTemplateId
}

func (c *cloud) version(id string, data *types.RequestLaunchTemplateData) {
	c.t.Helper()
	do(c, c.CreateLaunchTemplateVersion,
		&ec2.CreateLaunchTemplateVersionInput{LaunchTemplateId: &id, LaunchTemplateData: data})
}

func from(s types.LaunchTemplateSpecification) *ec2.RunInstancesInput {
	return &ec2.RunInstancesInput{LaunchTemplate: &s, MinCount: aws.Int32(1), MaxCount: aws.Int32(1)}
}

func dataTags(kind types.ResourceType, pairs ...string) []types.LaunchTemplateTagSpecificationRequest {
	return []types.LaunchTemplateTagSpecificationRequest{
		{ResourceType: kind, Tags: specification(kind, pairs...)[0].Tags},
	}
}

func TestALaunchUsesItsTemplateForParametersThatTheRequestOmits(t *testing.T) {
	c := newCloud(t)
	image, vpc := c.availableImage(), c.vpc("10.0.0.0/16")
	subnet, group := c.subnet(vpc, "10.0.1.0/24", "us-east-1a"), c.group(vpc, "web")
	do(c, c.CreateKeyPair, &ec2.CreateKeyPairInput{KeyName: aws.String("k"), KeyType: types.KeyTypeEd25519})
	id := c.template("web", &types.RequestLaunchTemplateData{
		ImageId: &image, InstanceType: types.InstanceTypeT3Micro, KeyName: aws.String("k"), UserData: encoded(3),
		SecurityGroupIds: []string{group},
		Monitoring:       &types.LaunchTemplatesMonitoringRequest{Enabled: aws.Bool(true)},
		MetadataOptions: &types.LaunchTemplateInstanceMetadataOptionsRequest{
			HttpTokens: types.LaunchTemplateHttpTokensStateRequired,
		},
		TagSpecifications: dataTags(types.ResourceTypeInstance, "Name", "web", "kind", "template"),
		BlockDeviceMappings: []types.LaunchTemplateBlockDeviceMappingRequest{{
			DeviceName: aws.String("/dev/xvda"),
			Ebs:        &types.LaunchTemplateEbsBlockDeviceRequest{VolumeSize: aws.Int32(20)},
		}},
	})
	in := from(types.LaunchTemplateSpecification{LaunchTemplateName: aws.String("web")})
	in.SubnetId, in.TagSpecifications = &subnet, specification(types.ResourceTypeInstance, "kind", "request")
	item := do(c, c.RunInstances, in).Instances[0]
	row, _ := store.Instances.Get(c.Store.View(), *item.InstanceId)
	volume, _ := store.Volumes.Get(c.Store.View(), row.RootVolumeID)
	if row.Type != "t3.micro" || row.KeyName != "k" || row.UserData != *encoded(3) || !row.Monitoring ||
		row.MetadataTokens != "required" ||
		volume.SizeGiB != 20 ||
		*item.SecurityGroups[0].GroupId != group {
		t.Errorf("got %+v, disk of %d GiB", row, volume.SizeGiB)
	}
	want := store.Tags{
		"Name":                          "web",
		"kind":                          "request",
		"aws:ec2launchtemplate:id":      id,
		"aws:ec2launchtemplate:version": "1",
	}
	if !maps.Equal(row.Tags, want) {
		t.Errorf("tags %v, want %v", row.Tags, want)
	}
	value := do(c, c.DescribeInstanceAttribute, &ec2.DescribeInstanceAttributeInput{
		InstanceId: item.InstanceId,
		Attribute:  types.InstanceAttributeNameUserData,
	}).UserData.Value
	if aws.ToString(value) != *encoded(3) {
		t.Errorf("user data %v", aws.ToString(value))
	}
	in.InstanceType, in.UserData, in.SecurityGroupIds = types.InstanceTypeT3Small, encoded(4), []string{
		c.group(vpc, "other"),
	}
	in.MetadataOptions = &types.InstanceMetadataOptionsRequest{HttpTokens: types.HttpTokensStateOptional}
	item = do(c, c.RunInstances, in).Instances[0]
	if row, _ = store.Instances.Get(c.Store.View(), *item.InstanceId); row.Type != "t3.small" ||
		row.UserData != *encoded(4) ||
		row.MetadataTokens != "optional" ||
		row.KeyName != "k" ||
		*item.SecurityGroups[0].GroupName != "other" {
		t.Errorf("the request did not override the template: %+v", row)
	}
}

func TestALaunchUsesTheTemplateVersionItNames(t *testing.T) {
	c := newCloud(t)
	image := c.availableImage()
	id := c.template("web", &types.RequestLaunchTemplateData{ImageId: &image, InstanceType: types.InstanceTypeT3Nano})
	c.version(id, &types.RequestLaunchTemplateData{ImageId: &image, InstanceType: types.InstanceTypeT3Micro})
	c.version(id, &types.RequestLaunchTemplateData{ImageId: &image, InstanceType: types.InstanceTypeT3Small})
	do(c, c.ModifyLaunchTemplate,
		&ec2.ModifyLaunchTemplateInput{LaunchTemplateId: &id, DefaultVersion: aws.String("2")})
	for version, want := range map[string][2]string{
		"1": {"t3.nano", "1"}, "$Default": {"t3.micro", "2"}, "": {"t3.micro", "2"}, "$Latest": {"t3.small", "3"},
	} {
		item := do(c, c.RunInstances, from(types.LaunchTemplateSpecification{
			LaunchTemplateId: &id, Version: &version,
		})).Instances[0]
		row, _ := store.Instances.Get(c.Store.View(), *item.InstanceId)
		if row.Type != want[0] || row.Tags["aws:ec2launchtemplate:version"] != want[1] {
			t.Errorf("%q: launched %s of version %s", version, row.Type, row.Tags["aws:ec2launchtemplate:version"])
		}
	}
	for _, test := range []struct {
		s    types.LaunchTemplateSpecification
		want string
	}{
		{
			types.LaunchTemplateSpecification{LaunchTemplateId: &id, Version: aws.String("9")},
			"InvalidLaunchTemplateId.VersionNotFound: Could not find the specified version 9 for the launch template " +
				"with ID " + id + ".",
		},
		{
			types.LaunchTemplateSpecification{LaunchTemplateName: aws.String("no")},
			"InvalidLaunchTemplateName.NotFoundException: The specified launch template, with template name no, does " +
				"not exist.",
		},
		{
			types.LaunchTemplateSpecification{LaunchTemplateId: aws.String("lt-0123456789abcdef0")},
			"InvalidLaunchTemplateId.NotFound: The specified launch template, with template ID lt-0123456789abcdef0, " +
				"does not exist.",
		},
		{
			types.LaunchTemplateSpecification{},
			"MissingParameter: Either provide launch template ID or launch template name to launch instances.",
		},
	} {
		wantError(c, c.RunInstances, from(test.s), test.want)
	}
}

func TestInvalidTemplatesAreRefusedAtLaunch(t *testing.T) {
	c := newCloud(t)
	image, group := c.availableImage(), c.group(c.vpc("10.0.0.0/16"), "web")
	for want, data := range map[string]*types.RequestLaunchTemplateData{
		"InvalidAMIID.NotFound: The image id '[ami-0123456789abcdef0]' does not exist": {
			ImageId: aws.String("ami-0123456789abcdef0"),
		},
		"MissingParameter: The request must contain the parameter ImageId": {InstanceType: "t3.micro"},
		"InvalidKeyPair.NotFound: The key pair 'x' does not exist": {
			ImageId: &image, InstanceType: "t3.micro", KeyName: aws.String("x"),
		},
		"InvalidUserData.Malformed: Invalid BASE64 encoding of user data.": {
			ImageId: &image, InstanceType: "t3.micro", UserData: aws.String("?"),
		},
		"InvalidParameterCombination: Network interfaces and an instance-level security groups may not be specified " +
			"on the same request": {
			ImageId: &image, InstanceType: "t3.micro", SecurityGroupIds: []string{group},
			NetworkInterfaces: []types.LaunchTemplateInstanceNetworkInterfaceSpecificationRequest{
				{DeviceIndex: aws.Int32(0), AssociatePublicIpAddress: aws.Bool(true)},
			},
		},
	} {
		id := c.template("bad", data)
		wantError(c, c.RunInstances, from(types.LaunchTemplateSpecification{LaunchTemplateId: &id}), want)
		l := Launch{Template: store.TemplateRef{ID: id}}
		if err := c.CheckLaunch(c.ctx, home, l); err == nil || err.Error() != want {
			t.Errorf("CheckLaunch: got %v, want %s", err, want)
		}
		do(c, c.DeleteLaunchTemplate, &ec2.DeleteLaunchTemplateInput{LaunchTemplateId: &id})
	}
}

func TestAnImageAliasIsResolvedAtTheLaunch(t *testing.T) {
	c := newCloud(t)
	image := c.availableImage()
	alias := "resolve:ssm:/aws/service/debian/release/12/latest/amd64"
	id := c.template("alias", &types.RequestLaunchTemplateData{ImageId: &alias, InstanceType: "t3.micro"})
	if got := do(c, c.RunInstances,
		from(types.LaunchTemplateSpecification{LaunchTemplateId: &id})).Instances[0].ImageId; *got != image {
		t.Errorf("launched %s, want %s", *got, image)
	}
	for resolve, want := range map[bool]string{true: image, false: alias} {
		v := do(c, c.DescribeLaunchTemplateVersions, &ec2.DescribeLaunchTemplateVersionsInput{
			LaunchTemplateId: &id, ResolveAlias: &resolve,
		}).LaunchTemplateVersions[0]
		if *v.LaunchTemplateData.ImageId != want {
			t.Errorf("described %s, want %s", *v.LaunchTemplateData.ImageId, want)
		}
	}
	in := launchOne(alias + ":7")
	if _, err := c.RunInstances(c.ctx, in); code(err) != "InvalidParameterValue" {
		t.Errorf("an old version of the parameter: got %v", err)
	}
}

func TestServicesChooseTheSubnetOfAllInterfacesOfATemplate(t *testing.T) {
	c := newCloud(t)
	image, vpc := c.availableImage(), c.vpc("10.0.0.0/16")
	subnet, group := c.subnet(vpc, "10.0.1.0/24", "us-east-1a"), c.group(vpc, "web")
	one := func(index int32) types.LaunchTemplateInstanceNetworkInterfaceSpecificationRequest {
		return types.LaunchTemplateInstanceNetworkInterfaceSpecificationRequest{
			DeviceIndex: &index, Groups: []string{group}, Description: aws.String("eth" + strconv.Itoa(int(index))),
		}
	}
	c.template("two", &types.RequestLaunchTemplateData{
		ImageId: &image, InstanceType: types.InstanceTypeT3Micro,
		NetworkInterfaces: []types.LaunchTemplateInstanceNetworkInterfaceSpecificationRequest{one(0), one(1)},
		Placement:         &types.LaunchTemplatePlacementRequest{AvailabilityZone: aws.String("us-east-1b")},
	})
	l := Launch{Template: store.TemplateRef{Name: "two"}, SubnetID: subnet}
	if err := c.CheckLaunch(c.ctx, home, l); err != nil {
		t.Fatal(err)
	}
	ids, err := c.RunInstancesFor(c.ctx, home, l)
	if err != nil {
		t.Fatal(err)
	}
	view := c.Store.View()
	row, _ := store.Instances.Get(view, ids[0])
	if len(row.InterfaceIDs) != 2 {
		t.Fatalf("interfaces %q", row.InterfaceIDs)
	}
	for i, id := range row.InterfaceIDs {
		eni, _ := store.NetworkInterfaces.Get(view, id)
		if eni.SubnetID != subnet || !slices.Equal(eni.GroupIDs, []string{group}) ||
			eni.Description != "eth"+strconv.Itoa(i) {
			t.Errorf("interface %d: %+v", i, eni)
		}
	}
}

func TestServicesLaunchWithReservedTags(t *testing.T) {
	c := newCloud(t)
	image, vpc := c.availableImage(), c.vpc("10.0.0.0/16")
	subnet, group := c.subnet(vpc, "10.0.1.0/24", "us-east-1a"), c.group(vpc, "web")
	id := c.template("web", &types.RequestLaunchTemplateData{
		ImageId: &image, InstanceType: types.InstanceTypeT3Micro,
		TagSpecifications: dataTags(types.ResourceTypeInstance, "a", "template", "b", "template"),
		NetworkInterfaces: []types.LaunchTemplateInstanceNetworkInterfaceSpecificationRequest{
			{DeviceIndex: aws.Int32(0), Groups: []string{group}, AssociatePublicIpAddress: aws.Bool(true)},
		},
	})
	var seen []string
	l := Launch{
		Template: store.TemplateRef{Name: "web", Version: "$Latest"}, SubnetID: subnet, Count: 2, Token: "activity",
		Tags: store.Tags{"b": "group"}, Reserved: store.Tags{"aws:autoscaling:groupName": "g"},
		Also: func(_ *store.Tx, ids []string) error { seen = ids; return nil },
	}
	ids, err := c.RunInstancesFor(c.ctx, home, l)
	if err != nil || len(ids) != 2 || !slices.Equal(ids, seen) {
		t.Fatal(ids, seen, err)
	}
	row, _ := store.Instances.Get(c.Store.View(), ids[1])
	eni, _ := store.NetworkInterfaces.Get(c.Store.View(), row.InterfaceIDs[0])
	want := store.Tags{
		"a":                             "template",
		"b":                             "group",
		"aws:autoscaling:groupName":     "g",
		"aws:ec2launchtemplate:id":      id,
		"aws:ec2launchtemplate:version": "1",
	}
	if !maps.Equal(row.Tags, want) || row.SubnetID != subnet || !eni.PublicIP.IsValid() || eni.GroupIDs[0] != group {
		t.Errorf("instance %+v, interface %+v", row, eni)
	}
	if again, err := c.RunInstancesFor(c.ctx, home, l); err != nil || !slices.Equal(again, ids) {
		t.Errorf("the token launched instances again: %v, error %v", again, err)
	}
	l.Token, l.Also = "", func(*store.Tx, []string) error { return errors.New("no") }
	before := len(store.Instances.List(c.Store.View()))
	if _, err := c.RunInstancesFor(c.ctx, home, l); err == nil || len(store.Instances.List(c.Store.View())) != before {
		t.Errorf("a launch survived the failure of its transaction: %v", err)
	}
	ref, err := c.ResolveTemplate(home, l.Template)
	if err != nil || ref != (store.TemplateRef{ID: id, Name: "web", Version: "1"}) {
		t.Errorf("resolved to %+v, error %v", ref, err)
	}
}
