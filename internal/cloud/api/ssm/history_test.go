package ssm_test

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/ssm"
)

func TestEarlierVersionsRemainReadable(t *testing.T) {
	api, ctx := newAPI(t)
	for i := 1; i <= 3; i++ {
		putSecret(t, api, ctx, "/a", fmt.Sprint("value ", i))
	}
	for i := 1; i <= 3; i++ {
		got, err := api.GetParameter(ctx, &client.GetParameterInput{
			Name: aws.String(fmt.Sprint("/a:", i)), WithDecryption: aws.Bool(true),
		})
		if err != nil || *got.Parameter.Value != fmt.Sprint("value ", i) || got.Parameter.Version != int64(i) {
			t.Errorf("version %d: got %+v, error %v", i, got, err)
		}
	}
	_, err := api.GetParameter(ctx, &client.GetParameterInput{Name: aws.String("/a:4")})
	if code(err) != "ParameterVersionNotFound" {
		t.Errorf("a version that does not exist: got %v", err)
	}
}

func TestHistoryHasPagesFromTheOldestVersion(t *testing.T) {
	api, ctx := newAPI(t)
	for i := range 102 {
		putSecret(t, api, ctx, "/a", fmt.Sprint(i))
	}
	in := &client.GetParameterHistoryInput{
		Name: aws.String("a"), MaxResults: aws.Int32(30), WithDecryption: aws.Bool(true),
	}
	var versions []int64
	for {
		out, err := api.GetParameterHistory(ctx, in)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range out.Parameters {
			versions = append(versions, v.Version)
			if *v.Value != fmt.Sprint(v.Version-1) || *v.KeyId != "alias/aws/ssm" || *v.Name != "/a" ||
				*v.LastModifiedUser != "arn:aws:iam::000000000000:user/aloft" {
				t.Errorf("version %d: got %+v", v.Version, v)
			}
		}
		if in.NextToken = out.NextToken; in.NextToken == nil {
			break
		}
	}
	if len(versions) != 100 || versions[0] != 3 || versions[99] != 102 {
		t.Errorf("got versions %v, want 3 to 102", versions)
	}
	for want, in := range map[string]client.GetParameterHistoryInput{
		"ParameterNotFound":   {Name: aws.String("/none")},
		"InvalidNextToken":    {Name: aws.String("/a"), NextToken: aws.String("forged")},
		"ValidationException": {Name: aws.String("/a"), MaxResults: aws.Int32(51)},
	} {
		if _, err := api.GetParameterHistory(ctx, &in); code(err) != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
