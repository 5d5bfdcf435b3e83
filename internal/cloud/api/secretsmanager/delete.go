package secretsmanager

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// The recovery window of a deleted secret, in days.
const (
	minWindow     = 7
	maxWindow     = 30
	defaultWindow = 30
)

// DeleteSecret marks a secret for deletion. It can be restored until its recovery window
// ends. With ForceDeleteWithoutRecovery it is deleted at once, and a secret that does not
// exist is no error (AWS Secrets Manager API Reference, DeleteSecret).
func (a *API) DeleteSecret(
	ctx context.Context, in *secretsmanager.DeleteSecretInput,
) (*secretsmanager.DeleteSecretOutput, error) {
	force := aws.ToBool(in.ForceDeleteWithoutRecovery)
	window := constraint.Default(in.RecoveryWindowInDays, defaultWindow)
	switch {
	case force && in.RecoveryWindowInDays != nil:
		return nil, invalid.Errorf("You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.")
	case window < minWindow || window > maxWindow:
		return nil, invalid.Errorf(
			"The RecoveryWindowInDays value must be between %d and %d days (inclusive).", minWindow, maxWindow,
		)
	}
	out := &secretsmanager.DeleteSecretOutput{}
	return out, a.change(ctx, in.SecretId, func(tx *store.Tx, region identity.Region) error {
		old, err := a.find(tx, region, in.SecretId)
		if force && isNotFound(err) {
			old, err = &store.Secret{Name: *in.SecretId, ARN: a.newARN(region, *in.SecretId)}, nil
		}
		if err != nil {
			return err
		}
		out.ARN, out.Name = aws.String(old.ARN), aws.String(old.Name)
		if force {
			out.DeletionDate = aws.Time(a.Now())
			store.Secrets.Delete(tx, store.SecretKey(region, old.Name))
			return nil
		}
		if !old.Deleted.IsZero() {
			return wire.Errorf(
				"InvalidRequestException",
				"You can't perform this operation on the secret because it was already scheduled for deletion.",
			)
		}
		row := *old
		row.Deleted, row.DeleteAfter = a.Now(), a.Now().Add(time.Duration(window)*24*time.Hour)
		out.DeletionDate = aws.Time(row.DeleteAfter)
		store.Secrets.Put(tx, &row)
		return nil
	})
}

// RestoreSecret cancels the deletion of a secret.
func (a *API) RestoreSecret(
	ctx context.Context, in *secretsmanager.RestoreSecretInput,
) (*secretsmanager.RestoreSecretOutput, error) {
	out := &secretsmanager.RestoreSecretOutput{}
	return out, a.change(ctx, in.SecretId, func(tx *store.Tx, region identity.Region) error {
		old, err := a.find(tx, region, in.SecretId)
		if err != nil {
			return err
		}
		out.ARN, out.Name = aws.String(old.ARN), aws.String(old.Name)
		row := *old
		row.Deleted, row.DeleteAfter = time.Time{}, time.Time{}
		store.Secrets.Put(tx, &row)
		return nil
	})
}
