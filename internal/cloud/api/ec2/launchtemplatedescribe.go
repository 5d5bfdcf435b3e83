package ec2

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/wire"
)

// DescribeLaunchTemplates lists launch templates.
func (a *API) DescribeLaunchTemplates(
	ctx context.Context, in *ec2.DescribeLaunchTemplatesInput,
) (*ec2.DescribeLaunchTemplatesOutput, error) {
	view, region, err := a.read(ctx, in.DryRun)
	if err != nil {
		return nil, err
	}
	pages := pageRequest{in.MaxResults, in.NextToken}
	if err := pages.checkTemplatePage(); err != nil {
		return nil, err
	}
	ids := append([]string{}, in.LaunchTemplateIds...)
	for _, id := range ids {
		if _, err := findTemplate(view, region, &id, nil, "describe the template"); err != nil {
			return nil, anyTemplateNotFound(err)
		}
	}
	for _, name := range in.LaunchTemplateNames {
		row, err := findTemplate(view, region, nil, &name, "describe the template")
		if err != nil {
			return nil, anyTemplateNotFound(err)
		}
		ids = append(ids, row.ID)
	}
	rows, _, err := launchTemplates.describe(view, region, describeQuery{ids: ids, filters: in.Filters})
	if err != nil {
		return nil, err
	}
	rows, next, err := paginate(pages, rows, launchTemplates.id)
	if err != nil {
		return nil, err
	}
	return &ec2.DescribeLaunchTemplatesOutput{
		NextToken:       next,
		LaunchTemplates: list(rows, func(row template) types.LaunchTemplate { return *templateItem(row) }),
	}, nil
}

// anyTemplateNotFound returns a not-found error in the words of
// DescribeLaunchTemplates, which does not say which template is unknown. It returns
// other errors unchanged.
func anyTemplateNotFound(err error) error {
	if refusal, ok := errors.AsType[*wire.Error](err); ok && refusal.Code != launchTemplates.malformedCode &&
		refusal.Code != "MissingParameter" {
		return wire.Errorf(
			refusal.Code,
			"At least one of the launch templates specified in the request does not exist.",
		)
	}
	return err
}

// checkTemplatePage refuses impossible page sizes of launch templates and their
// versions, whose pages may be smaller than those of other resources.
func (p pageRequest) checkTemplatePage() error {
	if p.max == nil || *p.max >= 1 && *p.max <= maxTemplateResults {
		return nil
	}
	return invalidValue(
		"maxResults", strconv.Itoa(int(*p.max)), fmt.Sprintf("It must be from 1 to %d.", maxTemplateResults),
	)
}
