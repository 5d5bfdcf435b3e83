package secretsmanager_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/google/go-cmp/cmp"
)

func TestListedSecretsMatchAllFilters(t *testing.T) {
	w := newWorld(t)
	for i, c := range []struct{ name, description, tag string }{
		{"prod/db", "Database of production", "env=prod"},
		{"prod/api", "", "env=prod"},
		{"test/db", "database of tests", "Env=test"},
		{"gone", "", "env=prod"},
	} {
		w.now = w.now.Add(time.Minute)
		key, value, _ := strings.Cut(c.tag, "=")
		if _, err := w.CreateSecret(w.ctx, &client.CreateSecretInput{
			Name: &c.name, Description: &c.description, Tags: []types.Tag{{Key: &key, Value: &value}},
			SecretString: aws.String(c.name), ClientRequestToken: token(i),
		}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.DeleteSecret(w.ctx, &client.DeleteSecretInput{SecretId: aws.String("gone")}); err != nil {
		t.Fatal(err)
	}
	filter := func(key types.FilterNameStringType, values ...string) types.Filter {
		return types.Filter{Key: key, Values: values}
	}
	for _, c := range []struct {
		in   client.ListSecretsInput
		want []string
	}{
		{client.ListSecretsInput{}, []string{"prod/db", "prod/api", "test/db"}},
		{client.ListSecretsInput{IncludePlannedDeletion: aws.Bool(true)},
			[]string{"prod/db", "prod/api", "test/db", "gone"}},
		{client.ListSecretsInput{SortOrder: "desc"}, []string{"test/db", "prod/api", "prod/db"}},
		{client.ListSecretsInput{SortBy: "name"}, []string{"prod/api", "prod/db", "test/db"}},
		{client.ListSecretsInput{Filters: []types.Filter{filter("name", "prod", "none")}},
			[]string{"prod/db", "prod/api"}},
		{client.ListSecretsInput{Filters: []types.Filter{filter("name", "!prod")}}, []string{"test/db"}},
		{client.ListSecretsInput{Filters: []types.Filter{filter("name", "Prod")}}, nil},
		{client.ListSecretsInput{Filters: []types.Filter{filter("description", "DATABASE"), filter("tag-key", "env")}},
			[]string{"prod/db"}},
		{client.ListSecretsInput{Filters: []types.Filter{filter("tag-value", "te")}}, []string{"test/db"}},
		{client.ListSecretsInput{Filters: []types.Filter{filter("all", "DB prod")}}, []string{"prod/db"}},
		{client.ListSecretsInput{Filters: []types.Filter{filter("owning-service", "rds")}}, nil},
	} {
		c.in.MaxResults = aws.Int32(2)
		var got []string
		for {
			out, err := w.ListSecrets(w.ctx, &c.in)
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range out.SecretList {
				got = append(got, *s.Name)
			}
			if c.in.NextToken = out.NextToken; c.in.NextToken == nil {
				break
			}
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%+v: (-want, +got)\n%s", c.in.Filters, diff)
		}
	}
	for _, c := range []struct {
		want string
		in   client.ListSecretsInput
	}{
		{"ValidationException", client.ListSecretsInput{SortBy: "size"}},
		{"ValidationException", client.ListSecretsInput{SortOrder: "up"}},
		{"ValidationException", client.ListSecretsInput{MaxResults: aws.Int32(101)}},
		{"ValidationException", client.ListSecretsInput{Filters: []types.Filter{filter("size", "1")}}},
		{"InvalidParameterException", client.ListSecretsInput{Filters: []types.Filter{filter("name")}}},
		{"InvalidNextTokenException", client.ListSecretsInput{NextToken: aws.String("forged")}},
	} {
		if _, err := w.ListSecrets(w.ctx, &c.in); code(err) != c.want {
			t.Errorf("%+v: got %v, want %s", c.in, err, c.want)
		}
	}
}
