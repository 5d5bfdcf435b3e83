package ec2_test

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/smithy-go"

	"aloft.dev/aloft/internal/cloud/api/ec2"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
	"aloft.dev/aloft/internal/cloud/wire/wiretest"
)

// dial serves an API over HTTP and returns the SDK's client of it.
func dial(t testing.TB) *client.Client {
	t.Helper()
	s, err := store.Open("")
	if err != nil {
		t.Fatal(err)
	}
	return client.NewFromConfig(wiretest.Serve(t, "eu-west-1", wire.Service{
		Name: "ec2",
		API:  ec2.New(ec2.Config{Store: s, PublicRange: netip.MustParsePrefix("198.18.0.0/15")}),
	}))
}

func TestTheSDKManagesANetwork(t *testing.T) {
	ctx, c := context.Background(), dial(t)
	vpc, err := c.CreateVpc(
		ctx,
		&client.CreateVpcInput{CidrBlock: aws.String("10.0.0.0/16"), TagSpecifications: []types.TagSpecification{{
			ResourceType: "vpc",
			Tags:         []types.Tag{{Key: aws.String("aloft:app"), Value: aws.String("tutorial & more")}},
		}}},
	)
	if err != nil {
		t.Fatal(err)
	}
	id := vpc.Vpc.VpcId
	if err := client.NewVpcAvailableWaiter(c).Wait(
		ctx, &client.DescribeVpcsInput{VpcIds: []string{*id}}, 1e10,
	); err != nil {
		t.Error(err)
	}
	group, err := c.CreateSecurityGroup(
		ctx,
		&client.CreateSecurityGroupInput{VpcId: id, GroupName: aws.String("web"), Description: aws.String("the web")},
	)
	if err != nil {
		t.Fatal(err)
	}
	permission := types.IpPermission{
		IpProtocol: aws.String("tcp"), FromPort: aws.Int32(3000), ToPort: aws.Int32(3000),
		IpRanges: []types.IpRange{{CidrIp: aws.String("0.0.0.0/0"), Description: aws.String("all")}},
	}
	if _, err := c.AuthorizeSecurityGroupIngress(ctx, &client.AuthorizeSecurityGroupIngressInput{
		GroupId: group.GroupId, IpPermissions: []types.IpPermission{permission},
	}); err != nil {
		t.Fatal(err)
	}
	var pages, groups int
	for p := client.NewDescribeSecurityGroupsPaginator(
		c, &client.DescribeSecurityGroupsInput{MaxResults: aws.Int32(5)},
	); p.HasMorePages(); pages++ {
		out, err := p.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		groups += len(out.SecurityGroups)
	}
	if pages != 1 || groups != 3 {
		t.Errorf("%d groups in %d pages", groups, pages)
	}
	key, err := c.CreateKeyPair(
		ctx,
		&client.CreateKeyPairInput{KeyName: aws.String("k"), KeyType: types.KeyTypeEd25519},
	)
	if err != nil || *key.KeyMaterial == "" {
		t.Errorf("key pair %+v, error %v", key, err)
	}
	found, err := c.DescribeVpcs(ctx, &client.DescribeVpcsInput{
		Filters: []types.Filter{{Name: aws.String("tag:aloft:app"), Values: []string{"tutorial*"}}},
	})
	if err != nil || len(found.Vpcs) != 1 || *found.Vpcs[0].Tags[0].Value != "tutorial & more" {
		t.Errorf("VPCs by tag: %+v, error %v", found, err)
	}
	_, err = c.DeleteVpc(ctx, &client.DeleteVpcInput{VpcId: id})
	if refusal, ok := errors.AsType[smithy.APIError](err); !ok || refusal.ErrorCode() != "DependencyViolation" {
		t.Errorf("got %v", err)
	}
	_, err = c.DeleteVpc(ctx, &client.DeleteVpcInput{VpcId: id, DryRun: aws.Bool(true)})
	if refusal, ok := errors.AsType[smithy.APIError](err); !ok || refusal.ErrorCode() != "DependencyViolation" {
		t.Errorf("a dry run that would fail: %v", err)
	}
}

func TestTheSDKManagesLaunchTemplates(t *testing.T) {
	ctx, c := context.Background(), dial(t)
	made, err := c.CreateLaunchTemplate(ctx, &client.CreateLaunchTemplateInput{
		LaunchTemplateName: aws.String("web"),
		VersionDescription: aws.String("first"),
		LaunchTemplateData: &types.RequestLaunchTemplateData{
			ImageId:      aws.String("ami-def456"),
			InstanceType: types.InstanceTypeT3Micro, SecurityGroupIds: []string{"sg-1"},
			TagSpecifications: []types.LaunchTemplateTagSpecificationRequest{
				{ResourceType: "instance", Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("1")}}},
			},
			BlockDeviceMappings: []types.LaunchTemplateBlockDeviceMappingRequest{{
				DeviceName: aws.String("/dev/xvda"),
				Ebs: &types.LaunchTemplateEbsBlockDeviceRequest{
					VolumeSize: aws.Int32(20), DeleteOnTermination: aws.Bool(true),
				},
			}},
			NetworkInterfaces: []types.LaunchTemplateInstanceNetworkInterfaceSpecificationRequest{
				{DeviceIndex: aws.Int32(0), Groups: []string{"sg-1"}, AssociatePublicIpAddress: aws.Bool(true)},
			},
			MetadataOptions: &types.LaunchTemplateInstanceMetadataOptionsRequest{
				HttpTokens: types.LaunchTemplateHttpTokensStateRequired,
			},
		},
	})
	if err != nil || *made.LaunchTemplate.LatestVersionNumber != 1 || len(made.Warning.Errors) != 1 {
		t.Fatalf("created %+v, error %v", made, err)
	}
	next, err := c.CreateLaunchTemplateVersion(ctx, &client.CreateLaunchTemplateVersionInput{
		LaunchTemplateId: made.LaunchTemplate.LaunchTemplateId, SourceVersion: aws.String("$Latest"),
		LaunchTemplateData: &types.RequestLaunchTemplateData{UserData: aws.String("IyEvYmluL3No")},
	})
	if err != nil {
		t.Fatal(err)
	}
	data := next.LaunchTemplateVersion.LaunchTemplateData
	if *data.ImageId != "ami-def456" || *data.UserData != "IyEvYmluL3No" ||
		*data.BlockDeviceMappings[0].Ebs.VolumeSize != 20 ||
		data.NetworkInterfaces[0].Groups[0] != "sg-1" ||
		*data.TagSpecifications[0].Tags[0].Value != "1" ||
		data.MetadataOptions.HttpTokens != "required" ||
		data.MetadataOptions.State != "applied" {
		t.Errorf("version 2 has %+v", data)
	}
	var versions int
	for p := client.NewDescribeLaunchTemplateVersionsPaginator(c, &client.DescribeLaunchTemplateVersionsInput{
		LaunchTemplateName: aws.String("web"), MaxResults: aws.Int32(1),
	}); p.HasMorePages(); versions++ {
		if _, err := p.NextPage(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if versions != 2 {
		t.Errorf("%d pages of versions", versions)
	}
	_, err = c.DescribeLaunchTemplateVersions(ctx, &client.DescribeLaunchTemplateVersionsInput{Versions: []string{"1"}})
	if refusal, ok := errors.AsType[smithy.APIError](err); !ok || refusal.ErrorCode() != "InvalidParameterValue" ||
		!strings.Contains(refusal.ErrorMessage(), "‘$Latest’") {
		t.Errorf("got %v", err)
	}
	if out, err := c.ModifyLaunchTemplate(ctx, &client.ModifyLaunchTemplateInput{
		LaunchTemplateName: aws.String("web"), DefaultVersion: aws.String("2"),
	}); err != nil ||
		*out.LaunchTemplate.DefaultVersionNumber != 2 {
		t.Errorf("got %+v, error %v", out, err)
	}
	if out, err := c.DeleteLaunchTemplateVersions(ctx, &client.DeleteLaunchTemplateVersionsInput{
		LaunchTemplateName: aws.String("web"), Versions: []string{"1", "2"},
	}); err != nil ||
		len(out.SuccessfullyDeletedLaunchTemplateVersions) != 1 ||
		len(out.UnsuccessfullyDeletedLaunchTemplateVersions) != 1 {
		t.Errorf("got %+v, error %v", out, err)
	}
	_, err = c.RunInstances(ctx, &client.RunInstancesInput{
		LaunchTemplate: &types.LaunchTemplateSpecification{LaunchTemplateName: aws.String("web")},
		MinCount:       aws.Int32(1),
		MaxCount:       aws.Int32(1),
	})
	if refusal, ok := errors.AsType[smithy.APIError](err); !ok || refusal.ErrorCode() != "InvalidParameterCombination" {
		t.Errorf("launch: got %v", err)
	}
}

func BenchmarkDescribeVpcs(b *testing.B) {
	ctx, c := context.Background(), dial(b)
	for b.Loop() {
		if _, err := c.DescribeVpcs(ctx, &client.DescribeVpcsInput{}); err != nil {
			b.Fatal(err)
		}
	}
}
