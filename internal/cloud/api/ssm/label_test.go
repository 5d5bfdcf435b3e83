package ssm_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
)

func TestLabelsSelectVersionsAndMove(t *testing.T) {
	api, ctx := newAPI(t)
	for i := 1; i <= 3; i++ {
		putSecret(t, api, ctx, "/p/a", fmt.Sprint("value ", i))
	}
	label := func(version *int64, labels ...string) *client.LabelParameterVersionOutput {
		t.Helper()
		out, err := api.LabelParameterVersion(ctx, &client.LabelParameterVersionInput{
			Name: aws.String("/p/a"), ParameterVersion: version, Labels: labels,
		})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	read := func(label string) string {
		out, err := api.GetParameter(ctx, &client.GetParameterInput{
			Name: aws.String("/p/a:" + label), WithDecryption: aws.Bool(true),
		})
		if err != nil {
			return code(err)
		}
		return *out.Parameter.Value + *out.Parameter.Selector
	}
	if out := label(nil, "prod", "new"); out.ParameterVersion != 3 || len(out.InvalidLabels) != 0 {
		t.Errorf("the latest version: got %+v", out)
	}
	label(aws.Int64(1), "prod") // moves
	if prod, latest := read("prod"), read("new"); prod != "value 1:prod" || latest != "value 3:new" {
		t.Errorf("got %s and %s", prod, latest)
	}
	putSecret(t, api, ctx, "/p/a", "value 4")
	if got := read("new"); got != "value 3:new" {
		t.Errorf("after another version: got %s", got)
	}
	bad := []string{"1st", "aws-x", "SSM", "a b"}
	out := label(nil, append(bad, "good")...)
	if !slices.Equal(out.InvalidLabels, bad) || read("good") != "ParameterVersionNotFound" {
		t.Errorf("labels that are not possible: got %+v", out)
	}
	history, err := api.GetParameterHistory(ctx, &client.GetParameterHistoryInput{Name: aws.String("/p/a")})
	if err != nil || !slices.Equal(history.Parameters[0].Labels, []string{"prod"}) ||
		len(history.Parameters[3].Labels) > 0 {
		t.Errorf("history: %+v, %v", history, err)
	}
	found, err := api.GetParametersByPath(ctx, &client.GetParametersByPathInput{
		Path: aws.String("/p"), WithDecryption: aws.Bool(true),
		ParameterFilters: []types.ParameterStringFilter{{Key: aws.String("Label"), Values: []string{"prod"}}},
	})
	if err != nil || len(found.Parameters) != 1 || *found.Parameters[0].Value != "value 1" {
		t.Errorf("by path and label: %+v, %v", found, err)
	}
	removed, err := api.UnlabelParameterVersion(ctx, &client.UnlabelParameterVersionInput{
		Name: aws.String("/p/a"), ParameterVersion: aws.Int64(1), Labels: []string{"prod", "new"},
	})
	if err != nil || !slices.Equal(removed.RemovedLabels, []string{"prod"}) ||
		!slices.Equal(removed.InvalidLabels, []string{"new"}) || read("prod") != "ParameterVersionNotFound" {
		t.Errorf("removed: %+v, %v", removed, err)
	}
}

func TestLabelsAreLimited(t *testing.T) {
	api, ctx := newAPI(t)
	putSecret(t, api, ctx, "/a", "x")
	var ten []string
	for i := range 10 {
		ten = append(ten, fmt.Sprint("l", i))
	}
	for _, c := range []struct {
		version int64
		labels  []string
		want    string
	}{
		{1, ten, ""}, {1, []string{"more"}, "ParameterVersionLabelLimitExceeded"}, {1, ten[:1], ""},
		{2, ten, "ParameterVersionNotFound"}, {1, []string{strings.Repeat("x", 101)}, "ValidationException"},
		{1, nil, "ValidationException"}, {1, append(ten, "more"), "ValidationException"},
	} {
		_, err := api.LabelParameterVersion(ctx, &client.LabelParameterVersionInput{
			Name: aws.String("/a"), ParameterVersion: &c.version, Labels: c.labels,
		})
		if code(err) != c.want && (err != nil || c.want != "") {
			t.Errorf("%q: got %v, want %s", c.labels, err, c.want)
		}
	}
	put := func() error {
		_, err := api.PutParameter(ctx, &client.PutParameterInput{
			Name: aws.String("/a"), Value: aws.String("y"), Overwrite: aws.Bool(true),
		})
		return err
	}
	for range 99 {
		if err := put(); err != nil {
			t.Fatal(err)
		}
	}
	if err := put(); code(err) != "ParameterMaxVersionLimitExceeded" {
		t.Errorf("replace a version with a label: got %v", err)
	}
}

func TestOverwritingChangesTheType(t *testing.T) {
	api, ctx := newAPI(t)
	for _, c := range []struct{ kind, key string }{
		{"String", ""}, {"SecureString", "alias/aws/ssm"}, {"StringList", ""}, {"String", ""},
	} {
		if _, err := api.PutParameter(ctx, &client.PutParameterInput{
			Name: aws.String("/a"), Value: aws.String("x"), Type: types.ParameterType(c.kind),
			Overwrite: aws.Bool(true),
		}); err != nil {
			t.Fatalf("%s: %v", c.kind, err)
		}
		out, err := api.DescribeParameters(ctx, &client.DescribeParametersInput{
			Filters: []types.ParametersFilter{{Key: types.ParametersFilterKeyName, Values: []string{"/a"}}},
		})
		if err != nil || len(out.Parameters) != 1 || string(out.Parameters[0].Type) != c.kind ||
			aws.ToString(out.Parameters[0].KeyId) != c.key {
			t.Errorf("%s: got %+v, %v", c.kind, out, err)
		}
		got, err := api.GetParameter(ctx, &client.GetParameterInput{
			Name: aws.String("/a"), WithDecryption: aws.Bool(true),
		})
		if err != nil || *got.Parameter.Value != "x" {
			t.Errorf("%s: got %+v, %v", c.kind, got, err)
		}
	}
	_, err := api.GetParameter(ctx, &client.GetParameterInput{Name: aws.String("/a:2"), WithDecryption: aws.Bool(true)})
	if err != nil {
		t.Errorf("the encrypted version: %v", err)
	}
}

func TestFiltersByTagKeysAndInOlderForm(t *testing.T) {
	api, ctx := newAPI(t)
	for name, tags := range map[string][]types.Tag{"/a": {{Key: aws.String("k"), Value: aws.String("v")}}, "/b": nil} {
		if _, err := api.PutParameter(ctx, &client.PutParameterInput{
			Name: &name, Value: aws.String("x"), Type: "String", Tags: tags,
		}); err != nil {
			t.Fatal(err)
		}
	}
	byTag := []types.ParameterStringFilter{{Key: aws.String("tag:k")}}
	byName := []types.ParametersFilter{{Key: types.ParametersFilterKeyName, Values: []string{"/b"}}}
	for want, in := range map[string]client.DescribeParametersInput{
		"/a": {ParameterFilters: byTag}, "/b": {Filters: byName},
		"ValidationException": {ParameterFilters: byTag, Filters: byName},
	} {
		out, err := api.DescribeParameters(ctx, &in)
		got := code(err)
		if err == nil && len(out.Parameters) == 1 {
			got = *out.Parameters[0].Name
		}
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
