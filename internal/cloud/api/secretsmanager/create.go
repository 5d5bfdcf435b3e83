package secretsmanager

import (
	"context"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// maxDescription limits a description, in characters.
const maxDescription = 2048

// managedKey is the alias of the key that encrypts secrets for which the user names no
// key. The local cloud has no other key.
const managedKey = "alias/aws/secretsmanager"

// checkAttributes refuses attributes of a secret that are invalid or unsupported.
func checkAttributes(ctx context.Context, description, key, kind *string) error {
	if utf8.RuneCountInString(aws.ToString(description)) > maxDescription {
		return model.TooLong("description", maxDescription)
	}
	if key != nil && *key != managedKey && *key != identity.ARN("kms", wire.RegionFrom(ctx), managedKey) {
		return wire.NotImplemented("the KMS key %s: it has only %s", *key, managedKey)
	}
	return unsupported("Type", aws.ToString(kind) != "")
}

// CreateSecret creates a secret, with a first version if the request has a value. A
// repeated request with the same token and value succeeds.
func (a *API) CreateSecret(
	ctx context.Context, in *secretsmanager.CreateSecretInput,
) (*secretsmanager.CreateSecretOutput, error) {
	value := secretValue{in.SecretString, in.SecretBinary}
	if err := checkCreate(ctx, in, value); err != nil {
		return nil, err
	}
	tags, err := mergeTags(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	out := &secretsmanager.CreateSecretOutput{Name: in.Name}
	if value.given() {
		out.VersionId = in.ClientRequestToken
	}
	return out, a.change(ctx, nil, func(tx *store.Tx, region identity.Region) error {
		if old, ok := store.Secrets.Get(tx, store.SecretKey(region, *in.Name)); ok {
			out.ARN = aws.String(old.ARN)
			return a.checkExisting(old, in.ClientRequestToken, value)
		}
		row := store.Secret{
			Region: region, Name: *in.Name, ARN: a.newARN(region, *in.Name), Created: a.Now(), Changed: a.Now(),
			Description: aws.ToString(in.Description), KMSKeyID: aws.ToString(in.KmsKeyId), Tags: tags,
		}
		out.ARN = aws.String(row.ARN)
		if value.given() {
			v := a.newVersion(&row, *in.ClientRequestToken, value)
			if err := a.addVersion(&row, v, nil); err != nil {
				return err
			}
		}
		store.Secrets.Put(tx, &row)
		return nil
	})
}

func checkCreate(ctx context.Context, in *secretsmanager.CreateSecretInput, value secretValue) error {
	if err := checkName(aws.ToString(in.Name)); err != nil {
		return err
	}
	if err := unsupported("AddReplicaRegions", len(in.AddReplicaRegions) > 0); err != nil {
		return err
	}
	if err := checkAttributes(ctx, in.Description, in.KmsKeyId, in.Type); err != nil {
		return err
	}
	return value.check(in.ClientRequestToken)
}

// checkExisting refuses the creation of a secret whose name is taken, unless the same
// request has created it.
func (a *API) checkExisting(old *store.Secret, token *string, value secretValue) error {
	if !old.Deleted.IsZero() {
		return wire.Errorf(
			"InvalidRequestException",
			"You can't create this secret because a secret with this name is already scheduled for deletion.",
		)
	}
	if value.given() {
		if repeated, err := a.repeats(old, *token, value); repeated || err != nil {
			return err
		}
	}
	return wire.Errorf(
		"ResourceExistsException", "The operation failed because the secret %s already exists.", old.Name,
	)
}
