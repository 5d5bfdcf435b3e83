package ec2

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// asked are questions about what the local cloud has none of.
var asked = []string{
	"DescribeVpnGateways", "DescribeTransitGateways", "DescribeIpv6Pools",
	"DescribeCapacityReservations", "DescribeHosts",
	"DescribeReservedInstances", "DescribeImportImageTasks", "DescribeConversionTasks",
	"DescribeSecurityGroupVpcAssociations", "DescribeMovingAddresses",
	"DescribeSpotPriceHistory", "DescribeReservedInstancesOfferings", "DescribeReservedInstancesModifications",
	"DescribeReservedInstancesListings", "DescribeScheduledInstances", "DescribeHostReservationOfferings",
	"DescribeMacHosts", "DescribeElasticGpus", "DescribeFpgaImages", "DescribePrincipalIdFormat",
	"DescribeLockedSnapshots", "ListSnapshotsInRecycleBin", "ListImagesInRecycleBin", "ListVolumesInRecycleBin",
	"DescribeStoreImageTasks", "DescribeFastLaunchImages", "DescribeTrunkInterfaceAssociations",
	"DescribeNetworkInsightsPaths", "DescribeNetworkInsightsAnalyses", "DescribeVerifiedAccessInstances",
	"DescribeVerifiedAccessGroups", "DescribeVerifiedAccessEndpoints", "DescribeVerifiedAccessTrustProviders",
	"DescribeTransitGatewayPeeringAttachments", "DescribeTransitGatewayMulticastDomains",
	"DescribeTransitGatewayConnects", "DescribeRouteServers", "DescribeLocalGatewayRouteTables",
	"DescribeByoipCidrs", "DescribeIpamResourceDiscoveries", "DescribeIpamResourceDiscoveryAssociations",
	"DescribeVpcEndpointConnectionNotifications", "DescribeAwsNetworkPerformanceMetricSubscriptions",
}

func TestQuestionsAboutWhatIsAbsentHaveEmptyAnswers(t *testing.T) {
	c := newCloud(t)
	for _, name := range asked {
		call := reflect.ValueOf(c.API).MethodByName(name)
		ask := func(change func(in reflect.Value)) (reflect.Value, error) {
			in := reflect.New(call.Type().In(1).Elem())
			change(in.Elem())
			out := call.Call([]reflect.Value{reflect.ValueOf(c.ctx), in})
			err, _ := out[1].Interface().(error)
			return out[0].Elem(), err
		}
		out, err := ask(func(reflect.Value) {})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for i := range out.NumField() {
			if list := out.Field(i); list.Kind() == reflect.Slice && (list.IsNil() || list.Len() > 0) {
				t.Errorf("%s: %s is %v", name, out.Type().Field(i).Name, list)
			}
		}
		in := call.Type().In(1).Elem()
		if field, ok := in.FieldByName("DryRun"); ok {
			_, err := ask(func(in reflect.Value) { in.FieldByIndex(field.Index).Set(reflect.ValueOf(aws.Bool(true))) })
			if err == nil || !strings.HasPrefix(err.Error(), "DryRunOperation") {
				t.Errorf("%s: a dry run answered %v", name, err)
			}
		}
		for i := range in.NumField() {
			field := in.Field(i)
			if field.Type != reflect.TypeFor[[]string]() || !strings.HasSuffix(field.Name, "Ids") {
				continue
			}
			_, err := ask(func(in reflect.Value) { in.Field(i).Set(reflect.ValueOf([]string{"x-0123456789"})) })
			if err == nil || !strings.Contains(err.Error(), "'x-0123456789' does not exist") {
				t.Errorf("%s: an unknown id answered %v", name, err)
			}
		}
		if field, ok := in.FieldByName("NextToken"); ok {
			_, err := ask(func(in reflect.Value) { in.FieldByIndex(field.Index).Set(reflect.ValueOf(aws.String("x"))) })
			if err == nil || !strings.HasPrefix(err.Error(), "InvalidNextToken") {
				t.Errorf("%s: a token answered %v", name, err)
			}
		}
	}
}

func TestAnAccountHasNoDataFeedAndNoEncryptionControls(t *testing.T) {
	c := newCloud(t)
	_, err := c.DescribeSpotDatafeedSubscription(c.ctx, &ec2.DescribeSpotDatafeedSubscriptionInput{})
	wantCode(t, err, "InvalidSpotDatafeed.NotFound")
	events := do(c, c.DescribeInstanceEventNotificationAttributes,
		&ec2.DescribeInstanceEventNotificationAttributesInput{}).InstanceTagAttribute
	if *events.IncludeAllTagsOfInstance || events.InstanceTagKeys == nil {
		t.Errorf("%+v", events)
	}
	controls := do(c, c.DescribeVpcEncryptionControls, &ec2.DescribeVpcEncryptionControlsInput{
		VpcIds: []string{c.vpc("10.0.0.0/16")},
	})
	if controls.VpcEncryptionControls == nil || len(controls.VpcEncryptionControls) > 0 {
		t.Errorf("%+v", controls)
	}
}

func TestQuestionsAboutWhatIsAbsentHaveTheirFiltersOnly(t *testing.T) {
	c := newCloud(t)
	for name, wrong := range map[string]bool{"vpn-gateway-id": false, "tag:Name": false, "vpc-id": true} {
		in := &ec2.DescribeVpnGatewaysInput{Filters: []types.Filter{filter(name, "x")}}
		_, err := c.DescribeVpnGateways(c.ctx, in)
		if refused := code(err) == "InvalidParameterValue"; refused != wrong || !wrong && err != nil {
			t.Errorf("the filter %s: %v", name, err)
		}
	}
	for operation := range absentFilters {
		if !reflect.ValueOf(c.API).MethodByName(operation).IsValid() {
			t.Errorf("absentFilters has %s, which is no operation", operation)
		}
	}
}

func TestNoVPCHasClassicLink(t *testing.T) {
	c := newCloud(t)
	id := c.vpc("10.0.0.0/16")
	links, err := c.DescribeVpcClassicLink(c.ctx, &ec2.DescribeVpcClassicLinkInput{VpcIds: []string{id}})
	if err != nil || len(links.Vpcs) != 1 || *links.Vpcs[0].VpcId != id || *links.Vpcs[0].ClassicLinkEnabled {
		t.Errorf("ClassicLink %+v, %v", links, err)
	}
	none, err := c.DescribeVpcClassicLink(c.ctx, &ec2.DescribeVpcClassicLinkInput{
		Filters: []types.Filter{{Name: aws.String("is-classic-link-enabled"), Values: []string{"true"}}},
	})
	if err != nil || len(none.Vpcs) != 0 {
		t.Errorf("VPCs with ClassicLink %+v, %v", none, err)
	}
	names, err := c.DescribeVpcClassicLinkDnsSupport(
		c.ctx, &ec2.DescribeVpcClassicLinkDnsSupportInput{VpcIds: []string{id}},
	)
	if err != nil || len(names.Vpcs) != 1 || *names.Vpcs[0].ClassicLinkDnsSupported {
		t.Errorf("names over ClassicLink %+v, %v", names, err)
	}
	_, err = c.DescribeVpcClassicLink(
		c.ctx, &ec2.DescribeVpcClassicLinkInput{VpcIds: []string{"vpc-00000000000000000"}},
	)
	wantCode(t, err, "InvalidVpcID.NotFound")
}

func TestAccountAttributes(t *testing.T) {
	c := newCloud(t)
	out, err := c.DescribeAccountAttributes(c.ctx, &ec2.DescribeAccountAttributesInput{})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, a := range out.AccountAttributes {
		got[*a.AttributeName] = *a.AttributeValues[0].AttributeValue
	}
	if got["supported-platforms"] != "VPC" || !strings.HasPrefix(got["default-vpc"], "vpc-") ||
		got["max-instances"] != "20" || len(got) != 6 {
		t.Errorf("attributes %v", got)
	}
	one, err := c.DescribeAccountAttributes(c.ctx, &ec2.DescribeAccountAttributesInput{
		AttributeNames: []types.AccountAttributeName{types.AccountAttributeNameDefaultVpc},
	})
	if err != nil || len(one.AccountAttributes) != 1 || *one.AccountAttributes[0].AttributeName != "default-vpc" {
		t.Errorf("one attribute %+v, %v", one, err)
	}
	_, err = c.DescribeAccountAttributes(c.ctx, &ec2.DescribeAccountAttributesInput{
		AttributeNames: []types.AccountAttributeName{"shoe-size"},
	})
	wantCode(t, err, "InvalidParameterValue")
}

func TestAttributesOfImagesAndInterfacesAreThoseThatAreDescribed(t *testing.T) {
	c := newCloud(t)
	_, err := c.DescribeImageAttribute(c.ctx, &ec2.DescribeImageAttributeInput{
		ImageId: aws.String(c.availableImage()), Attribute: types.ImageAttributeNameLaunchPermission,
	})
	wantCode(t, err, "AuthFailure")
	run := c.launch(nil)
	nic := run.NetworkInterfaces[0]
	out, err := c.DescribeNetworkInterfaceAttribute(c.ctx, &ec2.DescribeNetworkInterfaceAttributeInput{
		NetworkInterfaceId: nic.NetworkInterfaceId, Attribute: types.NetworkInterfaceAttributeGroupSet,
	})
	if err != nil || len(out.Groups) != 1 || *out.Groups[0].GroupId != *run.SecurityGroups[0].GroupId {
		t.Errorf("groups %+v, %v", out, err)
	}
	status, err := c.DescribeVolumeStatus(c.ctx, &ec2.DescribeVolumeStatusInput{})
	if err != nil || len(status.VolumeStatuses) != 1 || status.VolumeStatuses[0].VolumeStatus.Status != "ok" {
		t.Errorf("volumes %+v, %v", status, err)
	}
	_, err = c.GetInstanceUefiData(c.ctx, &ec2.GetInstanceUefiDataInput{InstanceId: aws.String("i-00000000000000000")})
	wantCode(t, err, "InvalidInstanceID.NotFound")
}

func TestAnInstanceWithoutATypeIsOfTheDefault(t *testing.T) {
	c := newCloud(t)
	run := c.launch(func(in *ec2.RunInstancesInput) { in.InstanceType = "" })
	if run.InstanceType != types.InstanceTypeM1Small {
		t.Errorf("the instance is a %s", run.InstanceType)
	}
	out, err := c.DescribeInstanceTypes(c.ctx, &ec2.DescribeInstanceTypesInput{
		Filters: []types.Filter{{Name: aws.String("current-generation"), Values: []string{"false"}}},
	})
	if err != nil || !slices.Contains(typeNames(out), "m1.small") || slices.Contains(typeNames(out), "t3.micro") {
		t.Errorf("previous generations %v, %v", typeNames(out), err)
	}
}

func TestPublicImagesAreAmazons(t *testing.T) {
	c := newCloud(t)
	out, err := c.DescribeImages(c.ctx, &ec2.DescribeImagesInput{Owners: []string{"amazon"}})
	if err != nil || len(out.Images) != 1 || *out.Images[0].ImageOwnerAlias != "amazon" ||
		*out.Images[0].ImageLocation != "amazon/"+*out.Images[0].Name {
		t.Errorf("images %+v, %v", out, err)
	}
}

func TestAnyImageStandsForDebian(t *testing.T) {
	c := newCloud(t)
	const id = "ami-0123456789abcdef0"
	_, err := c.DescribeImages(c.ctx, &ec2.DescribeImagesInput{ImageIds: []string{id}})
	wantCode(t, err, "InvalidAMIID.NotFound")
	c.AnyImage = true
	run := c.launch(func(in *ec2.RunInstancesInput) { in.ImageId = aws.String(id) })
	if *run.ImageId != id {
		t.Errorf("the instance started from %s", *run.ImageId)
	}
	out, err := c.DescribeImages(c.ctx, &ec2.DescribeImagesInput{ImageIds: []string{id, "ami-0123456789abcdef1"}})
	if err != nil || len(out.Images) != 2 || out.Images[0].RootDeviceName == nil {
		t.Errorf("images %+v, %v", out, err)
	}
	_, err = c.DescribeImages(c.ctx, &ec2.DescribeImagesInput{ImageIds: []string{"ami-x"}})
	wantCode(t, err, "InvalidAMIID.Malformed")
	own := do(c, c.CreateImage, &ec2.CreateImageInput{
		Name: aws.String("own"), InstanceId: aws.String(c.runningInstance()),
	}).ImageId
	do(c, c.DeregisterImage, &ec2.DeregisterImageInput{ImageId: own})
	left := do(c, c.DescribeImages, &ec2.DescribeImagesInput{ImageIds: []string{*own}}).Images
	if len(left) != 0 {
		t.Errorf("after the deregistration: %+v", left)
	}
}

func TestACLEntriesForIPv6AreKept(t *testing.T) {
	c := newCloud(t)
	vpc := c.vpc("10.0.0.0/16")
	acl, err := c.CreateNetworkAcl(c.ctx, &ec2.CreateNetworkAclInput{VpcId: aws.String(vpc)})
	if err != nil {
		t.Fatal(err)
	}
	id := acl.NetworkAcl.NetworkAclId
	entry := func(in ec2.CreateNetworkAclEntryInput) error {
		in.NetworkAclId, in.RuleNumber, in.Egress, in.RuleAction = id, aws.Int32(101), aws.Bool(false), "allow"
		_, err := c.CreateNetworkAclEntry(c.ctx, &in)
		return err
	}
	wantCode(t, entry(ec2.CreateNetworkAclEntryInput{Protocol: aws.String("-1")}), "MissingParameter")
	wantCode(t, entry(ec2.CreateNetworkAclEntryInput{
		Protocol: aws.String("-1"), Ipv6CidrBlock: aws.String("10.0.0.0/8"),
	}), "InvalidParameterValue")
	if err := entry(ec2.CreateNetworkAclEntryInput{
		Protocol: aws.String("58"), Ipv6CidrBlock: aws.String("::/0"),
		IcmpTypeCode: &types.IcmpTypeCode{Type: aws.Int32(-1), Code: aws.Int32(-1)},
	}); err != nil {
		t.Fatal(err)
	}
	out, err := c.DescribeNetworkAcls(c.ctx, &ec2.DescribeNetworkAclsInput{
		Filters: []types.Filter{{Name: aws.String("entry.ipv6-cidr"), Values: []string{"::/0"}}},
	})
	if err != nil || len(out.NetworkAcls) != 1 {
		t.Fatalf("ACLs %+v, %v", out, err)
	}
	for _, e := range out.NetworkAcls[0].Entries {
		if *e.RuleNumber == 101 && (e.CidrBlock != nil || *e.Ipv6CidrBlock != "::/0" || *e.IcmpTypeCode.Type != -1) {
			t.Errorf("entry %+v", e)
		}
	}
}

// wantCode checks the code of an error.
func wantCode(t *testing.T, err error, want string) {
	t.Helper()
	if code(err) != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// launch runs an instance in the default VPC.
func (c *cloud) launch(change func(*ec2.RunInstancesInput)) types.Instance {
	c.t.Helper()
	in := launchOne(c.availableImage())
	if change != nil {
		change(in)
	}
	return do(c, c.RunInstances, in).Instances[0]
}
