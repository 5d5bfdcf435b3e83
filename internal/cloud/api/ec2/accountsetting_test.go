package ec2

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/store"
)

func TestVolumesAreEncryptedByDefault(t *testing.T) {
	r := newRemote(t)
	encrypted := func(id string) (bool, string) {
		row, _ := store.Volumes.Get(r.cloud.Store.View(), id)
		return row.Encrypted, row.KeyARN
	}
	create := func() string {
		return *doRemote(r, r.CreateVolume, &ec2.CreateVolumeInput{
			AvailabilityZone: aws.String("us-east-1a"), Size: aws.Int32(1),
		}).VolumeId
	}
	rootOf := func() string { return *r.launch(1)[0].BlockDeviceMappings[0].Ebs.VolumeId }
	for _, id := range []string{create(), rootOf()} {
		if is, key := encrypted(id); is || key != "" {
			t.Errorf("%s is encrypted: %t, with %q", id, is, key)
		}
	}
	if out := doRemote(r, r.GetEbsDefaultKmsKeyId, &ec2.GetEbsDefaultKmsKeyIdInput{}); *out.KmsKeyId != ebsAlias {
		t.Errorf("the key is %s", *out.KmsKeyId)
	}
	doRemote(r, r.EnableEbsEncryptionByDefault, &ec2.EnableEbsEncryptionByDefaultInput{})
	got := doRemote(r, r.GetEbsEncryptionByDefault, &ec2.GetEbsEncryptionByDefaultInput{})
	if !*got.EbsEncryptionByDefault || got.SseType != types.SSETypeSseKms {
		t.Errorf("%+v", got)
	}
	for _, id := range []string{create(), rootOf()} {
		if is, key := encrypted(id); !is || key != ebsKey(home) {
			t.Errorf("%s is encrypted: %t, with %q", id, is, key)
		}
	}
	const key = "arn:aws:kms:us-east-1:000000000000:key/own"
	doRemote(r, r.ModifyEbsDefaultKmsKeyId, &ec2.ModifyEbsDefaultKmsKeyIdInput{KmsKeyId: aws.String("own")})
	if _, used := encrypted(create()); used != key {
		t.Errorf("the key is %q, want %q", used, key)
	}
	doRemote(r, r.ResetEbsDefaultKmsKeyId, &ec2.ResetEbsDefaultKmsKeyIdInput{})
	doRemote(r, r.DisableEbsEncryptionByDefault, &ec2.DisableEbsEncryptionByDefaultInput{})
	if is, _ := encrypted(create()); is {
		t.Error("a volume is still encrypted")
	}
	wantRemoteError(r, r.EnableEbsEncryptionByDefault,
		&ec2.EnableEbsEncryptionByDefaultInput{DryRun: aws.Bool(true)}, dryRun)
	got = doRemote(r, r.GetEbsEncryptionByDefault, &ec2.GetEbsEncryptionByDefaultInput{})
	if *got.EbsEncryptionByDefault {
		t.Error("a dry run changed the setting")
	}
}

func TestRootVolumesHaveTheShapeOfTheLaunch(t *testing.T) {
	r := newRemote(t)
	in := launchOne(r.cloud.availableImage())
	in.BlockDeviceMappings = root(types.EbsBlockDevice{
		VolumeType: types.VolumeTypeGp3, Iops: aws.Int32(4000), Throughput: aws.Int32(250), VolumeSize: aws.Int32(20),
		Encrypted: aws.Bool(true), KmsKeyId: aws.String("own"),
	})
	item := doRemote(r, r.RunInstances, in).Instances[0]
	id := *item.BlockDeviceMappings[0].Ebs.VolumeId
	v := doRemote(r, r.DescribeVolumes, &ec2.DescribeVolumesInput{VolumeIds: []string{id}}).Volumes[0]
	if *v.Iops != 4000 || *v.Throughput != 250 || *v.Size != 20 || !*v.Encrypted ||
		*v.KmsKeyId != "arn:aws:kms:us-east-1:000000000000:key/own" {
		t.Errorf("%+v", v)
	}
	r.cloud.observe(*item.InstanceId, store.Stopped)
	image := doRemote(r, r.CreateImage, &ec2.CreateImageInput{InstanceId: item.InstanceId, Name: aws.String("web")})
	mapping := doRemote(r, r.DescribeImages, &ec2.DescribeImagesInput{ImageIds: []string{*image.ImageId}}).
		Images[0].BlockDeviceMappings[0]
	if !*mapping.Ebs.Encrypted {
		t.Errorf("the image of an encrypted volume has %+v", mapping.Ebs)
	}
}

func TestPublicAccessCanBeBlocked(t *testing.T) {
	r := newRemote(t)
	item := r.launch(1)[0]
	r.cloud.observe(*item.InstanceId, store.Stopped)
	image := *doRemote(r, r.CreateImage, &ec2.CreateImageInput{
		InstanceId: item.InstanceId, Name: aws.String("web"),
	}).ImageId
	row, _ := store.Images.Get(r.cloud.Store.View(), image)
	publish := &ec2.ModifyImageAttributeInput{ImageId: &image, LaunchPermission: &types.LaunchPermissionModifications{
		Add: []types.LaunchPermission{{Group: types.PermissionGroupAll}},
	}}
	share := &ec2.ModifySnapshotAttributeInput{
		SnapshotId: &row.SnapshotID, CreateVolumePermission: &types.CreateVolumePermissionModifications{
			Add: []types.CreateVolumePermission{{Group: types.PermissionGroupAll}},
		},
	}
	images := func() string {
		return *doRemote(r, r.GetImageBlockPublicAccessState, &ec2.GetImageBlockPublicAccessStateInput{}).
			ImageBlockPublicAccessState
	}
	snapshots := func() types.SnapshotBlockPublicAccessState {
		return doRemote(r, r.GetSnapshotBlockPublicAccessState, &ec2.GetSnapshotBlockPublicAccessStateInput{}).State
	}
	if images() != unblocked || snapshots() != "unblocked" {
		t.Errorf("a new account has %s and %s", images(), snapshots())
	}
	doRemote(r, r.EnableImageBlockPublicAccess, &ec2.EnableImageBlockPublicAccessInput{
		ImageBlockPublicAccessState: types.ImageBlockPublicAccessEnabledStateBlockNewSharing,
	})
	doRemote(r, r.EnableSnapshotBlockPublicAccess, &ec2.EnableSnapshotBlockPublicAccessInput{
		State: types.SnapshotBlockPublicAccessStateBlockNewSharing,
	})
	if images() != blockNewSharing || snapshots() != "block-new-sharing" {
		t.Errorf("the account has %s and %s", images(), snapshots())
	}
	wantRemoteError(r, r.ModifyImageAttribute, publish, "OperationNotPermitted:")
	wantRemoteError(r, r.ModifySnapshotAttribute, share, "OperationNotPermitted:")
	doRemote(r, r.DisableImageBlockPublicAccess, &ec2.DisableImageBlockPublicAccessInput{})
	doRemote(r, r.DisableSnapshotBlockPublicAccess, &ec2.DisableSnapshotBlockPublicAccessInput{})
	doRemote(r, r.ModifyImageAttribute, publish)
	doRemote(r, r.ModifySnapshotAttribute, share)
	wantRemoteError(r, r.EnableSnapshotBlockPublicAccess, &ec2.EnableSnapshotBlockPublicAccessInput{
		State: types.SnapshotBlockPublicAccessStateBlockAllSharing,
	}, "UnsupportedOperation:")
	wantRemoteError(r, r.EnableSnapshotBlockPublicAccess, &ec2.EnableSnapshotBlockPublicAccessInput{
		State: types.SnapshotBlockPublicAccessStateUnblocked,
	}, "InvalidParameterValue:")
}

func TestSerialConsoleAccessIsRecorded(t *testing.T) {
	r := newRemote(t)
	allowed := func() bool {
		return *doRemote(r, r.GetSerialConsoleAccessStatus, &ec2.GetSerialConsoleAccessStatusInput{}).
			SerialConsoleAccessEnabled
	}
	doRemote(r, r.EnableSerialConsoleAccess, &ec2.EnableSerialConsoleAccessInput{})
	if !allowed() {
		t.Error("access is not enabled")
	}
	doRemote(r, r.DisableSerialConsoleAccess, &ec2.DisableSerialConsoleAccessInput{})
	if allowed() {
		t.Error("access is still enabled")
	}
}

func TestMetadataOptionsChange(t *testing.T) {
	r := newRemote(t)
	before := r.launch(1)[0]
	out := doRemote(r, r.ModifyInstanceMetadataOptions, &ec2.ModifyInstanceMetadataOptionsInput{
		InstanceId: before.InstanceId, HttpTokens: types.HttpTokensStateRequired, HttpPutResponseHopLimit: aws.Int32(3),
		InstanceMetadataTags: types.InstanceMetadataTagsStateEnabled,
	}).InstanceMetadataOptions
	if out.State != types.InstanceMetadataOptionsStatePending || out.HttpTokens != "required" ||
		*out.HttpPutResponseHopLimit != 3 || out.InstanceMetadataTags != "enabled" || out.HttpEndpoint != "enabled" {
		t.Errorf("%+v", out)
	}
	for _, want := range []types.InstanceMetadataProtocolState{"enabled", "disabled"} {
		got := doRemote(r, r.ModifyInstanceMetadataOptions, &ec2.ModifyInstanceMetadataOptionsInput{
			InstanceId: before.InstanceId, HttpProtocolIpv6: want,
		}).InstanceMetadataOptions.HttpProtocolIpv6
		if got != want {
			t.Errorf("the IPv6 address of the metadata service is %s, want %s", got, want)
		}
	}
	now := doRemote(r, r.DescribeInstances, &ec2.DescribeInstancesInput{InstanceIds: []string{*before.InstanceId}}).
		Reservations[0].Instances[0].MetadataOptions
	if now.State != types.InstanceMetadataOptionsStateApplied || now.HttpTokens != "required" {
		t.Errorf("%+v", now)
	}
	for want, in := range map[string]*ec2.ModifyInstanceMetadataOptionsInput{
		"InvalidParameterValue:":      {InstanceId: before.InstanceId, HttpPutResponseHopLimit: aws.Int32(65)},
		"InvalidInstanceID.NotFound:": {InstanceId: aws.String(noInstance)},
		dryRun:                        {InstanceId: before.InstanceId, DryRun: aws.Bool(true)},
	} {
		wantRemoteError(r, r.ModifyInstanceMetadataOptions, in, want)
	}
	r.cloud.observe(*before.InstanceId, store.Terminated)
	wantRemoteError(r, r.ModifyInstanceMetadataOptions,
		&ec2.ModifyInstanceMetadataOptionsInput{InstanceId: before.InstanceId}, "IncorrectInstanceState:")
}

func TestMetadataDefaultsCountForLaunchesThatNameNone(t *testing.T) {
	r := newRemote(t)
	doRemote(r, r.ModifyInstanceMetadataDefaults, &ec2.ModifyInstanceMetadataDefaultsInput{
		HttpTokens: types.MetadataDefaultHttpTokensStateRequired, HttpPutResponseHopLimit: aws.Int32(2),
	})
	options := r.launch(1)[0].MetadataOptions
	if options.HttpTokens != "required" || *options.HttpPutResponseHopLimit != 2 || options.HttpEndpoint != "enabled" {
		t.Errorf("the launch has %+v", options)
	}
	in := launchOne(r.cloud.availableImage())
	in.MetadataOptions = &types.InstanceMetadataOptionsRequest{HttpTokens: types.HttpTokensStateOptional}
	if got := doRemote(r, r.RunInstances, in).Instances[0].MetadataOptions; got.HttpTokens != "optional" {
		t.Errorf("the launch that names tokens has %+v", got)
	}
	doRemote(r, r.ModifyInstanceMetadataDefaults, &ec2.ModifyInstanceMetadataDefaultsInput{
		HttpTokens: types.MetadataDefaultHttpTokensStateNoPreference, HttpPutResponseHopLimit: aws.Int32(-1),
	})
	got := doRemote(r, r.GetInstanceMetadataDefaults, &ec2.GetInstanceMetadataDefaultsInput{}).AccountLevel
	if got.HttpTokens != "" || got.HttpPutResponseHopLimit != nil {
		t.Errorf("%+v", got)
	}
	wantRemoteError(r, r.ModifyInstanceMetadataDefaults,
		&ec2.ModifyInstanceMetadataDefaultsInput{HttpPutResponseHopLimit: aws.Int32(0)}, "InvalidParameterValue:")
}

func TestCreditOptionsChange(t *testing.T) {
	r := newRemote(t)
	burst, steady := r.launchType("t3.micro", ""), r.launchType("m5.large", "")
	r.cloud.observe(burst, store.Running)
	r.cloud.observe(steady, store.Running)
	out := doRemote(r, r.ModifyInstanceCreditSpecification, &ec2.ModifyInstanceCreditSpecificationInput{
		InstanceCreditSpecifications: []types.InstanceCreditSpecificationRequest{
			{InstanceId: &burst, CpuCredits: aws.String("standard")},
			{InstanceId: &steady, CpuCredits: aws.String("standard")},
			{InstanceId: aws.String(noInstance), CpuCredits: aws.String("standard")},
		},
	})
	if len(out.SuccessfulInstanceCreditSpecifications) != 1 ||
		*out.SuccessfulInstanceCreditSpecifications[0].InstanceId != burst ||
		len(out.UnsuccessfulInstanceCreditSpecifications) != 2 ||
		out.UnsuccessfulInstanceCreditSpecifications[0].Error.Code != "InstanceCreditSpecification.NotSupported" {
		t.Errorf("%+v", out)
	}
	if row, _ := store.Instances.Get(r.cloud.Store.View(), burst); row.CPUCredits != "standard" {
		t.Errorf("%s has %s", burst, row.CPUCredits)
	}
	family := types.UnlimitedSupportedInstanceFamilyT3
	doRemote(r, r.ModifyDefaultCreditSpecification, &ec2.ModifyDefaultCreditSpecificationInput{
		InstanceFamily: family, CpuCredits: aws.String("standard"),
	})
	another := r.launchType("t3.small", "")
	if row, _ := store.Instances.Get(r.cloud.Store.View(), another); row.CPUCredits != "standard" {
		t.Errorf("a new instance has %s", row.CPUCredits)
	}
	got := doRemote(r, r.GetDefaultCreditSpecification, &ec2.GetDefaultCreditSpecificationInput{InstanceFamily: family})
	if *got.InstanceFamilyCreditSpecification.CpuCredits != "standard" {
		t.Errorf("%+v", got.InstanceFamilyCreditSpecification)
	}
}

func TestMonitoringIsEnabledAndDisabled(t *testing.T) {
	r := newRemote(t)
	ids := []string{*r.launch(1)[0].InstanceId}
	state := func() types.MonitoringState {
		return doRemote(r, r.DescribeInstances, &ec2.DescribeInstancesInput{InstanceIds: ids}).
			Reservations[0].Instances[0].Monitoring.State
	}
	out := doRemote(r, r.MonitorInstances, &ec2.MonitorInstancesInput{InstanceIds: ids}).InstanceMonitorings
	if len(out) != 1 || out[0].Monitoring.State != "pending" || state() != "enabled" {
		t.Errorf("%+v, then %s", out, state())
	}
	doRemote(r, r.UnmonitorInstances, &ec2.UnmonitorInstancesInput{InstanceIds: ids})
	if state() != "disabled" {
		t.Errorf("monitoring is %s", state())
	}
	wantRemoteError(r, r.MonitorInstances,
		&ec2.MonitorInstancesInput{InstanceIds: []string{ids[0], noInstance}}, "InvalidInstanceID.NotFound:")
	if state() != "disabled" {
		t.Error("a request that failed changed an instance")
	}
}
