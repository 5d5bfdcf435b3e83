package ec2

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

func TestAVersionInheritsFromItsSource(t *testing.T) {
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
	wantError(c, c.CreateLaunchTemplateVersion,
		&ec2.CreateLaunchTemplateVersionInput{
			LaunchTemplateId:   &id,
			LaunchTemplateData: ofType("t3.nano"),
			SourceVersion:      aws.String("7"),
		},
		"InvalidLaunchTemplateId.VersionNotFound: Could not find the specified version 7 for the launch template "+
			"with ID "+id+".")
	wantError(c, c.CreateLaunchTemplateVersion,
		&ec2.CreateLaunchTemplateVersionInput{LaunchTemplateId: &id},
		"MissingParameter: No launch template data was provided. Launch template data is required to create a launch "+
			"template version.")
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
	do(c, c.ModifyLaunchTemplate,
		&ec2.ModifyLaunchTemplateInput{LaunchTemplateId: &web, DefaultVersion: aws.String("2")})
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
	all := do(c, c.DescribeLaunchTemplateVersions,
		&ec2.DescribeLaunchTemplateVersionsInput{Versions: []string{"$Latest", "$Default"}}).LaunchTemplateVersions
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
			"InvalidLaunchTemplateId.VersionNotFound: Could not find the specified version 3 for the launch template " +
				"with ID " + web + ".",
		},
		{
			ec2.DescribeLaunchTemplateVersionsInput{LaunchTemplateName: aws.String("web"), Versions: []string{"3"}},
			"InvalidLaunchTemplateId.VersionNotFound: Could not find the specified version 3 for the launch template " +
				"with ID " + web + ".",
		},
		{
			ec2.DescribeLaunchTemplateVersionsInput{LaunchTemplateName: aws.String("no")},
			"InvalidLaunchTemplateName.NotFoundException: The specified launch template, with template name no, does " +
				"not exist.",
		},
		{
			ec2.DescribeLaunchTemplateVersionsInput{LaunchTemplateId: aws.String("lt-0123456789abcdef0")},
			"InvalidLaunchTemplateId.NotFound: The specified launch template, with template ID lt-0123456789abcdef0, " +
				"does not exist.",
		},
		{
			ec2.DescribeLaunchTemplateVersionsInput{LaunchTemplateId: &web, LaunchTemplateName: aws.String("web")},
			"InvalidParameterCombination: Either provide launch template ID or launch template name to describe the " +
				"template versions.",
		},
		{
			ec2.DescribeLaunchTemplateVersionsInput{LaunchTemplateId: &web, MinVersion: aws.String("x")},
			"InvalidParameterValue: Value (x) for parameter minVersion is invalid. It must be a version number.",
		},
	} {
		wantError(c, c.DescribeLaunchTemplateVersions, &test.in, test.want)
	}
}

func TestDeletedVersionNumbersAreNotReused(t *testing.T) {
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
	if row := do(c, c.DescribeLaunchTemplates,
		&ec2.DescribeLaunchTemplatesInput{}).LaunchTemplates[0]; *row.LatestVersionNumber != 2 ||
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
		t.Errorf("unknown template: %+v", unknown)
	}
	wantError(c, c.DeleteLaunchTemplateVersions,
		&ec2.DeleteLaunchTemplateVersionsInput{LaunchTemplateId: &id, Versions: []string{"2"}, DryRun: aws.Bool(true)},
		"DryRunOperation: Request would have succeeded, but DryRun flag is set.")
	if _, err := c.DeleteLaunchTemplateVersions(
		c.ctx, &ec2.DeleteLaunchTemplateVersionsInput{LaunchTemplateId: &id},
	); code(err) != "MissingParameter" {
		t.Errorf("without versions: %v", err)
	}
}
