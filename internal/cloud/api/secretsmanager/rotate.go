package secretsmanager

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// RotateSecret refuses to rotate a secret: no secret has a function that could. There are no functions here, so
// that none can be given.
func (a *API) RotateSecret(
	ctx context.Context, in *secretsmanager.RotateSecretInput,
) (*secretsmanager.RotateSecretOutput, error) {
	if err := unsupported("RotationLambdaARN", aws.ToString(in.RotationLambdaARN) != ""); err != nil {
		return nil, err
	}
	err := unsupported("ExternalSecretRotationRoleArn", aws.ToString(in.ExternalSecretRotationRoleArn) != "")
	if err == nil {
		err = unsupported("ExternalSecretRotationMetadata", len(in.ExternalSecretRotationMetadata) > 0)
	}
	if err != nil {
		return nil, err
	}
	if _, err := a.findInUse(a.Store.Read(ctx), regionFor(ctx, in.SecretId), in.SecretId); err != nil {
		return nil, err
	}
	return nil, wire.Errorf("InvalidRequestException",
		"No Lambda rotation function ARN is associated with this secret.")
}

// CancelRotateSecret turns off the rotation of a secret, which is off.
func (a *API) CancelRotateSecret(
	ctx context.Context, in *secretsmanager.CancelRotateSecretInput,
) (*secretsmanager.CancelRotateSecretOutput, error) {
	out := &secretsmanager.CancelRotateSecretOutput{}
	return out, a.edit(ctx, in.SecretId, func(row *store.Secret) error {
		out.ARN, out.Name = aws.String(row.ARN), aws.String(row.Name)
		return nil
	})
}
