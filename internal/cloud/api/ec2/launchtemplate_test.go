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
	for want, in := range map[string]*ec2.CreateLaunchTemplateInput{
		"InvalidLaunchTemplateName.AlreadyExistsException: Launch template name already in use.":                                                                                                  {LaunchTemplateName: aws.String("web"), LaunchTemplateData: ofType("t3.micro")},
		"InvalidLaunchTemplateName.MalformedException: A launch template name must be between 3 and 128 characters, and may contain letters, numbers, and the following characters: - ( ) . / _.": {LaunchTemplateName: aws.String("we b"), LaunchTemplateData: ofType("t3.micro")},
		"MissingParameter: No launch template data was provided. Launch template data is required to create a launch template.":                                                                   {LaunchTemplateName: aws.String("api")},
		"MissingParameter: The request must contain the parameter LaunchTemplateName":                                                                                                             {LaunchTemplateData: ofType("t3.micro")},
		"UnsupportedOperation: aloft's local cloud does not support the parameter iamInstanceProfile.name": {LaunchTemplateName: aws.String("api"), LaunchTemplateData: &types.RequestLaunchTemplateData{
			IamInstanceProfile: &types.LaunchTemplateIamInstanceProfileSpecificationRequest{Name: aws.String("p")},
		}},
		"UnsupportedOperation: aloft's local cloud does not support the parameter instanceRequirements.vCpuCount.min": {LaunchTemplateName: aws.String("api"), LaunchTemplateData: &types.RequestLaunchTemplateData{
			InstanceRequirements: &types.InstanceRequirementsRequest{
				VCpuCount: &types.VCpuCountRangeRequest{Min: aws.Int32(2)},
			},
		}},
		"InvalidParameterValue: 'spot-instances-request' is not a valid taggable resource type for this operation.": {LaunchTemplateName: aws.String("api"), LaunchTemplateData: &types.RequestLaunchTemplateData{
			TagSpecifications: dataTags("spot-instances-request", "a", "b"),
		}},
		"InvalidParameterValue: 'instance' is not a valid taggable resource type for this operation.":                                                   {LaunchTemplateName: aws.String("api"), LaunchTemplateData: ofType("t3.micro"), TagSpecifications: specification("instance", "a", "b")},
		"InvalidParameterValue: Value (" + strings.Repeat("x", 129) + ") for parameter clientToken is invalid. It has more than 128 characters.":        {LaunchTemplateName: aws.String("api"), LaunchTemplateData: ofType("t3.micro"), ClientToken: aws.String(strings.Repeat("x", 129))},
		"DryRunOperation: Request would have succeeded, but DryRun flag is set.":                                                                        {LaunchTemplateName: aws.String("api"), LaunchTemplateData: ofType("t3.micro"), DryRun: aws.Bool(true)},
		"InvalidParameterValue: Value (" + strings.Repeat("x", 256) + ") for parameter versionDescription is invalid. It has more than 255 characters.": {LaunchTemplateName: aws.String("api"), LaunchTemplateData: ofType("t3.micro"), VersionDescription: aws.String(strings.Repeat("x", 256))},
	} {
		refused(c, c.CreateLaunchTemplate, in, want)
	}
	if n := len(store.TemplateVersions.List(c.Store.View())); n != 1 {
		t.Errorf("refused requests left %d versions", n-1)
	}
}

// EC2 keeps a template that cannot be launched, and warns.
func TestATemplateIsKeptWithAWarning(t *testing.T) {
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
		LaunchTemplateName: aws.String("open"),
		LaunchTemplateData: &types.RequestLaunchTemplateData{ImageId: aws.String("ami-def456")},
	})
	if out.Warning != nil {
		t.Errorf("warning %+v", out.Warning)
	}
}

func TestAClientTokenMakesOneTemplateOneVersionAndOneDefault(t *testing.T) {
	c := newCloud(t)
	in := &ec2.CreateLaunchTemplateInput{
		LaunchTemplateName: aws.String("web"),
		LaunchTemplateData: ofType("t3.micro"),
		ClientToken:        aws.String("t"),
	}
	first, again := do(c, c.CreateLaunchTemplate, in), do(c, c.CreateLaunchTemplate, in)
	if *first.LaunchTemplate.LaunchTemplateId != *again.LaunchTemplate.LaunchTemplateId {
		t.Error("two templates")
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
	refused(
		c,
		c.CreateLaunchTemplate,
		&ec2.CreateLaunchTemplateInput{
			LaunchTemplateName: aws.String("api"),
			LaunchTemplateData: ofType("t3.micro"),
			ClientToken:        aws.String("t"),
		},
		"IdempotentParameterMismatch: Arguments on this idempotent request are inconsistent with arguments used in previous request(s).",
	)
}

func TestAVersionStartsFromItsSource(t *testing.T) {
	c := newCloud(t)
	id := c.template("web", &types.RequestLaunchTemplateData{
		InstanceType: "t3.micro", KeyName: aws.String("k"), SecurityGroupIds: []string{"sg-1", "sg-2"},
		TagSpecifications: dataTags("instance", "a", "1", "b", "2"),
	})
	v := do(c, c.CreateLaunchTemplateVersion, &ec2.CreateLaunchTemplateVersionInput{
		LaunchTemplateId:   &id,
		SourceVersion:      aws.String("1"),
		VersionDescription: aws.String("next"),
		LaunchTemplateData: &types.RequestLaunchTemplateData{
			ImageId:          aws.String("ami-def456"),
			SecurityGroupIds: []string{"sg-3"}, TagSpecifications: dataTags("instance", "c", "3"),
		},
	}).LaunchTemplateVersion
	data := v.LaunchTemplateData
	if *data.ImageId != "ami-def456" || data.InstanceType != "t3.micro" || *data.KeyName != "k" ||
		!slices.Equal(data.SecurityGroupIds, []string{"sg-3"}) ||
		len(data.TagSpecifications[0].Tags) != 1 ||
		*v.VersionDescription != "next" ||
		*v.CreatedBy != "arn:aws:iam::000000000000:user/aloft" {
		t.Errorf("got %+v with %+v", v, data)
	}
	plain := do(
		c,
		c.CreateLaunchTemplateVersion,
		&ec2.CreateLaunchTemplateVersionInput{LaunchTemplateId: &id, LaunchTemplateData: ofType("t3.nano")},
	).LaunchTemplateVersion
	if plain.LaunchTemplateData.KeyName != nil || *plain.VersionNumber != 3 {
		t.Errorf("a version without source has %+v", plain.LaunchTemplateData)
	}
	refused(
		c,
		c.CreateLaunchTemplateVersion,
		&ec2.CreateLaunchTemplateVersionInput{
			LaunchTemplateId:   &id,
			LaunchTemplateData: ofType("t3.nano"),
			SourceVersion:      aws.String("7"),
		},
		"InvalidLaunchTemplateId.VersionNotFound: Could not find the specified version 7 for the launch template with ID "+id+".",
	)
	refused(
		c,
		c.CreateLaunchTemplateVersion,
		&ec2.CreateLaunchTemplateVersionInput{LaunchTemplateId: &id},
		"MissingParameter: No launch template data was provided. Launch template data is required to create a launch template version.",
	)
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
		"InvalidLaunchTemplateName.NotFoundException: At least one of the launch templates specified in the request does not exist.": {LaunchTemplateNames: []string{"web-0", "none"}},
		"InvalidLaunchTemplateId.NotFound: At least one of the launch templates specified in the request does not exist.":            {LaunchTemplateIds: []string{"lt-0123456789abcdef0"}},
		"InvalidLaunchTemplateId.Malformed: Invalid id: \"web\" (expecting \"lt-...\")":                                              {LaunchTemplateIds: []string{"web"}},
		"InvalidParameterValue: Value (201) for parameter maxResults is invalid. It must be from 1 to 200.":                          {MaxResults: aws.Int32(201)},
		"InvalidParameterValue: The filter 'colour' is invalid":                                                                      {Filters: []types.Filter{filter("colour", "red")}},
	} {
		refused(c, c.DescribeLaunchTemplates, in, want)
	}
}

func TestLaunchTemplatesAreTaggedLikeOtherResources(t *testing.T) {
	c := newCloud(t)
	id := c.template("web", ofType("t3.micro"))
	do(
		c,
		c.CreateTags,
		&ec2.CreateTagsInput{Resources: []string{id}, Tags: specification("", "a", "1", "b", "2")[0].Tags},
	)
	do(c, c.DeleteTags, &ec2.DeleteTagsInput{Resources: []string{id}, Tags: []types.Tag{{Key: aws.String("a")}}})
	tags := do(
		c, c.DescribeTags, &ec2.DescribeTagsInput{Filters: []types.Filter{filter("resource-type", "launch-template")}},
	).Tags
	if len(tags) != 1 || *tags[0].Key != "b" || *tags[0].ResourceId != id {
		t.Errorf("tags %+v", tags)
	}
	if v := do(c, c.DescribeLaunchTemplates, &ec2.DescribeLaunchTemplatesInput{}).LaunchTemplates[0]; len(v.Tags) != 1 {
		t.Errorf("template's tags %+v", v.Tags)
	}
}

func numbers(versions []types.LaunchTemplateVersion) string {
	return strings.Join(list(versions, func(v types.LaunchTemplateVersion) string {
		return fmt.Sprintf("%s/%d", *v.LaunchTemplateName, *v.VersionNumber)
	}), " ")
}

func TestDescribeLaunchTemplateVersions(t *testing.T) {
	c := newCloud(t)
	web, api := c.template("web", ofType("t3.nano")), c.template("api", ofType("t3.micro"))
	for range 3 {
		c.version(web, ofType("t3.small"))
	}
	do(
		c,
		c.ModifyLaunchTemplate,
		&ec2.ModifyLaunchTemplateInput{LaunchTemplateId: &web, DefaultVersion: aws.String("2")},
	)
	for want, in := range map[string]*ec2.DescribeLaunchTemplateVersionsInput{
		"web/4 web/3 web/2 web/1": {LaunchTemplateId: &web},
		"web/4 web/2 web/1": {LaunchTemplateName: aws.String("web"), Versions: []string{
			"1", "$Default", "$Latest", "2",
		}},
		"web/3 web/2": {LaunchTemplateId: &web, MinVersion: aws.String("2"), MaxVersion: aws.String("3")},
		"web/1":       {LaunchTemplateId: &web, Filters: []types.Filter{filter("instance-type", "*nano")}},
		"web/2": {LaunchTemplateId: &web, Filters: []types.Filter{
			filter("is-default-version", "true"),
		}},
		"":      {LaunchTemplateId: &web, Filters: []types.Filter{filter("http-tokens", "required")}},
		"api/1": {LaunchTemplateId: &api, Filters: []types.Filter{filter("ebs-optimized", "false")}},
	} {
		if got := numbers(do(c, c.DescribeLaunchTemplateVersions, in).LaunchTemplateVersions); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	all := do(
		c,
		c.DescribeLaunchTemplateVersions,
		&ec2.DescribeLaunchTemplateVersionsInput{Versions: []string{"$Latest", "$Default"}},
	).LaunchTemplateVersions
	if got := numbers(all); got != "web/4 web/2 api/1" && got != "api/1 web/4 web/2" {
		t.Errorf("latest and default of all: %s", got)
	}
	var pages []string
	for in := (&ec2.DescribeLaunchTemplateVersionsInput{LaunchTemplateId: &web, MaxResults: aws.Int32(3)}); ; {
		out := do(c, c.DescribeLaunchTemplateVersions, in)
		pages = append(pages, numbers(out.LaunchTemplateVersions))
		if in.NextToken = out.NextToken; in.NextToken == nil {
			break
		}
	}
	if got := strings.Join(pages, " | "); got != "web/4 web/3 web/2 | web/1" {
		t.Errorf("pages %s", got)
	}
}

func TestDescribeLaunchTemplateVersionsRefusals(t *testing.T) {
	c := newCloud(t)
	web := c.template("web", ofType("t3.nano"))
	for _, test := range []struct {
		in   ec2.DescribeLaunchTemplateVersionsInput
		want string
	}{
		{ec2.DescribeLaunchTemplateVersionsInput{}, "MissingParameter: " + describeAllVersionsTip},
		{
			ec2.DescribeLaunchTemplateVersionsInput{Versions: []string{"1"}},
			"InvalidParameterValue: " + describeAllVersionsTip,
		},
		{
			ec2.DescribeLaunchTemplateVersionsInput{LaunchTemplateId: &web, Versions: []string{"3"}},
			"InvalidLaunchTemplateId.VersionNotFound: Could not find the specified version 3 for the launch template with ID " + web + ".",
		},
		{
			ec2.DescribeLaunchTemplateVersionsInput{LaunchTemplateName: aws.String("web"), Versions: []string{"3"}},
			"InvalidLaunchTemplateId.VersionNotFound: Could not find the specified version 3 for the launch template with ID " + web + ".",
		},
		{
			ec2.DescribeLaunchTemplateVersionsInput{LaunchTemplateName: aws.String("no")},
			"InvalidLaunchTemplateName.NotFoundException: The specified launch template, with template name no, does not exist.",
		},
		{
			ec2.DescribeLaunchTemplateVersionsInput{LaunchTemplateId: aws.String("lt-0123456789abcdef0")},
			"InvalidLaunchTemplateId.NotFound: The specified launch template, with template ID lt-0123456789abcdef0, does not exist.",
		},
		{
			ec2.DescribeLaunchTemplateVersionsInput{LaunchTemplateId: &web, LaunchTemplateName: aws.String("web")},
			"InvalidParameterCombination: Either provide launch template ID or launch template name to describe the template versions.",
		},
		{
			ec2.DescribeLaunchTemplateVersionsInput{LaunchTemplateId: &web, MinVersion: aws.String("x")},
			"InvalidParameterValue: Value (x) for parameter minVersion is invalid. It must be a version number.",
		},
	} {
		refused(c, c.DescribeLaunchTemplateVersions, &test.in, test.want)
	}
}

func TestModifyLaunchTemplateRefusals(t *testing.T) {
	c := newCloud(t)
	id := c.template("web", ofType("t3.nano"))
	refused(
		c,
		c.ModifyLaunchTemplate,
		&ec2.ModifyLaunchTemplateInput{LaunchTemplateId: &id, DefaultVersion: aws.String("2")},
		"InvalidLaunchTemplateId.VersionNotFound: The launch template version 2 is not found for the specified launch template.",
	)
	refused(
		c,
		c.ModifyLaunchTemplate,
		&ec2.ModifyLaunchTemplateInput{
			LaunchTemplateId:   &id,
			LaunchTemplateName: aws.String("web"),
			DefaultVersion:     aws.String("1"),
		},
		"InvalidParameterCombination: Either provide launch template ID or launch template name to modify the template.",
	)
	refused(
		c,
		c.ModifyLaunchTemplate,
		&ec2.ModifyLaunchTemplateInput{LaunchTemplateId: &id, DefaultVersion: aws.String("1"), DryRun: aws.Bool(true)},
		"DryRunOperation: Request would have succeeded, but DryRun flag is set.",
	)
}

func TestVersionsAreDeletedOneByOneAndTheirNumbersNeverComeBack(t *testing.T) {
	c := newCloud(t)
	id := c.template("web", ofType("t3.nano"))
	c.version(id, ofType("t3.micro"))
	c.version(id, ofType("t3.small"))
	out := do(c, c.DeleteLaunchTemplateVersions, &ec2.DeleteLaunchTemplateVersionsInput{
		LaunchTemplateName: aws.String("web"),
		Versions:           []string{"3", "1", "8"},
	})
	if gone := out.SuccessfullyDeletedLaunchTemplateVersions; len(gone) != 1 || *gone[0].VersionNumber != 3 ||
		*gone[0].LaunchTemplateId != id {
		t.Errorf("deleted %+v", gone)
	}
	stay := out.UnsuccessfullyDeletedLaunchTemplateVersions
	if len(stay) != 2 || stay[0].ResponseError.Code != "unexpectedError" ||
		stay[1].ResponseError.Code != "launchTemplateVersionDoesNotExist" ||
		*stay[1].VersionNumber != 8 {
		t.Errorf("kept %+v", stay)
	}
	if row := do(
		c, c.DescribeLaunchTemplates, &ec2.DescribeLaunchTemplatesInput{},
	).LaunchTemplates[0]; *row.LatestVersionNumber != 2 ||
		*row.DefaultVersionNumber != 1 {
		t.Errorf("template %+v", row)
	}
	if v := do(c, c.CreateLaunchTemplateVersion, &ec2.CreateLaunchTemplateVersionInput{
		LaunchTemplateId: &id, LaunchTemplateData: ofType("t3.large"),
	}).LaunchTemplateVersion; *v.VersionNumber != 4 {
		t.Errorf("the next version is %d", *v.VersionNumber)
	}
	unknown := do(
		c,
		c.DeleteLaunchTemplateVersions,
		&ec2.DeleteLaunchTemplateVersionsInput{LaunchTemplateName: aws.String("none"), Versions: []string{"1"}},
	).UnsuccessfullyDeletedLaunchTemplateVersions
	if len(unknown) != 1 || unknown[0].ResponseError.Code != "launchTemplateNameDoesNotExist" {
		t.Errorf("of an unknown template: %+v", unknown)
	}
	refused(
		c,
		c.DeleteLaunchTemplateVersions,
		&ec2.DeleteLaunchTemplateVersionsInput{LaunchTemplateId: &id, Versions: []string{"2"}, DryRun: aws.Bool(true)},
		"DryRunOperation: Request would have succeeded, but DryRun flag is set.",
	)
	if _, err := c.DeleteLaunchTemplateVersions(
		c.ctx, &ec2.DeleteLaunchTemplateVersionsInput{LaunchTemplateId: &id},
	); code(
		err,
	) != "MissingParameter" {
		t.Errorf("without versions: %v", err)
	}
}

func TestDeleteLaunchTemplateTakesItsVersionsAlong(t *testing.T) {
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
	refused(
		c,
		c.DeleteLaunchTemplate,
		&ec2.DeleteLaunchTemplateInput{LaunchTemplateId: &id},
		"InvalidLaunchTemplateId.NotFound: The specified launch template, with template ID "+id+", does not exist.",
	)
}

func TestAnInstanceTellsTheTemplateThatWouldLaunchIt(t *testing.T) {
	c := newCloud(t)
	image := c.built()
	in := single(image)
	in.UserData, in.TagSpecifications = encoded(3), specification("instance", "a", "1")
	item := do(c, c.RunInstances, in).Instances[0]
	data := do(
		c, c.GetLaunchTemplateData, &ec2.GetLaunchTemplateDataInput{InstanceId: item.InstanceId},
	).LaunchTemplateData
	if *data.ImageId != image || data.InstanceType != "t3.micro" || *data.UserData != *encoded(3) ||
		len(data.NetworkInterfaces) != 1 ||
		*data.NetworkInterfaces[0].SubnetId != *item.SubnetId ||
		len(data.TagSpecifications) != 1 ||
		*data.BlockDeviceMappings[0].DeviceName != "/dev/xvda" {
		t.Errorf("got %+v", data)
	}
	refused(
		c,
		c.GetLaunchTemplateData,
		&ec2.GetLaunchTemplateDataInput{InstanceId: aws.String("i-0123456789abcdef0")},
		"InvalidInstanceID.NotFound: The instance ID 'i-0123456789abcdef0' does not exist",
	)
}
