package ssm

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"aloft.dev/aloft/internal/cloud/api/page"
	"aloft.dev/aloft/internal/cloud/store"
)

// maxByPath is both the largest page and the default.
const maxByPath = 10

// pageTokens starts the tokens of the API's pages.
const pageTokens page.Prefix = "ssm-after:"

// GetParametersByPath returns the parameters directly below a path or, if Recursive is
// set, all parameters below it.
func (a *API) GetParametersByPath(
	ctx context.Context, in *ssm.GetParametersByPathInput,
) (*ssm.GetParametersByPathOutput, error) {
	path := aws.ToString(in.Path)
	if err := checkPath(path); err != nil {
		return nil, err
	}
	limit := int32(maxByPath)
	if in.MaxResults != nil {
		limit = *in.MaxResults
	}
	if limit < 1 || limit > maxByPath {
		return nil, model.OutOfRange("maxResults", int64(limit), 1, maxByPath)
	}
	if err := byPathFilters.check(in.ParameterFilters); err != nil {
		return nil, err
	}
	last, ok := pageTokens.Last(in.NextToken)
	if !ok {
		return nil, invalidToken()
	}
	view, region, err := a.read(ctx)
	if err != nil {
		return nil, err
	}
	out := &ssm.GetParametersByPathOutput{Parameters: []types.Parameter{}}
	rows := store.Parameters.InRegion(view, region)
	if strings.HasPrefix(path+"/", store.PublicPath) {
		rows = store.Parameters.InRegion(view, region.Own())
	}
	for _, row := range rows {
		if row.Name <= last || !isBelow(path, row.Name, aws.ToBool(in.Recursive)) {
			continue
		}
		row, ok := matchingVersion(row, in.ParameterFilters)
		if !ok {
			continue
		}
		if len(out.Parameters) == int(limit) {
			out.NextToken = pageTokens.Token(*out.Parameters[limit-1].Name)
			break
		}
		parameter, err := a.parameterItem(row, "", in.WithDecryption)
		if err != nil {
			return nil, err
		}
		out.Parameters = append(out.Parameters, parameter)
	}
	return out, nil
}

// checkPath refuses paths that cannot contain parameters.
func checkPath(path string) error {
	if strings.HasPrefix(path, "/") && nameForm.MatchString(path) && !strings.Contains(path, "//") {
		return nil
	}
	return model.Errorf(
		"The parameter doesn't meet the parameter name requirements. The parameter name must begin with a " +
			"forward slash \"/\". It can't be prefixed with \"aws\" or \"ssm\" (case-insensitive). It must use " +
			"only letters, numbers, or the following symbols: . (period), - (hyphen), _ (underscore). " +
			"Special characters are not allowed. All sub-paths, if specified, must use the forward slash " +
			"symbol \"/\". Valid example: /get/parameters2-/by1./path0_.",
	)
}

// isBelow reports whether a parameter is below a path. A public parameter is only below
// paths that start with /aws/service, so "/" does not contain it.
func isBelow(path, name string, recursive bool) bool {
	if store.IsPublicParameter(name) && !strings.HasPrefix(path, strings.TrimSuffix(store.PublicPath, "/")) {
		return false
	}
	path = strings.TrimSuffix(path, "/") + "/"
	if !strings.HasPrefix(name, "/") {
		name = "/" + name
	}
	rest, ok := strings.CutPrefix(name, path)
	return ok && rest != "" && (recursive || !strings.Contains(rest, "/"))
}
