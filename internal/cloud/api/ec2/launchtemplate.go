package ec2

import (
	"context"
	"regexp"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

type template = *store.LaunchTemplate

var launchTemplates = resourceType[store.LaunchTemplate]{
	table: store.LaunchTemplates, kind: types.ResourceTypeLaunchTemplate, prefix: "lt-",
	notFoundCode: "InvalidLaunchTemplateId.NotFound", notFoundText: "The launchTemplate ID",
	malformedCode: "InvalidLaunchTemplateId.Malformed",
	key:           func(row template) (identity.Region, string) { return row.Region, row.ID },
	tags:          func(row template) *store.Tags { return &row.Tags },
	filters: withTagFilters(func(row template) store.Tags { return row.Tags }, filters[template]{
		"create-time":          field(func(row template) string { return filterTime(row.Created) }),
		"launch-template-name": field(func(row template) string { return row.Name }),
	}),
}

const (
	maxTemplateResults     = 200 // per page (Amazon EC2 API Reference, DescribeLaunchTemplates)
	maxVersionDescription  = 255
	maxVersionsDeleted     = 200
	latestVersion          = "$Latest"
	defaultVersion         = "$Default"
	templateOfInstanceTag  = "aws:ec2launchtemplate:id"
	templateVersionTag     = "aws:ec2launchtemplate:version"
	describeAllVersionsTip = "To describe the launch template data for all your launch templates, " +
		"for ‘--versions’ specify ‘$Latest’, ‘$Default’, or both, and omit ‘--launch-template-id’, " +
		"‘--launch-template-name’, and version numbers. " +
		"To describe the launch template data for a specific launch template, specify " +
		"‘--launch-template-id’ or ‘--launch-template-name’, and for ‘--versions’ specify one or more " +
		"of the following values: ‘$Latest’, ‘$Default’, or one or more version numbers."
)

var templateName = regexp.MustCompile(`^[a-zA-Z0-9().\-/_]{3,128}$`)

func checkTemplateName(name *string) error {
	if err := required(parameter{"LaunchTemplateName", name}); err != nil {
		return err
	}
	if !templateName.MatchString(*name) {
		return wire.Errorf(
			"InvalidLaunchTemplateName.MalformedException",
			"A launch template name must be between 3 and 128 characters, and may contain letters, numbers, and the "+
				"following characters: - ( ) . / _.",
		)
	}
	return nil
}

// findTemplate returns the launch template with the id or the name. One of them must
// be set. action completes the error of a request that sets neither or both: "launch
// instances".
func findTemplate(r store.Reader, region identity.Region, id, name *string, action string) (template, error) {
	byID, byName := aws.ToString(id) != "", aws.ToString(name) != ""
	switch {
	case byID && byName:
		return nil, wire.Errorf(
			"InvalidParameterCombination", "Either provide launch template ID or launch template name to %s.", action,
		)
	case byID:
		if err := launchTemplates.checkID(*id); err != nil {
			return nil, err
		}
		if row, ok := store.LaunchTemplates.Get(r, *id); ok && row.Region == region {
			return row, nil
		}
		return nil, templateIDNotFound(*id)
	case byName:
		if row, ok := templateNamed(r, region, *name); ok {
			return row, nil
		}
		return nil, templateNameNotFound(*name)
	}
	return nil, wire.Errorf(
		"MissingParameter", "Either provide launch template ID or launch template name to %s.", action,
	)
}

func templateNamed(r store.Reader, region identity.Region, name string) (template, bool) {
	rows := store.LaunchTemplatesByName.List(r, region.Key(name))
	if len(rows) == 0 {
		return nil, false
	}
	return rows[0], true
}

// CreateLaunchTemplate creates a launch template and its first version. The resources
// that its data names need not exist: a launch looks them up.
func (a *API) CreateLaunchTemplate(
	ctx context.Context, in *ec2.CreateLaunchTemplateInput,
) (*ec2.CreateLaunchTemplateOutput, error) {
	if err := checkTemplateName(in.LaunchTemplateName); err != nil {
		return nil, err
	}
	if err := supportOnly(in.Operator); err != nil {
		return nil, err
	}
	if isEmptyData(in.LaunchTemplateData) {
		return nil, wire.Errorf(
			"MissingParameter",
			"No launch template data was provided. Launch template data is required to create a launch template.",
		)
	}
	if err := checkData(in.LaunchTemplateData, in.VersionDescription); err != nil {
		return nil, err
	}
	tags, err := tagsOfSpecifications(in.TagSpecifications, types.ResourceTypeLaunchTemplate)
	if err != nil {
		return nil, err
	}
	var out *ec2.CreateLaunchTemplateOutput
	err = a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		q := tokenRequest{operation: "CreateLaunchTemplate", token: in.ClientToken, input: in}
		row, err := launchTemplates.createOnce(a, tx, region, q, func() (*store.LaunchTemplate, error) {
			if _, taken := templateNamed(tx, region, *in.LaunchTemplateName); taken {
				return nil, wire.Errorf(
					"InvalidLaunchTemplateName.AlreadyExistsException",
					"Launch template name already in use.",
				)
			}
			if err := a.limitLaunchTemplates(tx, region); err != nil {
				return nil, err
			}
			row := &store.LaunchTemplate{
				ID: a.ids.ID(launchTemplates.prefix), Region: region, Name: *in.LaunchTemplateName, Default: 1,
				CreatedBy: identity.UserARN(region.Account()), Created: a.Now(),
				Tags: tags[types.ResourceTypeLaunchTemplate],
			}
			if _, err := a.addVersion(tx, row, in.LaunchTemplateData, in.VersionDescription); err != nil {
				return nil, err
			}
			return row, nil
		})
		if err != nil {
			return err
		}
		out = &ec2.CreateLaunchTemplateOutput{
			LaunchTemplate: templateItem(row),
			Warning:        validationWarning(in.LaunchTemplateData),
		}
		return nil
	})
	return out, err
}

func templateItem(row template) *types.LaunchTemplate {
	return &types.LaunchTemplate{
		LaunchTemplateId:     aws.String(row.ID),
		LaunchTemplateName:   aws.String(row.Name),
		CreateTime:           aws.Time(row.Created),
		CreatedBy:            aws.String(row.CreatedBy),
		DefaultVersionNumber: aws.Int64(row.Default),
		LatestVersionNumber:  aws.Int64(row.Latest),
		Operator:             &types.OperatorResponse{Managed: aws.Bool(false)},
		Tags:                 tagSet(row.Tags),
	}
}

// ModifyLaunchTemplate sets the default version.
func (a *API) ModifyLaunchTemplate(
	ctx context.Context, in *ec2.ModifyLaunchTemplateInput,
) (*ec2.ModifyLaunchTemplateOutput, error) {
	if err := required(parameter{"DefaultVersion", in.DefaultVersion}); err != nil {
		return nil, err
	}
	var out *ec2.ModifyLaunchTemplateOutput
	err := a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		q := tokenRequest{"ModifyLaunchTemplate", in.ClientToken, in, rowExists(tx, store.LaunchTemplates)}
		ids, err := a.oncePerToken(tx, region, q, func() ([]string, error) {
			row, err := findTemplate(tx, region, in.LaunchTemplateId, in.LaunchTemplateName, "modify the template")
			if err != nil {
				return nil, err
			}
			number, err := strconv.ParseInt(*in.DefaultVersion, 10, 64)
			if err != nil || versionAt(tx, row, number) == nil {
				return nil, wire.Errorf(
					"InvalidLaunchTemplateId.VersionNotFound",
					"The launch template version %s is not found for the specified launch template.",
					*in.DefaultVersion,
				)
			}
			store.LaunchTemplates.Edit(tx, row.ID, func(row template) { row.Default = number })
			return []string{row.ID}, nil
		})
		if err != nil {
			return err
		}
		row, _ := store.LaunchTemplates.Get(tx, ids[0])
		out = &ec2.ModifyLaunchTemplateOutput{LaunchTemplate: templateItem(row)}
		return nil
	})
	return out, err
}

// DeleteLaunchTemplate deletes a launch template and all its versions. Its users
// notice at their next launch.
func (a *API) DeleteLaunchTemplate(
	ctx context.Context, in *ec2.DeleteLaunchTemplateInput,
) (*ec2.DeleteLaunchTemplateOutput, error) {
	var out *ec2.DeleteLaunchTemplateOutput
	err := a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		row, err := findTemplate(tx, region, in.LaunchTemplateId, in.LaunchTemplateName, "delete the template")
		if err != nil {
			return err
		}
		for _, version := range store.TemplateVersionsByTemplate.List(tx, row.ID) {
			store.TemplateVersions.Delete(tx, store.TemplateVersionKey(version.TemplateID, version.Number))
		}
		store.LaunchTemplates.Delete(tx, row.ID)
		out = &ec2.DeleteLaunchTemplateOutput{LaunchTemplate: templateItem(row)}
		return nil
	})
	return out, err
}
