package resource

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

// versionID names a version of a launch template: "lt-…/3". It is the id by which
// what was found refers to one.
func versionID(template string, version int64) string { return fmt.Sprintf("%s/%d", template, version) }

func splitVersion(id string) (template, version string) {
	template, version, _ = strings.Cut(id, "/")
	return template, version
}

// launchTemplates finds templates, each as its default version: that is the one
// that is wanted.
func (c *Cloud) launchTemplates(ctx context.Context) ([]plan.Found, error) {
	all, err := collect(
		ctx,
		ec2.NewDescribeLaunchTemplatesPaginator(c.EC2, &ec2.DescribeLaunchTemplatesInput{Filters: c.ours()}),
		func(page *ec2.DescribeLaunchTemplatesOutput) []types.LaunchTemplate { return page.LaunchTemplates },
		func(t types.LaunchTemplate) types.LaunchTemplate { return t },
	)
	if err != nil {
		return nil, fmt.Errorf("list launch templates: %w", err)
	}
	var templates []plan.Found
	for _, t := range all {
		number := strconv.FormatInt(aws.ToInt64(t.DefaultVersionNumber), 10)
		list, err := c.EC2.DescribeLaunchTemplateVersions(
			ctx,
			&ec2.DescribeLaunchTemplateVersionsInput{LaunchTemplateId: t.LaunchTemplateId, Versions: []string{number}},
		)
		if awsapi.IsNotFound(err) {
			continue // it has just gone
		}
		if err != nil {
			return nil, fmt.Errorf("read launch template %s: %w", aws.ToString(t.LaunchTemplateName), err)
		}
		f := found(stack.KindLaunchTemplate, t.LaunchTemplateId, t.Tags)
		f.ID, f.Name = versionID(f.ID, aws.ToInt64(t.DefaultVersionNumber)), aws.ToString(t.LaunchTemplateName)
		for _, v := range list.LaunchTemplateVersions {
			describeTemplateData(&f, v.LaunchTemplateData)
		}
		templates = append(templates, f)
	}
	return templates, nil
}

func describeTemplateData(f *plan.Found, d *types.ResponseLaunchTemplateData) {
	if d == nil {
		return
	}
	f.Set("image", aws.ToString(d.ImageId))
	f.Set("type", string(d.InstanceType))
	f.Set("key pair", aws.ToString(d.KeyName))
	f.Set("security groups", d.SecurityGroupIds...)
	f.Set("metadata", "not limited")
	if m := d.MetadataOptions; m != nil && m.HttpTokens == types.LaunchTemplateHttpTokensStateRequired {
		f.Set("metadata", "IMDSv2 only")
	}
	for _, s := range d.TagSpecifications {
		if s.ResourceType == types.ResourceTypeInstance {
			f.Set("release", tag(s.Tags, stack.TagRelease))
		}
	}
}

// templateData is what a version launches. Tags are on the machines and their
// disks from their first moment.
func (s *Site) templateData(body stack.LaunchTemplate) *types.RequestLaunchTemplateData {
	tags := ec2Tags(
		[]pair{
			{stack.TagApp, s.App},
			{stack.TagAddress, stack.AddressMember},
			{stack.TagRelease, body.Release},
			{stack.TagName, s.App + "-server"},
		},
	)
	return &types.RequestLaunchTemplateData{
		ImageId: s.id(
			body.Image,
		), InstanceType: types.InstanceType(body.Type), KeyName: &body.KeyName, SecurityGroupIds: s.ids(body.Groups),
		MetadataOptions: &types.LaunchTemplateInstanceMetadataOptionsRequest{
			HttpTokens: types.LaunchTemplateHttpTokensStateRequired, HttpEndpoint: types.LaunchTemplateInstanceMetadataEndpointStateEnabled,
		},
		TagSpecifications: []types.LaunchTemplateTagSpecificationRequest{
			{
				ResourceType: types.ResourceTypeInstance,
				Tags:         tags,
			}, {ResourceType: types.ResourceTypeVolume, Tags: tags},
		},
	}
}

// description names a version by its content, so that it is found and not made
// twice: a row of machines that goes back to a release goes back to its version.
func (s *Site) description(body stack.LaunchTemplate) string {
	sum := sha256.Sum256(
		[]byte(
			strings.Join(
				append([]string{*s.id(body.Image), body.Type, body.KeyName, body.Release}, s.ids(body.Groups)...),
				"\n",
			),
		),
	)
	return fmt.Sprintf("release %s, %s", body.Release, hex.EncodeToString(sum[:6]))
}

func (s *Site) createLaunchTemplate(
	ctx context.Context,
	r stack.Resource,
	body stack.LaunchTemplate,
) (plan.Found, error) {
	if err := s.imageAvailable(ctx, r.Address, *s.id(body.Image)); err != nil {
		return plan.Found{}, err
	}
	made, err := s.EC2.CreateLaunchTemplate(ctx, &ec2.CreateLaunchTemplateInput{
		LaunchTemplateName: &body.TemplateName, LaunchTemplateData: s.templateData(body), VersionDescription: aws.String(s.description(body)),
		TagSpecifications: tagged(s.tags(r), types.ResourceTypeLaunchTemplate),
	})
	if awsapi.IsExists(err) {
		return plan.Found{}, nameTaken(r, "a launch template", body.TemplateName, err)
	}
	if err != nil {
		return plan.Found{}, fmt.Errorf("create launch template %s: %w", body.TemplateName, err)
	}
	f := found(stack.KindLaunchTemplate, made.LaunchTemplate.LaunchTemplateId, made.LaunchTemplate.Tags)
	f.ID, f.Name = versionID(f.ID, 1), body.TemplateName
	return f, nil
}

// updateLaunchTemplate makes the version that is wanted the default one. What
// uses the template names versions by their numbers and is not touched by it.
func (s *Site) updateLaunchTemplate(
	ctx context.Context,
	r stack.Resource,
	body stack.LaunchTemplate,
	now plan.Found,
) error {
	if err := s.imageAvailable(ctx, r.Address, *s.id(body.Image)); err != nil {
		return err
	}
	template, _ := splitVersion(now.ID)
	wanted := s.description(body)
	versions, err := collect(
		ctx,
		ec2.NewDescribeLaunchTemplateVersionsPaginator(
			s.EC2,
			&ec2.DescribeLaunchTemplateVersionsInput{LaunchTemplateId: &template},
		),
		func(page *ec2.DescribeLaunchTemplateVersionsOutput) []types.LaunchTemplateVersion {
			return page.LaunchTemplateVersions
		},
		func(v types.LaunchTemplateVersion) types.LaunchTemplateVersion { return v },
	)
	if err != nil {
		return fmt.Errorf("list the versions of launch template %s: %w", now.Name, err)
	}
	number := int64(0)
	for _, v := range versions {
		if aws.ToString(v.VersionDescription) == wanted {
			number = aws.ToInt64(v.VersionNumber)
		}
	}
	if number == 0 {
		made, err := s.EC2.CreateLaunchTemplateVersion(
			ctx,
			&ec2.CreateLaunchTemplateVersionInput{
				LaunchTemplateId:   &template,
				LaunchTemplateData: s.templateData(body),
				VersionDescription: &wanted,
			},
		)
		if err != nil {
			return fmt.Errorf("create a version of launch template %s: %w", now.Name, err)
		}
		number = aws.ToInt64(made.LaunchTemplateVersion.VersionNumber)
	}
	err = s.soon(
		ctx,
		fmt.Sprintf("make version %d the default of launch template %s", number, now.Name),
		func(ctx context.Context) error {
			_, err := s.EC2.ModifyLaunchTemplate(
				ctx,
				&ec2.ModifyLaunchTemplateInput{
					LaunchTemplateId: &template,
					DefaultVersion:   aws.String(strconv.FormatInt(number, 10)),
				},
			)
			return err
		},
	)
	if err != nil {
		return err
	}
	now.ID = versionID(template, number)
	s.Know(r.Address, now)
	return nil
}

func (s *Site) deleteLaunchTemplate(ctx context.Context, f plan.Found) error {
	template, _ := splitVersion(f.ID)
	if _, err := s.EC2.DeleteLaunchTemplate(ctx, &ec2.DeleteLaunchTemplateInput{LaunchTemplateId: &template}); err != nil &&
		!awsapi.IsNotFound(err) {
		return fmt.Errorf("delete launch template %s: %w", f.Name, err)
	}
	return nil
}
