package secretsmanager_test

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
)

func TestABatchReturnsValuesAndErrors(t *testing.T) {
	w := newWorld(t)
	w.create("a", "1")
	w.create("b", "2")
	out, err := w.BatchGetSecretValue(w.ctx, &client.BatchGetSecretValueInput{SecretIdList: []string{"a", "none", "b"}})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, v := range out.SecretValues {
		got = append(got, *v.SecretString)
	}
	if !slices.Equal(got, []string{"1", "2"}) {
		t.Errorf("got values %v", got)
	}
	if len(out.Errors) != 1 || *out.Errors[0].SecretId != "none" ||
		*out.Errors[0].ErrorCode != "ResourceNotFoundException" {
		t.Errorf("got errors %+v", out.Errors)
	}
}

func TestABatchOfFiltersHasPages(t *testing.T) {
	w := newWorld(t)
	for _, name := range []string{"a1", "a2", "a3", "b"} {
		w.create(name, name)
	}
	in := &client.BatchGetSecretValueInput{
		Filters: []types.Filter{{Key: "name", Values: []string{"a"}}}, MaxResults: aws.Int32(2),
	}
	var got []string
	for {
		out, err := w.BatchGetSecretValue(w.ctx, in)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range out.SecretValues {
			got = append(got, *v.SecretString)
		}
		if in.NextToken = out.NextToken; in.NextToken == nil {
			break
		}
	}
	if !slices.Equal(got, []string{"a1", "a2", "a3"}) {
		t.Errorf("got %v", got)
	}
	for _, in := range []client.BatchGetSecretValueInput{
		{},
		{SecretIdList: []string{"b"}, Filters: in.Filters},
		{SecretIdList: []string{"b"}, MaxResults: aws.Int32(2)},
	} {
		if _, err := w.BatchGetSecretValue(w.ctx, &in); code(err) != "InvalidParameterException" {
			t.Errorf("%+v: got %v", in, err)
		}
	}
}
