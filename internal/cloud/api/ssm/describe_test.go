package ssm_test

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/google/go-cmp/cmp"

	"aloft.dev/aloft/internal/cloud/api/ssm"
)

func filter(key, option string, values ...string) types.ParameterStringFilter {
	f := types.ParameterStringFilter{Key: &key, Values: values}
	if option != "" {
		f.Option = &option
	}
	return f
}

func described(t *testing.T, api *ssm.API, ctx context.Context, in client.DescribeParametersInput) (names []string) {
	t.Helper()
	for {
		out, err := api.DescribeParameters(ctx, &in)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range out.Parameters {
			names = append(names, *p.Name)
		}
		if in.NextToken = out.NextToken; in.NextToken == nil {
			return names
		}
	}
}

func TestDescribedParametersMatchAllFilters(t *testing.T) {
	api, ctx := newAPI(t)
	put(t, api, ctx, "flat", "1")
	put(t, api, ctx, "/app/deep/name", "1")
	put(t, api, ctx, "/app/list", "1")
	putSecret(t, api, ctx, "/app/password", "1")
	if _, err := api.AddTagsToResource(ctx, &client.AddTagsToResourceInput{
		ResourceType: "Parameter", ResourceId: aws.String("/app/list"),
		Tags: []types.Tag{{Key: aws.String("env"), Value: aws.String("prod")}},
	}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		filters []types.ParameterStringFilter
		want    []string
	}{
		{nil, []string{"/app/deep/name", "/app/list", "/app/password", "flat"}},
		{[]types.ParameterStringFilter{filter("Name", "", "/flat", "app/list")},
			[]string{"/app/list", "flat"}},
		{[]types.ParameterStringFilter{filter("Name", "Contains", "pp/l")}, []string{"/app/list"}},
		{[]types.ParameterStringFilter{filter("Name", "BeginsWith", "app/")},
			[]string{"/app/deep/name", "/app/list", "/app/password"}},
		{[]types.ParameterStringFilter{filter("Path", "", "/app")}, []string{"/app/list", "/app/password"}},
		{[]types.ParameterStringFilter{filter("Path", "Recursive", "/app"), filter("Type", "", "String")},
			[]string{"/app/deep/name", "/app/list"}},
		{[]types.ParameterStringFilter{filter("KeyId", "BeginsWith", "alias/")}, []string{"/app/password"}},
		{[]types.ParameterStringFilter{filter("tag:env", "", "prod", "test")}, []string{"/app/list"}},
		{[]types.ParameterStringFilter{filter("tag:other", "", "prod")}, nil},
		{[]types.ParameterStringFilter{filter("Tier", "", "Advanced")}, nil},
		{[]types.ParameterStringFilter{filter("DataType", "", "text"), filter("Name", "", "flat")}, []string{"flat"}},
	} {
		in := client.DescribeParametersInput{ParameterFilters: c.filters, MaxResults: aws.Int32(2)}
		if diff := cmp.Diff(c.want, described(t, api, ctx, in)); diff != "" {
			t.Errorf("%+v: (-want, +got)\n%s", c.filters, diff)
		}
	}
	shared := client.DescribeParametersInput{Shared: aws.Bool(true)}
	if got := described(t, api, ctx, shared); len(got) > 0 {
		t.Errorf("shared with this account: got %v", got)
	}
}

func TestADescriptionHasNoValue(t *testing.T) {
	api, ctx := newAPI(t)
	if _, err := api.PutParameter(ctx, &client.PutParameterInput{
		Name: aws.String("/a"), Value: aws.String("x"), Type: "SecureString", Description: aws.String("the a"),
		AllowedPattern: aws.String("x+"),
	}); err != nil {
		t.Fatal(err)
	}
	out, err := api.DescribeParameters(ctx, &client.DescribeParametersInput{})
	if err != nil {
		t.Fatal(err)
	}
	got := out.Parameters[0]
	if *got.ARN != "arn:aws:ssm:us-east-1:000000000000:parameter/a" || *got.KeyId != "alias/aws/ssm" ||
		*got.Description != "the a" || *got.AllowedPattern != "x+" || got.Version != 1 || got.Tier != "Standard" ||
		*got.LastModifiedUser != "arn:aws:iam::000000000000:user/aloft" || got.LastModifiedDate.Year() != 2026 {
		t.Errorf("got %+v", got)
	}
}

func TestInvalidFiltersAreRefusedWithAWSsCodes(t *testing.T) {
	api, ctx := newAPI(t)
	for _, c := range []struct {
		want    string
		filters []types.ParameterStringFilter
	}{
		{"ValidationException", []types.ParameterStringFilter{filter("key", "", "x")}},
		{"InvalidFilterKey", []types.ParameterStringFilter{filter("Label", "", "x")}},
		{"InvalidFilterKey", []types.ParameterStringFilter{filter("Name", "", "x"), filter("Name", "", "y")}},
		{"InvalidFilterValue", []types.ParameterStringFilter{filter("Name", "")}},
		{"InvalidFilterOption", []types.ParameterStringFilter{filter("Name", "Ends", "x")}},
		{"InvalidFilterOption", []types.ParameterStringFilter{filter("Type", "Contains", "String")}},
		{"InvalidFilterOption", []types.ParameterStringFilter{filter("Type", "", "Str")}},
		{"InvalidFilterOption", []types.ParameterStringFilter{filter("Tier", "", "Low")}},
		{"InvalidFilterOption", []types.ParameterStringFilter{filter("Path", "Equals", "/x")}},
		{"ValidationException", []types.ParameterStringFilter{filter("Path", "", "x")}},
		{"ValidationException", []types.ParameterStringFilter{filter("Path", "", "/aws/x")}},
	} {
		_, err := api.DescribeParameters(ctx, &client.DescribeParametersInput{ParameterFilters: c.filters})
		if code(err) != c.want {
			t.Errorf("%s %v: got %v, want %s", *c.filters[0].Key, c.filters[0].Values, err, c.want)
		}
	}
	for want, in := range map[string]client.DescribeParametersInput{
		"InvalidNextToken":    {NextToken: aws.String("forged")},
		"ValidationException": {MaxResults: aws.Int32(51)},
	} {
		if _, err := api.DescribeParameters(ctx, &in); code(err) != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
