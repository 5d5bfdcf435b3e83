package ssm_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	client "github.com/aws/aws-sdk-go-v2/service/ssm"

	"aloft.dev/aloft/internal/cloud/api/ssm"
	"aloft.dev/aloft/internal/cloud/wire"
)

// secrets has one secret. The keys are its stages and the IDs of its versions.
type secrets map[string]string

func (s secrets) GetSecretValue(
	_ context.Context, in *secretsmanager.GetSecretValueInput,
) (*secretsmanager.GetSecretValueOutput, error) {
	value, ok := s[aws.ToString(in.VersionStage)+aws.ToString(in.VersionId)]
	if *in.SecretId != "db" || !ok {
		return nil, wire.Errorf("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
	}
	return &secretsmanager.GetSecretValueOutput{
		ARN: aws.String("arn:of:db"), Name: in.SecretId, SecretString: &value, VersionId: aws.String("v"),
		CreatedDate: aws.Time(time.UnixMilli(1500)),
	}, nil
}

func TestSecretsAreReadLikeParameters(t *testing.T) {
	api, ctx := newAPI(t)
	api.Secrets = secrets{"": "new", "AWSPREVIOUS": "old", "an-id": "older"}
	for _, c := range []struct {
		name    string
		decrypt bool
		want    string // the value or the error
	}{
		{"db", true, "new"},
		{"db:AWSPREVIOUS", true, "old"},
		{"db:an-id", true, "older"},
		{
			"db", false,
			"ValidationException: WithDecryption flag must be True for retrieving a Secret Manager secret.",
		},
		{
			"none", true,
			"ParameterNotFound: An error occurred (ParameterNotFound) when referencing Secrets Manager: Secret " +
				"/aws/reference/secretsmanager/none not found.",
		},
		{
			"db:none", true,
			"ParameterNotFound: An error occurred (ParameterNotFound) when referencing Secrets Manager: Secret " +
				"/aws/reference/secretsmanager/db:none not found.",
		},
	} {
		out, err := api.GetParameter(ctx, &client.GetParameterInput{
			Name: aws.String(ssm.SecretsPath + c.name), WithDecryption: &c.decrypt,
		})
		if err != nil {
			if err.Error() != c.want {
				t.Errorf("%s: got %v, want %s", c.name, err, c.want)
			}
			continue
		}
		p := out.Parameter
		_, version, selected := strings.Cut(c.name, ":")
		if *p.Value != c.want || *p.Name != ssm.SecretsPath+"db" || p.Version != 0 || p.Type != "SecureString" ||
			!strings.Contains(*p.SourceResult, `"Name":"db"`) || selected != (p.Selector != nil) ||
			selected && *p.Selector != ":"+version {
			t.Errorf("%s: got %+v", c.name, p)
		}
	}
	out, err := api.GetParameters(ctx, &client.GetParametersInput{
		Names: []string{ssm.SecretsPath + "db", ssm.SecretsPath + "none"}, WithDecryption: aws.Bool(true),
	})
	if err != nil || len(out.Parameters) != 1 || len(out.InvalidParameters) != 1 {
		t.Errorf("got %+v, %v", out, err)
	}
}
