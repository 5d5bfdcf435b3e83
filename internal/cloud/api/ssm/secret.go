package ssm

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"aloft.dev/aloft/internal/cloud/wire"
)

// SecretsPath is the prefix of the names by which a secret can be read like a parameter (AWS Systems Manager User
// Guide, "Referencing AWS Secrets Manager secrets from Parameter Store parameters").
const SecretsPath = "/aws/reference/secretsmanager/"

// Secrets are those of Secrets Manager.
type Secrets interface {
	GetSecretValue(
		ctx context.Context, in *secretsmanager.GetSecretValueInput,
	) (*secretsmanager.GetSecretValueOutput, error)
}

func isSecret(name string) bool { return strings.HasPrefix(name, SecretsPath) }

// secretItem describes a secret as a parameter. text is SecretsPath, the secret's name, and perhaps a colon and the ID
// or a stage of a version.
func (a *API) secretItem(ctx context.Context, text string, decrypt *bool) (*types.Parameter, error) {
	if !aws.ToBool(decrypt) {
		return nil, model.Errorf("WithDecryption flag must be True for retrieving a Secret Manager secret.")
	}
	name, version, selected := strings.Cut(text, ":")
	secret, err := a.secret(ctx, strings.TrimPrefix(name, SecretsPath), version)
	if err != nil {
		refusal, ok := errors.AsType[*wire.Error](err)
		if ok && (refusal.Code == "ResourceNotFoundException" || refusal.Code == "InvalidRequestException") {
			return nil, wire.Errorf(
				"ParameterNotFound", "An error occurred (ParameterNotFound) when referencing Secrets Manager: Secret "+
					"%s not found.", text,
			)
		}
		return nil, err
	}
	if secret.SecretString == nil {
		return nil, unsupported("parameters for secrets whose values are no texts")
	}
	source, err := json.Marshal(map[string]any{
		"ARN": secret.ARN, "Name": secret.Name, "VersionId": secret.VersionId, "SecretString": secret.SecretString,
		"VersionStages": secret.VersionStages, "CreatedDate": float64(secret.CreatedDate.UnixMilli()) / 1000,
	})
	if err != nil {
		return nil, err
	}
	out := &types.Parameter{
		Name: &name, ARN: secret.ARN, Type: types.ParameterTypeSecureString, Value: secret.SecretString,
		DataType: aws.String("text"), LastModifiedDate: secret.CreatedDate, SourceResult: aws.String(string(source)),
	}
	if selected {
		out.Selector = aws.String(":" + version)
	}
	return out, nil
}

// secret returns the value of a secret: its current version, or the one with an ID or a stage.
func (a *API) secret(ctx context.Context, name, version string) (*secretsmanager.GetSecretValueOutput, error) {
	switch {
	case a.Secrets == nil:
		return nil, wire.Errorf("ResourceNotFoundException", "There are no secrets.")
	case version == "":
		return a.Secrets.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &name})
	}
	in := &secretsmanager.GetSecretValueInput{SecretId: &name, VersionStage: &version}
	if out, err := a.Secrets.GetSecretValue(ctx, in); err == nil {
		return out, nil
	}
	return a.Secrets.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &name, VersionId: &version})
}

func isNotFound(err error) bool {
	refusal, ok := errors.AsType[*wire.Error](err)
	return ok && refusal.Code == "ParameterNotFound"
}
