package ssm_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
)

const (
	reserved = `ValidationException: Parameter name: can't be prefixed with "aws" or "ssm" (case-insensitive).`
	notAPath = `ValidationException: Parameter name: can't be prefixed with "ssm" (case-insensitive). If formed as a ` +
		"path, it can consist of sub-paths divided by slash symbol; each sub-path can be formed as a mix of letters, " +
		"numbers and the following 3 symbols .-_"
)

func TestNamesAreRefusedInAWSsWords(t *testing.T) {
	api, ctx := newAPI(t)
	for name, want := range map[string]string{
		"aws_x":  reserved,
		"SSM_x":  reserved,
		"/awsx":  reserved,
		"/ssm/x": notAPath,
		"/a//b":  notAPath,
		"a b":    notAPath,
		"/AWS/x": "AccessDeniedException: No access to reserved parameter name: /AWS/x.",
	} {
		_, err := api.PutParameter(ctx, &client.PutParameterInput{
			Name: &name, Value: aws.String("1"), Type: types.ParameterTypeString,
		})
		if err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", name, err, want)
		}
	}
	for name, want := range map[string]string{
		"//a//b":   notAPath,
		"a/b":      notAPath,
		"a/b:1":    notAPath,
		"none:2:3": "ParameterNotFound",
		"/none/a":  "ParameterNotFound",
	} {
		_, err := api.GetParameter(ctx, &client.GetParameterInput{Name: &name})
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("get %s: got %v, want %s", name, err, want)
		}
		_, err = api.GetParameters(ctx, &client.GetParametersInput{Names: []string{name}})
		if want == notAPath && (err == nil || err.Error() != want) || want != notAPath && err != nil {
			t.Errorf("get several with %s: got %v", name, err)
		}
	}
}

func TestFiltersAreRefusedInAWSsWords(t *testing.T) {
	api, ctx := newAPI(t)
	long := strings.Repeat("x", 1025)
	for _, c := range []struct {
		want    string
		filters []types.ParameterStringFilter
	}{
		{
			"1 validation error detected: Value 'over 10 chars' at 'parameterFilters.1.member.option' failed to " +
				"satisfy constraint: Member must have length less than or equal to 10",
			[]types.ParameterStringFilter{filter("Name", "over 10 chars")},
		},
		{
			"2 validation errors detected: Value 'over 10 chars' at 'parameterFilters.1.member.option' failed to " +
				"satisfy constraint: Member must have length less than or equal to 10; Value 'key' at " +
				"'parameterFilters.2.member.key' failed to satisfy constraint: Member must satisfy regular " +
				"expression pattern: tag:.+|Name|Type|KeyId|Path|Label|Tier|DataType",
			[]types.ParameterStringFilter{filter("Name", "over 10 chars", "x"), filter("key", "", "x")},
		},
		{
			"1 validation error detected: Value '[" + long + "]' at 'parameterFilters.1.member.values' failed to " +
				"satisfy constraint: Member must satisfy constraint: [Member must have length less than or equal to " +
				"1024, " +
				"Member must have length greater than or equal to 1]",
			[]types.ParameterStringFilter{filter("Name", "", long)},
		},
		{
			"The parameter doesn't meet the parameter name requirements.",
			[]types.ParameterStringFilter{filter("Path", "", "//")},
		},
	} {
		_, err := api.DescribeParameters(ctx, &client.DescribeParametersInput{ParameterFilters: c.filters})
		if err == nil || !strings.HasPrefix(err.Error(), "ValidationException: "+c.want) {
			t.Errorf("got  %v\nwant %s", err, c.want)
		}
	}
	_, err := api.GetParametersByPath(ctx, &client.GetParametersByPathInput{
		Path: aws.String("/"), ParameterFilters: []types.ParameterStringFilter{filter("Name", "", "x")},
	})
	const want = "InvalidFilterKey: The following filter key is not valid: Name. Valid filter keys include: [Type, " +
		"KeyId]."
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
