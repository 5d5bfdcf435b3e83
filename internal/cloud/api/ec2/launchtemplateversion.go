package ec2

import (
	"context"
	"errors"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

type version = *store.LaunchTemplateVersion

// versionAt returns a version of a template by its number, or nil.
func versionAt(r store.Reader, row template, number int64) version {
	found, _ := store.TemplateVersions.Get(r, store.TemplateVersionKey(row.ID, number))
	return found
}

// versionOf finds the version of a template that a word means: a number,
// $Latest, $Default or nothing, which means the default one too.
func versionOf(r store.Reader, row template, word string) (version, error) {
	number, err := int64(0), error(nil)
	switch word {
	case "", defaultVersion:
		number = row.Default
	case latestVersion:
		number = row.Latest
	default:
		if number, err = strconv.ParseInt(word, 10, 64); err != nil {
			return nil, invalidValue("version", word, "Valid values are $Latest, $Default and version numbers.")
		}
	}
	if found := versionAt(r, row, number); found != nil {
		return found, nil
	}
	return nil, wire.Errorf(
		"InvalidLaunchTemplateId.VersionNotFound",
		"Could not find the specified version %s for the launch template with ID %s.",
		word,
		row.ID,
	)
}

// addVersion writes the next version of a template, and the template with it.
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
	edited.Given++
	edited.Latest = edited.Given
	added := &store.LaunchTemplateVersion{
		TemplateID: row.ID, Region: row.Region, Number: edited.Latest, Description: aws.ToString(description),
		Data: text, CreatedBy: templateCreator, Created: a.Now(),
	}
	store.LaunchTemplates.Put(tx, &edited)
	store.TemplateVersions.Put(tx, added)
	return added, nil
}

// CreateLaunchTemplateVersion adds a version to a launch template. With a source
// version it starts from that one's data, each parameter of which is replaced
// as a whole when the request has it.
func (a *API) CreateLaunchTemplateVersion(ctx context.Context, in *ec2.CreateLaunchTemplateVersionInput) (*ec2.CreateLaunchTemplateVersionOutput, error) {
	based := aws.ToString(in.SourceVersion) != ""
	if emptyData(in.LaunchTemplateData) && !based {
		return nil, wire.Errorf(
			"MissingParameter",
			"No launch template data was provided. Launch template data is required to create a launch template version.",
		)
	}
	if err := checkData(in.LaunchTemplateData, in.VersionDescription); err != nil {
		return nil, err
	}
	var out *ec2.CreateLaunchTemplateVersionOutput
	err := a.change(ctx, in.DryRun, func(tx *store.Tx, region string) error {
		exists := func(key string) bool { _, ok := store.TemplateVersions.Get(tx, key); return ok }
		keys, err := a.once(
			tx,
			region,
			"CreateLaunchTemplateVersion",
			in.ClientToken,
			in,
			exists,
			func() ([]string, error) {
				row, err := templateOf(
					tx, region, in.LaunchTemplateId, in.LaunchTemplateName, "create the template version",
				)
				if err != nil {
					return nil, err
				}
				data := in.LaunchTemplateData
				if based {
					if data, err = basedOn(tx, row, *in.SourceVersion, data); err != nil {
						return nil, err
					}
				}
				added, err := a.addVersion(tx, row, data, in.VersionDescription)
				if err != nil {
					return nil, err
				}
				return []string{store.TemplateVersionKey(added.TemplateID, added.Number)}, nil
			},
		)
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
		out = &ec2.CreateLaunchTemplateVersionOutput{LaunchTemplateVersion: &item, Warning: warningOf(data)}
		return nil
	})
	return out, err
}

func basedOn(
	r store.Reader,
	row template,
	source string,
	data *types.RequestLaunchTemplateData,
) (*types.RequestLaunchTemplateData, error) {
	from, err := versionOf(r, row, source)
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

// versionItem is a version as answers show it. resolve shows the image that an
// alias stands for at present.
func versionItem(r store.Reader, row template, v version, resolve bool) (types.LaunchTemplateVersion, error) {
	data, err := answerData(v)
	if err != nil {
		return types.LaunchTemplateVersion{}, err
	}
	if resolve && data.ImageId != nil {
		id, err := imageID(r, row.Region, *data.ImageId)
		if err != nil {
			return types.LaunchTemplateVersion{}, err
		}
		data.ImageId = &id
	}
	return types.LaunchTemplateVersion{
		LaunchTemplateId:   aws.String(row.ID),
		LaunchTemplateName: aws.String(row.Name), VersionNumber: aws.Int64(v.Number),
		VersionDescription: optional(v.Description),
		DefaultVersion:     aws.Bool(v.Number == row.Default),
		CreateTime:         aws.Time(v.Created), CreatedBy: aws.String(v.CreatedBy), LaunchTemplateData: data,
		Operator: &types.OperatorResponse{Managed: aws.Bool(false)},
	}, nil
}

// DeleteLaunchTemplateVersions removes versions of a launch template, and tells
// of each whether it is gone. The default version stays. That and a template or
// version that does not exist are told version by version (Amazon EC2 API
// Reference, DeleteLaunchTemplateVersions and ResponseError).
func (a *API) DeleteLaunchTemplateVersions(ctx context.Context, in *ec2.DeleteLaunchTemplateVersionsInput) (*ec2.DeleteLaunchTemplateVersionsOutput, error) {
	numbers, err := versionNumbers(in.Versions)
	if err != nil {
		return nil, err
	}
	out := &ec2.DeleteLaunchTemplateVersionsOutput{
		SuccessfullyDeletedLaunchTemplateVersions:   []types.DeleteLaunchTemplateVersionsResponseSuccessItem{},
		UnsuccessfullyDeletedLaunchTemplateVersions: []types.DeleteLaunchTemplateVersionsResponseErrorItem{},
	}
	return out, a.change(ctx, in.DryRun, func(tx *store.Tx, region string) error {
		row, err := templateOf(tx, region, in.LaunchTemplateId, in.LaunchTemplateName, "delete the template versions")
		absent := absence(err)
		if err != nil && absent == nil {
			return err
		}
		id, name := in.LaunchTemplateId, in.LaunchTemplateName
		if row != nil {
			id, name = aws.String(row.ID), aws.String(row.Name)
		}
		for _, number := range numbers {
			refusal := absent
			if row != nil {
				refusal = deleteVersion(tx, row, number)
			}
			if refusal != nil {
				out.UnsuccessfullyDeletedLaunchTemplateVersions = append(
					out.UnsuccessfullyDeletedLaunchTemplateVersions,
					types.DeleteLaunchTemplateVersionsResponseErrorItem{
						LaunchTemplateId: id, LaunchTemplateName: name, VersionNumber: aws.Int64(number),
						ResponseError: refusal,
					},
				)
				continue
			}
			out.SuccessfullyDeletedLaunchTemplateVersions = append(
				out.SuccessfullyDeletedLaunchTemplateVersions,
				types.DeleteLaunchTemplateVersionsResponseSuccessItem{
					LaunchTemplateId: id, LaunchTemplateName: name, VersionNumber: aws.Int64(number),
				},
			)
		}
		return nil
	})
}

func versionNumbers(words []string) ([]int64, error) {
	switch {
	case len(words) == 0:
		return nil, missing("LaunchTemplateVersion")
	case len(words) > maxVersionsDeleted:
		return nil, wire.Errorf(
			"InvalidParameterValue",
			"The maximum number of launch template versions in one request is %d",
			maxVersionsDeleted,
		)
	}
	numbers := make([]int64, 0, len(words))
	for _, word := range words {
		number, err := strconv.ParseInt(word, 10, 64)
		if err != nil {
			return nil, invalidValue("LaunchTemplateVersion", word, "It must be a version number.")
		}
		numbers = append(numbers, number)
	}
	return numbers, nil
}

// absence is the refusal of a template that does not exist as an item of an
// answer, or nil if err is another one.
func absence(err error) *types.ResponseError {
	codes := map[string]types.LaunchTemplateErrorCode{
		"InvalidLaunchTemplateId.NotFound":            types.LaunchTemplateErrorCodeLaunchTemplateIdDoesNotExist,
		"InvalidLaunchTemplateId.Malformed":           types.LaunchTemplateErrorCodeLaunchTemplateIdMalformed,
		"InvalidLaunchTemplateName.NotFoundException": types.LaunchTemplateErrorCodeLaunchTemplateNameDoesNotExist,
	}
	if refusal, ok := errors.AsType[*wire.Error](err); ok && codes[refusal.Code] != "" {
		return &types.ResponseError{Code: codes[refusal.Code], Message: aws.String(refusal.Message)}
	}
	return nil
}

// deleteVersion removes a version, or tells why it stays. When the latest one
// goes, the latest of those left takes its place; no number is given twice.
func deleteVersion(tx *store.Tx, row template, number int64) *types.ResponseError {
	switch {
	case number == row.Default:
		return &types.ResponseError{
			Code: types.LaunchTemplateErrorCodeUnexpectedError,
			Message: aws.String(
				"You can't delete the default version of a launch template; you must first assign a different version as the default.",
			),
		}
	case versionAt(tx, row, number) == nil:
		return &types.ResponseError{
			Code:    types.LaunchTemplateErrorCodeLaunchTemplateVersionDoesNotExist,
			Message: aws.String("The launch template version does not exist."),
		}
	}
	store.TemplateVersions.Delete(tx, store.TemplateVersionKey(row.ID, number))
	left := store.TemplateVersions.By(tx, "template", row.ID)
	store.LaunchTemplates.Edit(tx, row.ID, func(row template) { row.Latest = left[len(left)-1].Number })
	return nil
}
