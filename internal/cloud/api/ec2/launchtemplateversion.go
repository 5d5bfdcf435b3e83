package ec2

import (
	"context"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

type version = *store.LaunchTemplateVersion

// versionAt returns a version of a template by its number, or nil.
func versionAt(r store.Reader, row template, number int64) version {
	found, _ := store.TemplateVersions.Get(r, store.TemplateVersionKey(row.ID, number))
	return found
}

// findVersion returns the version that a request names: a number, $Latest, $Default or
// nothing, which means $Default.
func findVersion(r store.Reader, row template, name string) (version, error) {
	number, err := int64(0), error(nil)
	switch name {
	case "", defaultVersion:
		number = row.Default
	case latestVersion:
		number = row.Latest
	default:
		if number, err = strconv.ParseInt(name, 10, 64); err != nil {
			return nil, invalidValue("version", name, "Valid values are $Latest, $Default and version numbers.")
		}
	}
	if found := versionAt(r, row, number); found != nil {
		return found, nil
	}
	return nil, versionNotFound(row.ID, name)
}

// addVersion stores the next version of a template and the template.
func (a *API) addVersion(
	tx *store.Tx,
	row template,
	data *types.RequestLaunchTemplateData,
	description *string,
) (version, error) {
	text, err := encodeData(data)
	if err != nil {
		return nil, err
	}
	edited := *row
	edited.HighestNumber++
	edited.Latest = edited.HighestNumber
	added := &store.LaunchTemplateVersion{
		TemplateID: row.ID, Region: row.Region, Number: edited.Latest, Description: aws.ToString(description),
		Data: text, CreatedBy: identity.UserARN(row.Region.Account()), Created: a.Now(),
	}
	store.LaunchTemplates.Put(tx, &edited)
	store.TemplateVersions.Put(tx, added)
	return added, nil
}

// CreateLaunchTemplateVersion adds a version to a launch template. With a source
// version, the new version has its data; each parameter of the request replaces the
// source's as a whole.
func (a *API) CreateLaunchTemplateVersion(
	ctx context.Context, in *ec2.CreateLaunchTemplateVersionInput,
) (*ec2.CreateLaunchTemplateVersionOutput, error) {
	based := aws.ToString(in.SourceVersion) != ""
	if isEmptyData(in.LaunchTemplateData) && !based {
		return nil, wire.Errorf(
			"MissingParameter",
			"No launch template data was provided. Launch template data is required to create a launch template "+
				"version.",
		)
	}
	if err := checkData(in.LaunchTemplateData, in.VersionDescription); err != nil {
		return nil, err
	}
	var out *ec2.CreateLaunchTemplateVersionOutput
	err := a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		q := tokenRequest{"CreateLaunchTemplateVersion", in.ClientToken, in, rowExists(tx, store.TemplateVersions)}
		keys, err := a.oncePerToken(tx, region, q, func() ([]string, error) {
			row, err := findTemplate(
				tx, region, in.LaunchTemplateId, in.LaunchTemplateName, "create the template version",
			)
			if err != nil {
				return nil, err
			}
			data := in.LaunchTemplateData
			if based {
				if data, err = dataBasedOn(tx, row, *in.SourceVersion, data); err != nil {
					return nil, err
				}
			}
			added, err := a.addVersion(tx, row, data, in.VersionDescription)
			if err != nil {
				return nil, err
			}
			return []string{store.TemplateVersionKey(added.TemplateID, added.Number)}, nil
		})
		if err != nil {
			return err
		}
		added, _ := store.TemplateVersions.Get(tx, keys[0])
		row, _ := store.LaunchTemplates.Get(tx, added.TemplateID)
		item, err := versionItem(tx, row, added, aws.ToBool(in.ResolveAlias))
		if err != nil {
			return err
		}
		data, err := decodeData(added)
		if err != nil {
			return err
		}
		out = &ec2.CreateLaunchTemplateVersionOutput{LaunchTemplateVersion: &item, Warning: validationWarning(data)}
		return nil
	})
	return out, err
}

func dataBasedOn(
	r store.Reader,
	row template,
	source string,
	data *types.RequestLaunchTemplateData,
) (*types.RequestLaunchTemplateData, error) {
	from, err := findVersion(r, row, source)
	if err != nil {
		return nil, err
	}
	base, err := decodeData(from)
	if err != nil {
		return nil, err
	}
	if data != nil {
		overlay(base, data)
	}
	return base, nil
}

// versionItem describes a version. If resolve is set, it replaces an image alias by
// the image that the alias refers to at present.
func versionItem(r store.Reader, row template, v version, resolve bool) (types.LaunchTemplateVersion, error) {
	data, err := responseData(v)
	if err != nil {
		return types.LaunchTemplateVersion{}, err
	}
	if resolve && data.ImageId != nil {
		id, err := resolveImageAlias(r, row.Region, *data.ImageId)
		if err != nil {
			return types.LaunchTemplateVersion{}, err
		}
		data.ImageId = &id
	}
	return types.LaunchTemplateVersion{
		LaunchTemplateId:   aws.String(row.ID),
		LaunchTemplateName: aws.String(row.Name),
		VersionNumber:      aws.Int64(v.Number),
		VersionDescription: optionalString(v.Description),
		DefaultVersion:     aws.Bool(v.Number == row.Default),
		CreateTime:         aws.Time(v.Created),
		CreatedBy:          aws.String(v.CreatedBy),
		LaunchTemplateData: data,
		Operator:           &types.OperatorResponse{Managed: aws.Bool(false)},
	}, nil
}

// findTemplateVersion returns the launch template and the version that a launch names,
// or nil for both if s is nil.
func findTemplateVersion(
	r store.Reader, region identity.Region, s *types.LaunchTemplateSpecification,
) (template, version, error) {
	if s == nil {
		return nil, nil, nil
	}
	row, err := findTemplate(r, region, s.LaunchTemplateId, s.LaunchTemplateName, "launch instances")
	if err != nil {
		return nil, nil, err
	}
	v, err := findVersion(r, row, aws.ToString(s.Version))
	return row, v, err
}
