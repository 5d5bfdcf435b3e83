package ssm

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
)

// maxNames limits the parameters that one request names.
const maxNames = 10

// parameterItem describes a parameter. selector is the version with which the request
// selected it, ":3", or empty.
func (a *API) parameterItem(row *store.Parameter, selector string, decrypt *bool) (types.Parameter, error) {
	value, err := a.value(row, decrypt)
	if err != nil {
		return types.Parameter{}, err
	}
	out := types.Parameter{
		Name:             aws.String(row.Name),
		ARN:              aws.String(arnOf(row)),
		Type:             types.ParameterType(row.Type),
		Value:            aws.String(value),
		DataType:         aws.String(row.DataType),
		Version:          row.Version,
		LastModifiedDate: aws.Time(row.Modified),
	}
	if selector != "" {
		out.Selector = &selector
	}
	return out, nil
}

// findVersion returns the parameter with a name or an ARN, which a colon and a version
// or a label may follow, and the selector that follows.
func findVersion(
	r store.Reader, region identity.Region, text string,
) (row *store.Parameter, selector string, err error) {
	name := text
	// An ARN contains five colons.
	if colons := strings.Count(text, ":"); colons == 1 || colons == 6 {
		i := strings.LastIndex(text, ":")
		name, selector = text[:i], text[i+1:]
	}
	row, ok := findParameter(r, region, name)
	if !ok {
		return nil, "", notFound()
	}
	if selector == "" {
		return row, "", nil
	}
	version, err := strconv.ParseInt(selector, 10, 64)
	if err != nil {
		labelled, err := labelledVersion(row, selector)
		return labelled, ":" + selector, err
	}
	for _, v := range versions(row) {
		if v.Version == version {
			return v, ":" + selector, nil
		}
	}
	return nil, "", versionNotFound(row, version)
}

// GetParameter returns a parameter.
func (a *API) GetParameter(ctx context.Context, in *ssm.GetParameterInput) (*ssm.GetParameterOutput, error) {
	if aws.ToString(in.Name) == "" {
		return nil, model.Empty("name")
	}
	if err := checkPathForm(*in.Name); err != nil {
		return nil, err
	}
	if isSecret(*in.Name) {
		parameter, err := a.secretItem(ctx, *in.Name, in.WithDecryption)
		return &ssm.GetParameterOutput{Parameter: parameter}, err
	}
	view, region, err := a.read(ctx)
	if err != nil {
		return nil, err
	}
	row, selector, err := findVersion(view, region, *in.Name)
	if err != nil {
		return nil, err
	}
	parameter, err := a.parameterItem(row, selector, in.WithDecryption)
	if err != nil {
		return nil, err
	}
	return &ssm.GetParameterOutput{Parameter: &parameter}, nil
}

// GetParameters returns the parameters with the names and lists the names that it does
// not find.
func (a *API) GetParameters(ctx context.Context, in *ssm.GetParametersInput) (*ssm.GetParametersOutput, error) {
	if err := checkNames(in.Names); err != nil {
		return nil, err
	}
	for _, name := range in.Names {
		if err := checkPathForm(name); err != nil {
			return nil, err
		}
	}
	view, region, err := a.read(ctx)
	if err != nil {
		return nil, err
	}
	out := &ssm.GetParametersOutput{Parameters: []types.Parameter{}, InvalidParameters: []string{}}
	for _, name := range unique(in.Names) {
		if isSecret(name) {
			parameter, err := a.secretItem(ctx, name, in.WithDecryption)
			switch {
			case isNotFound(err):
				out.InvalidParameters = append(out.InvalidParameters, name)
			case err != nil:
				return nil, err
			default:
				out.Parameters = append(out.Parameters, *parameter)
			}
			continue
		}
		row, selector, err := findVersion(view, region, name)
		if err != nil {
			out.InvalidParameters = append(out.InvalidParameters, name)
			continue
		}
		parameter, err := a.parameterItem(row, selector, in.WithDecryption)
		if err != nil {
			return nil, err
		}
		out.Parameters = append(out.Parameters, parameter)
	}
	return out, nil
}

func checkNames(names []string) error {
	return model.ListSize("names", names, maxNames)
}

func unique(names []string) []string {
	sorted := slices.Clone(names)
	slices.Sort(sorted)
	return slices.Compact(sorted)
}
