package ec2

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// shown is a version with its template and its data.
type shown struct {
	template template
	version  version
	data     *types.ResponseLaunchTemplateData
}

func ofData(text func(*types.ResponseLaunchTemplateData) string) func(store.Reader, shown) []string {
	return some(func(v shown) string { return text(v.data) })
}

func ofMetadata(text func(*types.LaunchTemplateInstanceMetadataOptions) string) func(store.Reader, shown) []string {
	return ofData(func(data *types.ResponseLaunchTemplateData) string {
		if data.MetadataOptions == nil {
			return ""
		}
		return text(data.MetadataOptions)
	})
}

// versionFilters are those of the Amazon EC2 API Reference,
// DescribeLaunchTemplateVersions. No template here has what the last ones ask
// for: it is refused when a version is made.
var versionFilters = filters[shown]{
	"create-time": one(func(v shown) string { return shortTime(v.version.Created) }),
	"is-default-version": one(
		func(v shown) string { return strconv.FormatBool(v.version.Number == v.template.Default) },
	),
	"image-id":      ofData(func(data *types.ResponseLaunchTemplateData) string { return aws.ToString(data.ImageId) }),
	"instance-type": ofData(func(data *types.ResponseLaunchTemplateData) string { return string(data.InstanceType) }),
	"ebs-optimized": ofData(func(data *types.ResponseLaunchTemplateData) string {
		return strconv.FormatBool(aws.ToBool(data.EbsOptimized))
	}),
	"http-endpoint": ofMetadata(
		func(m *types.LaunchTemplateInstanceMetadataOptions) string { return string(m.HttpEndpoint) },
	),
	"http-tokens": ofMetadata(
		func(m *types.LaunchTemplateInstanceMetadataOptions) string { return string(m.HttpTokens) },
	),
	"network-card-index": func(_ store.Reader, v shown) []string {
		return list(
			v.data.NetworkInterfaces,
			func(nic types.LaunchTemplateInstanceNetworkInterfaceSpecification) string {
				return strconv.Itoa(int(aws.ToInt32(nic.NetworkCardIndex)))
			},
		)
	},
	"http-protocol-ipv4":        never[shown],
	"host-resource-group-arn":   never[shown],
	"iam-instance-profile":      never[shown],
	"kernel-id":                 never[shown],
	"license-configuration-arn": never[shown],
	"ram-disk-id":               never[shown],
}

// place is where a version is in the order of the answer: by template, the
// latest version first.
func (v shown) place() string {
	return fmt.Sprintf("%s/%08d", v.template.ID, 99999999-v.version.Number)
}

// DescribeLaunchTemplateVersions lists versions of a launch template, or the
// latest or default versions of all launch templates.
func (a *API) DescribeLaunchTemplateVersions(ctx context.Context, in *ec2.DescribeLaunchTemplateVersionsInput) (*ec2.DescribeLaunchTemplateVersionsOutput, error) {
	view, region, err := a.read(ctx, in.DryRun)
	if err != nil {
		return nil, err
	}
	pages := pageRequest{in.MaxResults, in.NextToken}
	if err := pages.checkTemplates(); err != nil {
		return nil, err
	}
	if err := versionFilters.check(in.Filters); err != nil {
		return nil, err
	}
	rows, err := versionsAsked(view, region, in)
	if err != nil {
		return nil, err
	}
	rows = slices.DeleteFunc(rows, func(v shown) bool { return !versionFilters.match(view, v, nil, in.Filters) })
	rows, next, err := paginate(pages, rows, shown.place)
	if err != nil {
		return nil, err
	}
	out := &ec2.DescribeLaunchTemplateVersionsOutput{
		NextToken:              next,
		LaunchTemplateVersions: []types.LaunchTemplateVersion{},
	}
	for _, v := range rows {
		item, err := versionItem(view, v.template, v.version, aws.ToBool(in.ResolveAlias))
		if err != nil {
			return nil, err
		}
		out.LaunchTemplateVersions = append(out.LaunchTemplateVersions, item)
	}
	return out, nil
}

// versionsAsked are the versions that a request names, in the order of places.
func versionsAsked(r store.Reader, region string, in *ec2.DescribeLaunchTemplateVersionsInput) ([]shown, error) {
	templates, words := store.LaunchTemplates.By(r, "region", region), in.Versions
	switch one := aws.ToString(in.LaunchTemplateId) != "" || aws.ToString(in.LaunchTemplateName) != ""; {
	case one:
		row, err := templateOf(r, region, in.LaunchTemplateId, in.LaunchTemplateName, "describe the template versions")
		if err != nil {
			return nil, err
		}
		templates = []template{row}
	case len(words) == 0:
		return nil, wire.Errorf("MissingParameter", "%s", describeAllVersionsTip)
	case slices.ContainsFunc(words, func(word string) bool { return word != latestVersion && word != defaultVersion }):
		return nil, wire.Errorf("InvalidParameterValue", "%s", describeAllVersionsTip)
	}
	least, err := bound("minVersion", in.MinVersion, 0)
	if err != nil {
		return nil, err
	}
	most, err := bound("maxVersion", in.MaxVersion, math.MaxInt64)
	if err != nil {
		return nil, err
	}
	var found []shown
	for _, row := range templates {
		versions, err := versionsNamed(r, row, words)
		if err != nil {
			return nil, err
		}
		for _, v := range versions {
			data, err := answerData(v)
			if err != nil {
				return nil, err
			}
			if v.Number >= least && v.Number <= most {
				found = append(found, shown{row, v, data})
			}
		}
	}
	return found, nil
}

// versionsNamed are the versions of a template that the words mean, or all, the
// latest first.
func versionsNamed(r store.Reader, row template, words []string) ([]version, error) {
	var versions []version
	if len(words) == 0 {
		versions = store.TemplateVersions.By(r, "template", row.ID)
	}
	for _, word := range words {
		v, err := versionOf(r, row, word)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(versions, v) {
			versions = append(versions, v)
		}
	}
	slices.SortFunc(versions, func(x, y version) int { return int(y.Number - x.Number) })
	return versions, nil
}

// bound is a version number that limits a request, or what it is without.
func bound(name string, word *string, without int64) (int64, error) {
	if aws.ToString(word) == "" {
		return without, nil
	}
	number, err := strconv.ParseInt(*word, 10, 64)
	if err != nil {
		return 0, invalidValue(name, *word, "It must be a version number.")
	}
	return number, nil
}

// GetLaunchTemplateData tells what an instance was launched with, in the form
// of a launch template's data.
func (a *API) GetLaunchTemplateData(ctx context.Context, in *ec2.GetLaunchTemplateDataInput) (*ec2.GetLaunchTemplateDataOutput, error) {
	if err := required(parameter{"InstanceId", in.InstanceId}); err != nil {
		return nil, err
	}
	view, region, err := a.read(ctx, in.DryRun)
	if err != nil {
		return nil, err
	}
	row, err := instances.get(view, region, *in.InstanceId)
	if err != nil {
		return nil, err
	}
	return &ec2.GetLaunchTemplateDataOutput{LaunchTemplateData: dataOf(view, row)}, nil
}

func dataOf(r store.Reader, row vm) *types.ResponseLaunchTemplateData {
	data := &types.ResponseLaunchTemplateData{
		ImageId:      aws.String(row.ImageID),
		InstanceType: types.InstanceType(row.Type), KeyName: optional(row.KeyName), UserData: optional(row.UserData),
		EbsOptimized:          aws.Bool(row.EBSOptimized),
		DisableApiTermination: aws.Bool(row.DisableAPITermination), DisableApiStop: aws.Bool(row.DisableAPIStop),
		InstanceInitiatedShutdownBehavior: types.ShutdownBehavior(row.ShutdownBehavior),
		Monitoring:                        &types.LaunchTemplatesMonitoring{Enabled: aws.Bool(row.Monitoring)},
		Placement: &types.LaunchTemplatePlacement{
			AvailabilityZone: aws.String(row.Zone),
			GroupName:        aws.String(""),
			Tenancy:          types.TenancyDefault,
		},
		MetadataOptions: &types.LaunchTemplateInstanceMetadataOptions{
			State:                   types.LaunchTemplateInstanceMetadataOptionsStateApplied,
			HttpTokens:              types.LaunchTemplateHttpTokensState(row.MetadataTokens),
			HttpEndpoint:            types.LaunchTemplateInstanceMetadataEndpointState(row.MetadataEndpoint),
			HttpPutResponseHopLimit: aws.Int32(row.MetadataHopLimit),
			InstanceMetadataTags:    types.LaunchTemplateInstanceMetadataTagsState(row.MetadataTags),
		},
	}
	if row.CPUCredits != "" {
		data.CreditSpecification = &types.CreditSpecification{CpuCredits: aws.String(row.CPUCredits)}
	}
	if tags := ofUser(row.Tags); len(tags) > 0 {
		data.TagSpecifications = []types.LaunchTemplateTagSpecification{
			{ResourceType: types.ResourceTypeInstance, Tags: tagSet(tags)},
		}
	}
	if volume, ok := store.Volumes.Get(r, row.RootVolumeID); ok {
		data.BlockDeviceMappings = []types.LaunchTemplateBlockDeviceMapping{
			{DeviceName: aws.String(volume.Device), Ebs: &types.LaunchTemplateEbsBlockDevice{
				VolumeSize: aws.Int32(volume.SizeGiB),
				VolumeType: types.VolumeType(volume.Type), DeleteOnTermination: aws.Bool(volume.DeleteOnTermination),
				Encrypted: aws.Bool(false),
			}},
		}
	}
	for _, id := range row.InterfaceIDs {
		if eni, ok := store.NetworkInterfaces.Get(r, id); ok {
			data.NetworkInterfaces = append(
				data.NetworkInterfaces,
				types.LaunchTemplateInstanceNetworkInterfaceSpecification{
					DeviceIndex: aws.Int32(eni.DeviceIndex),
					SubnetId:    aws.String(eni.SubnetID), Groups: eni.GroupIDs,
					Description:              aws.String(eni.Description),
					DeleteOnTermination:      aws.Bool(eni.DeleteOnTermination),
					AssociatePublicIpAddress: aws.Bool(eni.PublicIP.IsValid()), InterfaceType: aws.String("interface"),
				},
			)
		}
	}
	return data
}

// ofUser are the tags that users may set themselves.
func ofUser(tags store.Tags) store.Tags {
	out := maps.Clone(tags)
	maps.DeleteFunc(out, func(key, _ string) bool { return strings.HasPrefix(key, "aws:") })
	return out
}
