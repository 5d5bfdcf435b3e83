package ssm_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"aloft.dev/aloft/internal/cloud/api/ssm"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/seal"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

const alias = "/aws/service/debian/release/12/latest/amd64"

func newAPI(t *testing.T) (*ssm.API, context.Context) {
	t.Helper()
	s, err := store.Open("")
	if err != nil {
		t.Fatal(err)
	}
	api := ssm.New(ssm.Config{
		Store: s,
		Key:   seal.NewRandomKey(),
		Now:   func() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) },
		EnsureRegion: func(region identity.Region) error {
			return s.Update(func(tx *store.Tx) error {
				store.Parameters.Put(tx, &store.Parameter{
					Region:   region,
					Name:     alias,
					Type:     "String",
					Value:    "ami-01234567",
					DataType: "aws:ec2:image",
					Version:  1,
				})
				return nil
			})
		},
	})
	return api, wire.WithCaller(context.Background(), wire.Caller{Region: "us-east-1"})
}

func put(t *testing.T, api *ssm.API, ctx context.Context, name, value string) {
	t.Helper()
	if _, err := api.PutParameter(ctx, &client.PutParameterInput{
		Name: &name, Value: &value, Type: types.ParameterTypeString,
	}); err != nil {
		t.Fatal(err)
	}
}

func code(err error) string {
	if refusal, ok := errors.AsType[*wire.Error](err); ok {
		return refusal.Code
	}
	return fmt.Sprint(err)
}

func TestOneOfManyConcurrentCallersCreatesAParameter(t *testing.T) {
	api, ctx := newAPI(t)
	var group sync.WaitGroup
	results := make(chan error, 20)
	for i := range 20 {
		group.Go(func() {
			_, err := api.PutParameter(ctx, &client.PutParameterInput{
				Name:  aws.String("/aloft/lock"),
				Value: aws.String(fmt.Sprint(i)),
				Type:  types.ParameterTypeString,
			})
			results <- err
		})
	}
	group.Wait()
	close(results)
	won := 0
	for err := range results {
		if err == nil {
			won++
		} else if code(err) != "ParameterAlreadyExists" {
			t.Error(err)
		}
	}
	if won != 1 {
		t.Errorf("%d of 20 callers created the parameter, want 1", won)
	}
}

func TestEachOverwriteCreatesAVersion(t *testing.T) {
	api, ctx := newAPI(t)
	put(t, api, ctx, "/app/a", "1")
	out, err := api.PutParameter(
		ctx,
		&client.PutParameterInput{Name: aws.String("/app/a"), Value: aws.String("2"), Overwrite: aws.Bool(true)},
	)
	if err != nil || out.Version != 2 || out.Tier != types.ParameterTierStandard {
		t.Fatalf("got %+v, error %v", out, err)
	}
	got, err := api.GetParameter(ctx, &client.GetParameterInput{Name: aws.String("/app/a:2")})
	if err != nil {
		t.Fatal(err)
	}
	want := types.Parameter{
		Name: aws.String("/app/a"),
		ARN:  aws.String("arn:aws:ssm:us-east-1:000000000000:parameter/app/a"), Type: "String", Value: aws.String("2"),
		Version:          2,
		DataType:         aws.String("text"),
		LastModifiedDate: aws.Time(time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)), Selector: aws.String(":2"),
	}
	if diff := cmp.Diff(want, *got.Parameter, cmpopts.IgnoreUnexported(types.Parameter{})); diff != "" {
		t.Error(diff)
	}
}

func TestParametersAreFoundByNameAndByARN(t *testing.T) {
	api, ctx := newAPI(t)
	put(t, api, ctx, "flat", "1")
	put(t, api, ctx, "/a/b", "2")
	for name, want := range map[string]string{
		"flat": "1", "/flat": "1", "/a/b": "2", "arn:aws:ssm:us-east-1:000000000000:parameter/flat": "1",
		"arn:aws:ssm:us-east-1:000000000000:parameter/a/b":   "2",
		"arn:aws:ssm:us-east-1:000000000000:parameter/a/b:1": "2", alias: "ami-01234567",
		"arn:aws:ssm:us-east-1::parameter" + alias: "ami-01234567",
	} {
		out, err := api.GetParameter(ctx, &client.GetParameterInput{Name: &name})
		if err != nil || *out.Parameter.Value != want {
			t.Errorf("%s: error %v, want value %s", name, err, want)
		}
	}
	elsewhere := wire.WithCaller(ctx, wire.Caller{Region: "eu-west-1"})
	_, err := api.GetParameter(elsewhere, &client.GetParameterInput{Name: aws.String("/a/b")})
	if code(err) != "ParameterNotFound" {
		t.Errorf("in another region: got %v", err)
	}
}

func TestInvalidParametersAreRefusedWithAWSsCodes(t *testing.T) {
	api, ctx := newAPI(t)
	put(t, api, ctx, "/there", "1")
	long := strings.Repeat("x", 4097)
	for _, c := range []struct {
		want string
		in   client.PutParameterInput
	}{
		{
			"ParameterAlreadyExists",
			client.PutParameterInput{Name: aws.String("/there"), Value: aws.String("2"), Type: "String"},
		},
		{
			"ParameterAlreadyExists",
			client.PutParameterInput{Name: aws.String("there"), Value: aws.String("2"), Type: "String"},
		},
		{
			"AccessDeniedException",
			client.PutParameterInput{Name: aws.String(alias), Value: aws.String("2"), Type: "String"},
		},
		{
			"ValidationException",
			client.PutParameterInput{Name: aws.String("ssm-x"), Value: aws.String("2"), Type: "String"},
		},
		{
			"ValidationException",
			client.PutParameterInput{Name: aws.String("a/b"), Value: aws.String("2"), Type: "String"},
		},
		{
			"ValidationException",
			client.PutParameterInput{Name: aws.String("/a b"), Value: aws.String("2"), Type: "String"},
		},
		{"ValidationException", client.PutParameterInput{Name: aws.String("/a"), Value: aws.String("2")}},
		{"ValidationException", client.PutParameterInput{Name: aws.String("/a"), Type: "String"}},
		{"ValidationException", client.PutParameterInput{Name: aws.String("/a"), Value: &long, Type: "String"}},
		{
			"HierarchyLevelLimitExceededException",
			client.PutParameterInput{
				Name: aws.String(strings.Repeat("/x", 16)), Value: aws.String("2"), Type: "String",
			},
		},
		{
			"ParameterPatternMismatchException",
			client.PutParameterInput{
				Name: aws.String("/a"), Value: aws.String("x"), Type: "String", AllowedPattern: aws.String(`^\d+$`),
			},
		},
		{
			"ValidationException",
			client.PutParameterInput{
				Name: aws.String("/a"), Value: aws.String("x"), Overwrite: aws.Bool(true),
				Tags: []types.Tag{{Key: aws.String("k"), Value: aws.String("v")}},
			},
		},
	} {
		if _, err := api.PutParameter(ctx, &c.in); code(err) != c.want {
			t.Errorf("%v %v: got %v, want %s", aws.ToString(c.in.Name), c.in.Type, err, c.want)
		}
	}
	if _, err := api.PutParameter(ctx, &client.PutParameterInput{
		Name: aws.String("/a"), Value: &long, Type: "String", Tier: "Intelligent-Tiering",
	}); err != nil {
		t.Errorf("a long value in the advanced tier: got %v", err)
	}
}

func byPath(t *testing.T, api *ssm.API, ctx context.Context, in client.GetParametersByPathInput) (names []string) {
	t.Helper()
	for {
		out, err := api.GetParametersByPath(ctx, &in)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range out.Parameters {
			names = append(names, *p.Name)
		}
		if out.NextToken == nil {
			return names
		}
		in.NextToken = out.NextToken
	}
}

func TestAPathContainsItsChildrenAndRecursivelyItsDescendants(t *testing.T) {
	api, ctx := newAPI(t)
	for _, name := range []string{"/app/a", "/app/b", "/app/deep/c", "/apple", "flat"} {
		put(t, api, ctx, name, "1")
	}
	for _, c := range []struct {
		in   client.GetParametersByPathInput
		want []string
	}{
		{client.GetParametersByPathInput{Path: aws.String("/app")}, []string{"/app/a", "/app/b"}},
		{client.GetParametersByPathInput{Path: aws.String("/app/")}, []string{"/app/a", "/app/b"}},
		{
			client.GetParametersByPathInput{
				Path: aws.String("/app"), Recursive: aws.Bool(true), MaxResults: aws.Int32(1),
			},
			[]string{"/app/a", "/app/b", "/app/deep/c"},
		},
		{client.GetParametersByPathInput{Path: aws.String("/")}, []string{"/apple", "flat"}},
		{
			client.GetParametersByPathInput{Path: aws.String("/"), Recursive: aws.Bool(true)},
			[]string{"/app/a", "/app/b", "/app/deep/c", "/apple", "flat"},
		},
		{
			client.GetParametersByPathInput{Path: aws.String("/aws/service/debian"), Recursive: aws.Bool(true)},
			[]string{alias},
		},
		{
			client.GetParametersByPathInput{
				Path: aws.String("/app"),
				ParameterFilters: []types.ParameterStringFilter{
					{Key: aws.String("Type"), Values: []string{"StringList"}},
				},
			},
			nil,
		},
	} {
		if diff := cmp.Diff(c.want, byPath(t, api, ctx, c.in)); diff != "" {
			t.Errorf("%s recursive %v: %s", *c.in.Path, aws.ToBool(c.in.Recursive), diff)
		}
	}
	for want, in := range map[string]client.GetParametersByPathInput{
		"InvalidFilterKey": {Path: aws.String("/"), ParameterFilters: []types.ParameterStringFilter{
			{Key: aws.String("Name"), Values: []string{"x"}},
		}},
		"InvalidNextToken":    {Path: aws.String("/"), NextToken: aws.String("forged")},
		"ValidationException": {Path: aws.String("app")},
	} {
		if _, err := api.GetParametersByPath(ctx, &in); code(err) != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestReadingAndDeletingParametersListsUnknownNames(t *testing.T) {
	api, ctx := newAPI(t)
	put(t, api, ctx, "/a", "1")
	got, err := api.GetParameters(ctx, &client.GetParametersInput{Names: []string{"/a", "/gone"}})
	if err != nil || len(got.Parameters) != 1 || !cmp.Equal(got.InvalidParameters, []string{"/gone"}) {
		t.Errorf("read %+v, error %v", got, err)
	}
	deleted, err := api.DeleteParameters(ctx, &client.DeleteParametersInput{Names: []string{"/a", "/gone", alias}})
	if err != nil || !cmp.Equal(deleted.DeletedParameters, []string{"/a"}) ||
		!cmp.Equal(deleted.InvalidParameters, []string{alias, "/gone"}) {
		t.Errorf("deleted %+v, error %v", deleted, err)
	}
	_, err = api.DeleteParameter(ctx, &client.DeleteParameterInput{Name: aws.String("/a")})
	if code(err) != "ParameterNotFound" {
		t.Errorf("a second deletion: got %v", err)
	}
}

func TestParameterTags(t *testing.T) {
	api, ctx := newAPI(t)
	put(t, api, ctx, "/a", "1")
	tag := func(k, v string) types.Tag { return types.Tag{Key: &k, Value: &v} }
	if _, err := api.AddTagsToResource(ctx, &client.AddTagsToResourceInput{
		ResourceType: "Parameter", ResourceId: aws.String("a"), Tags: []types.Tag{tag("x", "1"), tag("y", "2")},
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := api.RemoveTagsFromResource(ctx, &client.RemoveTagsFromResourceInput{
		ResourceType: "Parameter", ResourceId: aws.String("/a"), TagKeys: []string{"x"},
	}); err != nil {
		t.Fatal(err)
	}
	out, err := api.ListTagsForResource(
		ctx,
		&client.ListTagsForResourceInput{ResourceType: "Parameter", ResourceId: aws.String("/a")},
	)
	if err != nil || len(out.TagList) != 1 || *out.TagList[0].Key != "y" {
		t.Errorf("got %+v, error %v", out, err)
	}
}
