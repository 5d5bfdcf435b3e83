package resource

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

var launchTemplateKind = kind{
	name:   stack.KindLaunchTemplate,
	find:   listed((*Cloud).launchTemplates),
	create: created((*Provisioner).createLaunchTemplate),
	update: updated((*Provisioner).updateLaunchTemplate),
	remove: (*Provisioner).deleteLaunchTemplate,
}

type launchTemplateAPI interface {
	DescribeLaunchTemplates(
		context.Context, *ec2.DescribeLaunchTemplatesInput, ...func(*ec2.Options),
	) (*ec2.DescribeLaunchTemplatesOutput, error)
	DescribeLaunchTemplateVersions(
		context.Context, *ec2.DescribeLaunchTemplateVersionsInput, ...func(*ec2.Options),
	) (*ec2.DescribeLaunchTemplateVersionsOutput, error)
	CreateLaunchTemplate(
		context.Context, *ec2.CreateLaunchTemplateInput, ...func(*ec2.Options),
	) (*ec2.CreateLaunchTemplateOutput, error)
	CreateLaunchTemplateVersion(
		context.Context, *ec2.CreateLaunchTemplateVersionInput, ...func(*ec2.Options),
	) (*ec2.CreateLaunchTemplateVersionOutput, error)
	ModifyLaunchTemplate(
		context.Context, *ec2.ModifyLaunchTemplateInput, ...func(*ec2.Options),
	) (*ec2.ModifyLaunchTemplateOutput, error)
	DeleteLaunchTemplate(
		context.Context, *ec2.DeleteLaunchTemplateInput, ...func(*ec2.Options),
	) (*ec2.DeleteLaunchTemplateOutput, error)
}

// versionID identifies a version of a launch template: "lt-…/3". Found resources
// refer to a launch template by it.
func versionID(template, version string) string { return template + "/" + version }

func formatVersion(n int64) string { return strconv.FormatInt(n, 10) }

func splitVersionID(id string) (template, version string) {
	template, version, _ = strings.Cut(id, "/")
	return template, version
}

// launchTemplates returns the launch templates, each described by its default
// version.
func (c *Cloud) launchTemplates(ctx context.Context) ([]plan.Found, error) {
	list, err := collect(
		ctx,
		ec2.NewDescribeLaunchTemplatesPaginator(c.EC2, &ec2.DescribeLaunchTemplatesInput{Filters: c.tagged()}),
		func(page *ec2.DescribeLaunchTemplatesOutput) []types.LaunchTemplate { return page.LaunchTemplates },
	)
	if err != nil {
		return nil, fmt.Errorf("list launch templates: %w", err)
	}
	var all []plan.Found
	for _, t := range list {
		version := formatVersion(aws.ToInt64(t.DefaultVersionNumber))
		versions, err := c.EC2.DescribeLaunchTemplateVersions(ctx, &ec2.DescribeLaunchTemplateVersionsInput{
			LaunchTemplateId: t.LaunchTemplateId, Versions: []string{version},
		})
		if awsapi.IsNotFound(err) {
			continue // it was deleted since it was listed
		}
		if err != nil {
			return nil, fmt.Errorf("read launch template %s: %w", aws.ToString(t.LaunchTemplateName), err)
		}
		f := foundByTags(stack.KindLaunchTemplate, t.LaunchTemplateId, t.Tags)
		f.Status.TagIDs = []string{f.ID}
		f.ID, f.Name = versionID(f.ID, version), aws.ToString(t.LaunchTemplateName)
		for _, v := range versions.LaunchTemplateVersions {
			describeTemplateData(&f, v.LaunchTemplateData)
		}
		all = append(all, f)
	}
	return all, nil
}

func describeTemplateData(f *plan.Found, d *types.ResponseLaunchTemplateData) {
	if d == nil {
		return
	}
	f.Set(stack.AttrImage, aws.ToString(d.ImageId))
	f.Set(stack.AttrType, string(d.InstanceType))
	f.Set(stack.AttrKeyPair, cmp.Or(aws.ToString(d.KeyName), stack.NoKeyPair))
	groups, public := d.SecurityGroupIds, false
	for _, i := range d.NetworkInterfaces {
		groups, public = append(groups, i.Groups...), aws.ToBool(i.AssociatePublicIpAddress)
	}
	f.Set(stack.AttrSecurityGroups, groups...)
	f.Set(stack.AttrPublicAddresses, onOff(public))
	f.Set(stack.AttrMetadata, "not limited")
	if m := d.MetadataOptions; m != nil && m.HttpTokens == types.LaunchTemplateHttpTokensStateRequired {
		f.Set(stack.AttrMetadata, stack.MetadataIMDSv2)
	}
	f.Set(stack.AttrMonitoring, "basic, every five minutes")
	if d.Monitoring != nil && aws.ToBool(d.Monitoring.Enabled) {
		f.Set(stack.AttrMonitoring, stack.MonitoringDetailed)
	}
	if profile := d.IamInstanceProfile; profile != nil {
		f.Set(stack.AttrProfile, cmp.Or(aws.ToString(profile.Name), profileName(aws.ToString(profile.Arn))))
	}
	for _, s := range d.TagSpecifications {
		if s.ResourceType == types.ResourceTypeInstance {
			if env := tagValue(s.Tags, stack.TagEnvironment); env != "" {
				f.Set(stack.AttrEnvironment, env)
			}
			f.Set(stack.AttrRelease, tagValue(s.Tags, stack.TagRelease))
		}
	}
}

// templateData returns the contents of a version. Instances and their disks have
// their tags from the start; the group itself gives instances those that the spec asks for.
func (p *Provisioner) templateData(r stack.Resource, body stack.LaunchTemplate) *types.RequestLaunchTemplateData {
	tags := ec2Tags([]tag{
		{stack.TagApp, p.App},
		{stack.TagAddress, stack.AddressMember},
		{stack.TagRelease, body.Release},
		{stack.TagName, p.App + "-server"},
	})
	if body.Private {
		tags = append(tags, ec2Tags([]tag{{stack.TagPrivate, stack.Yes}})...)
	}
	if env := p.environment(body.Identity); env != "" {
		tags = append(tags, ec2Tags([]tag{{stack.TagEnvironment, env}})...)
	}
	data := &types.RequestLaunchTemplateData{
		ImageId:      p.id(body.Image),
		InstanceType: types.InstanceType(body.Type),
		KeyName:      optional(body.KeyName),
		NetworkInterfaces: []types.LaunchTemplateInstanceNetworkInterfaceSpecificationRequest{{
			DeviceIndex: aws.Int32(0), Groups: p.ids(body.Groups),
			AssociatePublicIpAddress: aws.Bool(!body.Private), DeleteOnTermination: aws.Bool(true),
		}},
		Monitoring: &types.LaunchTemplatesMonitoringRequest{Enabled: aws.Bool(true)},
		MetadataOptions: &types.LaunchTemplateInstanceMetadataOptionsRequest{
			HttpTokens:   types.LaunchTemplateHttpTokensStateRequired,
			HttpEndpoint: types.LaunchTemplateInstanceMetadataEndpointStateEnabled,
		},
		TagSpecifications: []types.LaunchTemplateTagSpecificationRequest{
			{ResourceType: types.ResourceTypeInstance, Tags: tags},
			{ResourceType: types.ResourceTypeVolume, Tags: slices.Concat(tags, ec2Tags(userTags(r.Tags)))},
		},
	}
	if len(r.Tags) > 0 {
		data.TagSpecifications = append(data.TagSpecifications, types.LaunchTemplateTagSpecificationRequest{
			ResourceType: types.ResourceTypeNetworkInterface, Tags: ec2Tags(userTags(r.Tags)),
		})
	}
	if body.UserData != "" {
		data.UserData = encodedUserData(body.UserData)
	}
	if profile := p.profile(body.Identity); profile != "" {
		data.IamInstanceProfile = &types.LaunchTemplateIamInstanceProfileSpecificationRequest{Name: &profile}
	}
	return data
}

// description identifies a version by its contents, so that an existing version is
// found and not created again. A rollback uses the version of the earlier release.
func (p *Provisioner) description(r stack.Resource, body stack.LaunchTemplate) string {
	access := "public"
	if body.Private {
		access = "private"
	}
	contents := append(
		[]string{*p.id(body.Image), body.Type, body.KeyName, body.Release, stack.MonitoringDetailed, access},
		p.ids(body.Groups)...,
	)
	if profile, env := p.profile(body.Identity), p.environment(body.Identity); profile != "" || env != "" {
		contents = append(contents, "profile "+profile, env)
	}
	contents = append(contents, stack.TagTexts(r.Tags)...)
	if body.UserData != "" {
		contents = append(contents, body.UserData)
	}
	sum := sha256.Sum256([]byte(strings.Join(contents, "\n")))
	return fmt.Sprintf("release %s, %s", body.Release, hex.EncodeToString(sum[:6]))
}

func (p *Provisioner) createLaunchTemplate(
	ctx context.Context,
	r stack.Resource,
	body stack.LaunchTemplate,
) (plan.Found, error) {
	if err := p.waitImageAvailable(ctx, r.Address, *p.id(body.Image)); err != nil {
		return plan.Found{}, err
	}
	var out *ec2.CreateLaunchTemplateOutput
	err := retryEventual(ctx, "create launch template "+body.TemplateName, func(ctx context.Context) (err error) {
		out, err = p.EC2.CreateLaunchTemplate(ctx, &ec2.CreateLaunchTemplateInput{
			LaunchTemplateName: &body.TemplateName,
			LaunchTemplateData: p.templateData(r, body),
			VersionDescription: aws.String(p.description(r, body)),
			TagSpecifications:  tagSpecifications(p.tags(r), types.ResourceTypeLaunchTemplate),
		})
		return err
	})
	if awsapi.IsExists(err) {
		return plan.Found{}, nameTaken(r, "a launch template", body.TemplateName, err)
	}
	if err != nil {
		return plan.Found{}, err
	}
	f := foundByTags(stack.KindLaunchTemplate, out.LaunchTemplate.LaunchTemplateId, out.LaunchTemplate.Tags)
	f.Status.TagIDs = []string{f.ID}
	f.ID, f.Name = versionID(f.ID, "1"), body.TemplateName
	return f, nil
}

// updateLaunchTemplate makes the desired version the default one. Auto Scaling
// groups refer to versions by number, so it does not affect them.
func (p *Provisioner) updateLaunchTemplate(
	ctx context.Context,
	r stack.Resource,
	body stack.LaunchTemplate,
	current plan.Found,
) error {
	if err := p.waitImageAvailable(ctx, r.Address, *p.id(body.Image)); err != nil {
		return err
	}
	template, _ := splitVersionID(current.ID)
	version, err := p.ensureVersion(ctx, template, r, body)
	if err != nil {
		return err
	}
	what := fmt.Sprintf("make version %s the default of launch template %s", version, current.Name)
	err = retryEventual(ctx, what, func(ctx context.Context) error {
		_, err := p.EC2.ModifyLaunchTemplate(ctx, &ec2.ModifyLaunchTemplateInput{
			LaunchTemplateId: &template, DefaultVersion: &version,
		})
		return err
	})
	if err != nil {
		return err
	}
	current.ID = versionID(template, version)
	p.SetKnown(r.Address, current)
	return nil
}

// ensureVersion returns the version with the desired contents, which it creates if
// there is none.
func (p *Provisioner) ensureVersion(
	ctx context.Context, template string, r stack.Resource, body stack.LaunchTemplate,
) (string, error) {
	description := p.description(r, body)
	in := &ec2.DescribeLaunchTemplateVersionsInput{LaunchTemplateId: &template}
	versions, err := collect(
		ctx,
		ec2.NewDescribeLaunchTemplateVersionsPaginator(p.EC2, in),
		func(page *ec2.DescribeLaunchTemplateVersionsOutput) []types.LaunchTemplateVersion {
			return page.LaunchTemplateVersions
		},
	)
	if err != nil {
		return "", fmt.Errorf("list the versions of launch template %s: %w", body.TemplateName, err)
	}
	existing := ""
	for _, v := range versions {
		if aws.ToString(v.VersionDescription) == description {
			existing = formatVersion(aws.ToInt64(v.VersionNumber))
		}
	}
	if existing != "" {
		return existing, nil
	}
	var out *ec2.CreateLaunchTemplateVersionOutput
	what := "create a version of launch template " + body.TemplateName
	err = retryEventual(ctx, what, func(ctx context.Context) (err error) {
		out, err = p.EC2.CreateLaunchTemplateVersion(ctx, &ec2.CreateLaunchTemplateVersionInput{
			LaunchTemplateId:   &template,
			LaunchTemplateData: p.templateData(r, body),
			VersionDescription: &description,
		})
		return err
	})
	if err != nil {
		return "", err
	}
	return formatVersion(aws.ToInt64(out.LaunchTemplateVersion.VersionNumber)), nil
}

func (p *Provisioner) deleteLaunchTemplate(ctx context.Context, f plan.Found) error {
	template, _ := splitVersionID(f.ID)
	_, err := p.EC2.DeleteLaunchTemplate(ctx, &ec2.DeleteLaunchTemplateInput{LaunchTemplateId: &template})
	return ignoreNotFound("delete launch template "+f.Name, err)
}
