package secretsmanager

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// PutSecretValue adds a version to a secret and moves staging labels to it: AWSCURRENT,
// unless the request names others.
func (a *API) PutSecretValue(
	ctx context.Context, in *secretsmanager.PutSecretValueInput,
) (*secretsmanager.PutSecretValueOutput, error) {
	value := secretValue{in.SecretString, in.SecretBinary}
	if err := checkPut(in, value); err != nil {
		return nil, err
	}
	out := &secretsmanager.PutSecretValueOutput{VersionId: in.ClientRequestToken}
	return out, a.edit(ctx, in.SecretId, func(row *store.Secret) error {
		out.ARN, out.Name = aws.String(row.ARN), aws.String(row.Name)
		if err := checkKeyOf(ctx, row); err != nil {
			return err
		}
		if err := a.putVersion(row, *in.ClientRequestToken, value, in.VersionStages); err != nil {
			return err
		}
		for _, v := range row.Versions {
			if v.ID == *in.ClientRequestToken {
				out.VersionStages = slices.Clone(v.Stages)
			}
		}
		return nil
	})
}

func checkPut(in *secretsmanager.PutSecretValueInput, value secretValue) error {
	if err := unsupported("RotationToken", in.RotationToken != nil); err != nil {
		return err
	}
	if err := value.check(in.ClientRequestToken); err != nil {
		return err
	}
	if !value.given() {
		return wire.Errorf("InvalidRequestException", "You must provide either SecretString or SecretBinary.")
	}
	if len(in.VersionStages) > maxStages {
		return model.TooLong("versionStages", maxStages)
	}
	for _, stage := range in.VersionStages {
		if err := checkStage("versionStages", stage); err != nil {
			return err
		}
	}
	return nil
}

// putVersion adds a version to a secret, unless the same request has added it.
func (a *API) putVersion(row *store.Secret, token string, value secretValue, stages []string) error {
	repeated, err := a.repeats(row, token, value)
	if repeated || err != nil {
		return err
	}
	return a.addVersion(row, a.newVersion(row, token, value), stages)
}

// UpdateSecret changes a secret's attributes and, if the request has a value, adds a
// version that is current. Attributes that the request omits keep their values.
func (a *API) UpdateSecret(
	ctx context.Context, in *secretsmanager.UpdateSecretInput,
) (*secretsmanager.UpdateSecretOutput, error) {
	value := secretValue{in.SecretString, in.SecretBinary}
	if err := checkAttributes(ctx, in.Description, in.KmsKeyId, in.Type); err != nil {
		return nil, err
	}
	if err := value.check(in.ClientRequestToken); err != nil {
		return nil, err
	}
	out := &secretsmanager.UpdateSecretOutput{}
	return out, a.edit(ctx, in.SecretId, func(row *store.Secret) error {
		out.ARN, out.Name = aws.String(row.ARN), aws.String(row.Name)
		if in.Description != nil {
			row.Description = *in.Description
		}
		if in.KmsKeyId != nil {
			row.KMSKeyID = *in.KmsKeyId
		}
		row.Changed = a.Now()
		if !value.given() {
			return nil
		}
		if err := checkKeyOf(ctx, row); err != nil {
			return err
		}
		out.VersionId = in.ClientRequestToken
		return a.putVersion(row, *in.ClientRequestToken, value, nil)
	})
}
