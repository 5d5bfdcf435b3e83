package ec2

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/store"
)

func ofType(name types.InstanceType) *types.RequestLaunchTemplateData {
	return &types.RequestLaunchTemplateData{InstanceType: name}
}

func TestCreateLaunchTemplateRefusals(t *testing.T) {
	c := newCloud(t)
	c.template("web", ofType("t3.micro"))
	api := func(change func(in *ec2.CreateLaunchTemplateInput)) *ec2.CreateLaunchTemplateInput {
		in := &ec2.CreateLaunchTemplateInput{
			LaunchTemplateName: aws.String("api"), LaunchTemplateData: ofType("t3.micro"),
		}
		change(in)
		return in
	}
	withData := func(data *types.RequestLaunchTemplateData) *ec2.CreateLaunchTemplateInput {
		return api(func(in *ec2.CreateLaunchTemplateInput) { in.LaunchTemplateData = data })
	}
	requirements := &types.InstanceRequirementsRequest{VCpuCount: &types.VCpuCountRangeRequest{Min: aws.Int32(2)}}
	for want, in := range map[string]*ec2.CreateLaunchTemplateInput{
		"InvalidLaunchTemplateName.AlreadyExistsException: Launch template name already in use.": api(
			func(in *ec2.CreateLaunchTemplateInput) { in.LaunchTemplateName = aws.String("web") },
		),
		"InvalidLaunchTemplateName.MalformedException: A launch template name must be between 3 and 128 characters, " +
			"and may contain letters, numbers, and the following characters: - ( ) . / _.": api(
			func(in *ec2.CreateLaunchTemplateInput) { in.LaunchTemplateName = aws.String("we b") },
		),
		"MissingParameter: No launch template data was provided. Launch template data is required to create a " +
			"launch template.": withData(nil),
		"MissingParameter: The request must contain the parameter LaunchTemplateName": api(
			func(in *ec2.CreateLaunchTemplateInput) { in.LaunchTemplateName = nil },
		),
		"InvalidParameterValue: The instance requirements must contain MemoryMiB.Min.": withData(
			&types.RequestLaunchTemplateData{InstanceRequirements: requirements},
		),
		"InvalidParameterValue: 'vpc' is not a valid taggable resource type for this operation.": withData(
			&types.RequestLaunchTemplateData{TagSpecifications: dataTags("vpc", "a", "b")},
		),
		"InvalidParameterValue: 'instance' is not a valid taggable resource type for this operation.": api(
			func(in *ec2.CreateLaunchTemplateInput) { in.TagSpecifications = specification("instance", "a", "b") },
		),
		"InvalidParameterValue: Value (" + strings.Repeat("x", 129) + ") for parameter clientToken is invalid. It " +
			"has more than 128 characters.": api(
			func(in *ec2.CreateLaunchTemplateInput) { in.ClientToken = aws.String(strings.Repeat("x", 129)) },
		),
		"InvalidParameterValue: Value (" + strings.Repeat("x", 256) + ") for parameter versionDescription is " +
			"invalid. It has more than 255 characters.": api(
			func(in *ec2.CreateLaunchTemplateInput) { in.VersionDescription = aws.String(strings.Repeat("x", 256)) },
		),
		dryRun: api(func(in *ec2.CreateLaunchTemplateInput) { in.DryRun = aws.Bool(true) }),
	} {
		wantError(c, c.CreateLaunchTemplate, in, want)
	}
	if n := len(store.TemplateVersions.List(c.Store.View())); n != 1 {
		t.Errorf("refused requests left %d versions", n-1)
	}
}

func TestInvalidTemplatesAreCreatedWithAWarning(t *testing.T) {
	c := newCloud(t)
	out := do(c, c.CreateLaunchTemplate, &ec2.CreateLaunchTemplateInput{
		LaunchTemplateName: aws.String("bad"),
		LaunchTemplateData: &types.RequestLaunchTemplateData{UserData: aws.String("?")},
	})
	if w := out.Warning; w == nil || *w.Errors[0].Code != "InvalidUserData.Malformed" ||
		*w.Errors[0].Message != "Invalid BASE64 encoding of user data." {
		t.Errorf("warning %+v", w)
	}
	out = do(c, c.CreateLaunchTemplate, &ec2.CreateLaunchTemplateInput{
		LaunchTemplateName: aws.String("spot"),
		LaunchTemplateData: &types.RequestLaunchTemplateData{
			ImageId: aws.String(c.availableImage()),
			InstanceMarketOptions: &types.LaunchTemplateInstanceMarketOptionsRequest{
				MarketType: types.MarketTypeSpot,
				SpotOptions: &types.LaunchTemplateSpotMarketOptionsRequest{
					MaxPrice: aws.String("0.01"), SpotInstanceType: types.SpotInstanceTypePersistent,
				},
			},
			TagSpecifications: dataTags("spot-instances-request", "a", "b"),
		},
	})
	const unsupported = "aloft's local cloud does not support the parameter " +
		"instanceMarketOptions.spotOptions.spotInstanceType"
	if w := out.Warning; w == nil || *w.Errors[0].Message != unsupported {
		t.Errorf("warning %+v", w)
	}
	kept := do(c, c.DescribeLaunchTemplateVersions, &ec2.DescribeLaunchTemplateVersionsInput{
		LaunchTemplateName: aws.String("spot"),
	}).LaunchTemplateVersions[0].LaunchTemplateData
	if o := kept.InstanceMarketOptions; o == nil || *o.SpotOptions.MaxPrice != "0.01" ||
		len(kept.TagSpecifications) != 1 {
		t.Errorf("the template has lost its data: %+v", kept)
	}
	wantError(c, c.RunInstances, &ec2.RunInstancesInput{
		MinCount: aws.Int32(1), MaxCount: aws.Int32(1),
		LaunchTemplate: &types.LaunchTemplateSpecification{LaunchTemplateName: aws.String("spot")},
	}, "UnsupportedOperation: "+unsupported)
	out = do(c, c.CreateLaunchTemplate, &ec2.CreateLaunchTemplateInput{
		LaunchTemplateName: aws.String("open"),
		LaunchTemplateData: &types.RequestLaunchTemplateData{ImageId: aws.String("ami-def456")},
	})
	if out.Warning != nil {
		t.Errorf("warning %+v", out.Warning)
	}
}

func TestAClientTokenChangesLaunchTemplatesOnce(t *testing.T) {
	c := newCloud(t)
	in := &ec2.CreateLaunchTemplateInput{
		LaunchTemplateName: aws.String("web"),
		LaunchTemplateData: ofType("t3.micro"),
		ClientToken:        aws.String("t"),
	}
	first, again := do(c, c.CreateLaunchTemplate, in), do(c, c.CreateLaunchTemplate, in)
	if *first.LaunchTemplate.LaunchTemplateId != *again.LaunchTemplate.LaunchTemplateId {
		t.Error("a repeated request created a second template")
	}
	next := &ec2.CreateLaunchTemplateVersionInput{
		LaunchTemplateName: aws.String("web"),
		LaunchTemplateData: ofType("t3.small"),
		ClientToken:        aws.String("t"),
	}
	for range 2 {
		if v := do(c, c.CreateLaunchTemplateVersion, next).LaunchTemplateVersion; *v.VersionNumber != 2 ||
			*v.DefaultVersion {
			t.Errorf("version %d, default %v", *v.VersionNumber, *v.DefaultVersion)
		}
	}
	for range 2 {
		out := do(c, c.ModifyLaunchTemplate, &ec2.ModifyLaunchTemplateInput{
			LaunchTemplateName: aws.String("web"),
			DefaultVersion:     aws.String("2"),
			ClientToken:        aws.String("t"),
		})
		if row := out.LaunchTemplate; *row.DefaultVersionNumber != 2 || *row.LatestVersionNumber != 2 {
			t.Errorf("template %+v", row)
		}
	}
	wantError(c, c.CreateLaunchTemplate,
		&ec2.CreateLaunchTemplateInput{
			LaunchTemplateName: aws.String("api"),
			LaunchTemplateData: ofType("t3.micro"),
			ClientToken:        aws.String("t"),
		},
		"IdempotentParameterMismatch: Arguments on this idempotent request are inconsistent with arguments used in "+
			"previous request(s).")
}

func TestDescribeLaunchTemplates(t *testing.T) {
	c := newCloud(t)
	var ids []string
	for i := range 5 {
		out := do(c, c.CreateLaunchTemplate, &ec2.CreateLaunchTemplateInput{
			LaunchTemplateName: aws.String(fmt.Sprintf("web-%d", i)),
			LaunchTemplateData: ofType("t3.micro"),
			TagSpecifications:  specification("launch-template", "n", fmt.Sprint(i%2)),
		})
		ids = append(ids, *out.LaunchTemplate.LaunchTemplateId)
	}
	names := func(in *ec2.DescribeLaunchTemplatesInput) string {
		var all []string
		for {
			out := do(c, c.DescribeLaunchTemplates, in)
			for _, row := range out.LaunchTemplates {
				all = append(all, *row.LaunchTemplateName)
			}
			if in.NextToken = out.NextToken; in.NextToken == nil {
				slices.Sort(all)
				return strings.Join(all, " ")
			}
		}
	}
	for want, in := range map[string]*ec2.DescribeLaunchTemplatesInput{
		"web-0 web-1 web-2 web-3 web-4": {MaxResults: aws.Int32(2)},
		"web-1 web-3":                   {Filters: []types.Filter{filter("tag:n", "1")}},
		"web-2":                         {Filters: []types.Filter{filter("launch-template-name", "*-2")}},
		"web-0 web-4":                   {LaunchTemplateIds: []string{ids[0]}, LaunchTemplateNames: []string{"web-4"}},
		"web-3":                         {LaunchTemplateNames: []string{"web-3"}, MaxResults: aws.Int32(1)},
	} {
		if got := names(in); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	for want, in := range map[string]*ec2.DescribeLaunchTemplatesInput{
		"InvalidLaunchTemplateName.NotFoundException: At least one of the launch templates specified in the request " +
			"does not exist.": {LaunchTemplateNames: []string{"web-0", "none"}},
		"InvalidLaunchTemplateId.NotFound: At least one of the launch templates specified in the request does " +
			"not exist.": {LaunchTemplateIds: []string{"lt-0123456789abcdef0"}},
		"InvalidLaunchTemplateId.Malformed: Invalid id: \"web\" (expecting \"lt-...\")": {
			LaunchTemplateIds: []string{"web"},
		},
		"InvalidParameterValue: Value (201) for parameter maxResults is invalid. It must be from 1 to 200.": {
			MaxResults: aws.Int32(201),
		},
		"InvalidParameterValue: The filter 'colour' is invalid": {
			Filters: []types.Filter{filter("colour", "red")},
		},
	} {
		wantError(c, c.DescribeLaunchTemplates, in, want)
	}
}

func TestLaunchTemplatesAreTaggedLikeOtherResources(t *testing.T) {
	c := newCloud(t)
	id := c.template("web", ofType("t3.micro"))
	do(c, c.CreateTags,
		&ec2.CreateTagsInput{Resources: []string{id}, Tags: specification("", "a", "1", "b", "2")[0].Tags})
	do(c, c.DeleteTags, &ec2.DeleteTagsInput{Resources: []string{id}, Tags: []types.Tag{{Key: aws.String("a")}}})
	tags := do(c, c.DescribeTags,
		&ec2.DescribeTagsInput{Filters: []types.Filter{filter("resource-type", "launch-template")}}).Tags
	if len(tags) != 1 || *tags[0].Key != "b" || *tags[0].ResourceId != id {
		t.Errorf("tags %+v", tags)
	}
	if v := do(c, c.DescribeLaunchTemplates, &ec2.DescribeLaunchTemplatesInput{}).LaunchTemplates[0]; len(v.Tags) != 1 {
		t.Errorf("template's tags %+v", v.Tags)
	}
}

func TestModifyLaunchTemplateRefusals(t *testing.T) {
	c := newCloud(t)
	id := c.template("web", ofType("t3.nano"))
	wantError(c, c.ModifyLaunchTemplate,
		&ec2.ModifyLaunchTemplateInput{LaunchTemplateId: &id, DefaultVersion: aws.String("2")},
		"InvalidLaunchTemplateId.VersionNotFound: The launch template version 2 is not found for the specified "+
			"launch template.")
	wantError(c, c.ModifyLaunchTemplate, &ec2.ModifyLaunchTemplateInput{
		LaunchTemplateId:   &id,
		LaunchTemplateName: aws.String("web"),
		DefaultVersion:     aws.String("1"),
	}, "InvalidParameterCombination: Either provide launch template ID or launch template name to modify the template.")
	wantError(c, c.ModifyLaunchTemplate,
		&ec2.ModifyLaunchTemplateInput{LaunchTemplateId: &id, DefaultVersion: aws.String("1"), DryRun: aws.Bool(true)},
		"DryRunOperation: Request would have succeeded, but DryRun flag is set.")
}

func TestDeleteLaunchTemplateDeletesItsVersions(t *testing.T) {
	c := newCloud(t)
	id := c.template("web", ofType("t3.nano"))
	c.version(id, ofType("t3.micro"))
	if out := do(c, c.DeleteLaunchTemplate, &ec2.DeleteLaunchTemplateInput{
		LaunchTemplateName: aws.String("web"),
	}); *out.LaunchTemplate.LaunchTemplateId != id ||
		*out.LaunchTemplate.LatestVersionNumber != 2 {
		t.Errorf("deleted %+v", out.LaunchTemplate)
	}
	view := c.Store.View()
	if n := len(store.LaunchTemplates.List(view)) + len(store.TemplateVersions.List(view)); n != 0 {
		t.Errorf("%d rows left", n)
	}
	wantError(c, c.DeleteLaunchTemplate, &ec2.DeleteLaunchTemplateInput{LaunchTemplateId: &id},
		"InvalidLaunchTemplateId.NotFound: The specified launch template, with template ID "+id+", does not exist.")
}
