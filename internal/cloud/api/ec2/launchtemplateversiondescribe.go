package ec2

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// describedVersion is a version with its template and its decoded data.
type describedVersion struct {
	template template
	version  version
	data     *types.ResponseLaunchTemplateData
}

func byData(text func(*types.ResponseLaunchTemplateData) string) func(store.Reader, describedVersion) []string {
	return optionalField(func(v describedVersion) string { return text(v.data) })
}

func byMetadata(
	text func(*types.LaunchTemplateInstanceMetadataOptions) string,
) func(store.Reader, describedVersion) []string {
	return byData(func(data *types.ResponseLaunchTemplateData) string {
		if data.MetadataOptions == nil {
			return ""
		}
		return text(data.MetadataOptions)
	})
}

// versionFilters are the filters of DescribeLaunchTemplateVersions (Amazon EC2 API
// Reference). The filters without values concern parameters that the local cloud
// refuses when a version is created.
var versionFilters = filters[describedVersion]{
	"create-time":        field(func(v describedVersion) string { return filterTime(v.version.Created) }),
	"is-default-version": booleanField(func(v describedVersion) bool { return v.version.Number == v.template.Default }),
	"image-id": byData(func(data *types.ResponseLaunchTemplateData) string {
		return aws.ToString(data.ImageId)
	}),
	"instance-type": byData(func(data *types.ResponseLaunchTemplateData) string {
		return string(data.InstanceType)
	}),
	"ebs-optimized": byData(func(data *types.ResponseLaunchTemplateData) string {
		return strconv.FormatBool(aws.ToBool(data.EbsOptimized))
	}),
	"http-endpoint": byMetadata(
		func(m *types.LaunchTemplateInstanceMetadataOptions) string { return string(m.HttpEndpoint) },
	),
	"http-tokens": byMetadata(
		func(m *types.LaunchTemplateInstanceMetadataOptions) string { return string(m.HttpTokens) },
	),
	"network-card-index": func(_ store.Reader, v describedVersion) []string {
		return list(
			v.data.NetworkInterfaces,
			func(nic types.LaunchTemplateInstanceNetworkInterfaceSpecification) string {
				return strconv.Itoa(int(aws.ToInt32(nic.NetworkCardIndex)))
			},
		)
	},
	"http-protocol-ipv4":        noValue[describedVersion],
	"host-resource-group-arn":   noValue[describedVersion],
	"iam-instance-profile":      noValue[describedVersion],
	"kernel-id":                 noValue[describedVersion],
	"license-configuration-arn": noValue[describedVersion],
	"ram-disk-id":               noValue[describedVersion],
}

// sortKey orders versions in the response: by template, the latest version first.
func (v describedVersion) sortKey() string {
	return fmt.Sprintf("%s/%08d", v.template.ID, 99999999-v.version.Number)
}

// DescribeLaunchTemplateVersions lists versions of a launch template, or the latest or
// default versions of all launch templates.
func (a *API) DescribeLaunchTemplateVersions(
	ctx context.Context, in *ec2.DescribeLaunchTemplateVersionsInput,
) (*ec2.DescribeLaunchTemplateVersionsOutput, error) {
	view, region, err := a.read(ctx, in.DryRun)
	if err != nil {
		return nil, err
	}
	pages := pageRequest{in.MaxResults, in.NextToken}
	if err := pages.checkTemplatePage(); err != nil {
		return nil, err
	}
	if err := versionFilters.check(in.Filters); err != nil {
		return nil, err
	}
	rows, err := requestedVersions(view, region, in)
	if err != nil {
		return nil, err
	}
	rows = slices.DeleteFunc(
		rows, func(v describedVersion) bool { return !versionFilters.match(view, v, nil, in.Filters) },
	)
	rows, next, err := paginate(pages, rows, describedVersion.sortKey)
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

// requestedVersions returns the versions that a request selects, in the order of their
// sort keys.
func requestedVersions(
	r store.Reader, region identity.Region, in *ec2.DescribeLaunchTemplateVersionsInput,
) ([]describedVersion, error) {
	templates, names := store.LaunchTemplates.InRegion(r, region), in.Versions
	switch one := aws.ToString(in.LaunchTemplateId) != "" || aws.ToString(in.LaunchTemplateName) != ""; {
	case one:
		row, err := findTemplate(
			r, region, in.LaunchTemplateId, in.LaunchTemplateName, "describe the template versions",
		)
		if err != nil {
			return nil, err
		}
		templates = []template{row}
	case len(names) == 0:
		return nil, wire.Errorf("MissingParameter", "%s", describeAllVersionsTip)
	case slices.ContainsFunc(names, func(name string) bool { return name != latestVersion && name != defaultVersion }):
		return nil, wire.Errorf("InvalidParameterValue", "%s", describeAllVersionsTip)
	}
	least, err := versionBound("minVersion", in.MinVersion, 0)
	if err != nil {
		return nil, err
	}
	most, err := versionBound("maxVersion", in.MaxVersion, math.MaxInt64)
	if err != nil {
		return nil, err
	}
	var found []describedVersion
	for _, row := range templates {
		versions, err := templateVersions(r, row, names)
		if err != nil {
			return nil, err
		}
		for _, v := range versions {
			data, err := responseData(v)
			if err != nil {
				return nil, err
			}
			if v.Number >= least && v.Number <= most {
				found = append(found, describedVersion{row, v, data})
			}
		}
	}
	return found, nil
}

// templateVersions returns the versions of a template that names name, or all versions
// if names is empty. The latest version is first.
func templateVersions(r store.Reader, row template, names []string) ([]version, error) {
	var versions []version
	if len(names) == 0 {
		versions = store.TemplateVersionsByTemplate.List(r, row.ID)
	}
	for _, name := range names {
		v, err := findVersion(r, row, name)
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

// versionBound parses a version number that limits a request. It returns missing if
// the request has no such limit.
func versionBound(parameter string, text *string, missing int64) (int64, error) {
	if aws.ToString(text) == "" {
		return missing, nil
	}
	number, err := strconv.ParseInt(*text, 10, 64)
	if err != nil {
		return 0, invalidValue(parameter, *text, "It must be a version number.")
	}
	return number, nil
}
