package ec2

import (
	"context"
	"errors"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// DeleteLaunchTemplateVersions deletes versions of a launch template and reports the
// result of each. It does not delete the default version. Unknown templates and
// versions are reported version by version (Amazon EC2 API Reference,
// DeleteLaunchTemplateVersions and ResponseError).
func (a *API) DeleteLaunchTemplateVersions(
	ctx context.Context, in *ec2.DeleteLaunchTemplateVersionsInput,
) (*ec2.DeleteLaunchTemplateVersionsOutput, error) {
	numbers, err := versionNumbers(in.Versions)
	if err != nil {
		return nil, err
	}
	out := &ec2.DeleteLaunchTemplateVersionsOutput{
		SuccessfullyDeletedLaunchTemplateVersions:   []types.DeleteLaunchTemplateVersionsResponseSuccessItem{},
		UnsuccessfullyDeletedLaunchTemplateVersions: []types.DeleteLaunchTemplateVersionsResponseErrorItem{},
	}
	return out, a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		row, err := findTemplate(tx, region, in.LaunchTemplateId, in.LaunchTemplateName, "delete the template versions")
		absent := notFoundItem(err)
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

func versionNumbers(texts []string) ([]int64, error) {
	switch {
	case len(texts) == 0:
		return nil, missingParameter("LaunchTemplateVersion")
	case len(texts) > maxVersionsDeleted:
		return nil, wire.Errorf(
			"InvalidParameterValue",
			"The maximum number of launch template versions in one request is %d", maxVersionsDeleted,
		)
	}
	numbers := make([]int64, 0, len(texts))
	for _, text := range texts {
		number, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return nil, invalidValue("LaunchTemplateVersion", text, "It must be a version number.")
		}
		numbers = append(numbers, number)
	}
	return numbers, nil
}

// notFoundItem returns the error of an unknown template in the form of an item of a
// response, or nil if err is another error.
func notFoundItem(err error) *types.ResponseError {
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

// deleteVersion deletes a version or returns the reason why it cannot. If it deletes
// the latest version, the latest remaining one takes its place. Numbers are not
// reused.
func deleteVersion(tx *store.Tx, row template, number int64) *types.ResponseError {
	switch {
	case number == row.Default:
		return &types.ResponseError{
			Code: types.LaunchTemplateErrorCodeUnexpectedError,
			Message: aws.String(
				"You can't delete the default version of a launch template; you must first assign a different " +
					"version as the default.",
			),
		}
	case versionAt(tx, row, number) == nil:
		return &types.ResponseError{
			Code:    types.LaunchTemplateErrorCodeLaunchTemplateVersionDoesNotExist,
			Message: aws.String("The launch template version does not exist."),
		}
	}
	store.TemplateVersions.Delete(tx, store.TemplateVersionKey(row.ID, number))
	left := store.TemplateVersionsByTemplate.List(tx, row.ID)
	store.LaunchTemplates.Edit(tx, row.ID, func(row template) { row.Latest = left[len(left)-1].Number })
	return nil
}
