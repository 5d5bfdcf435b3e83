package secretsmanager

import (
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"

	"aloft.dev/aloft/internal/cloud/seal"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// maxValue limits a secret's value, in bytes (AWS Secrets Manager User Guide, Quotas).
const maxValue = 65536

// The length of a ClientRequestToken, which is the id of the version that it creates.
const (
	minToken = 32
	maxToken = 64
)

// secretValue is the value of a request: a text or binary data.
type secretValue struct {
	text   *string
	binary []byte
}

func (v secretValue) given() bool { return v.text != nil || v.binary != nil }

// check refuses an invalid value, and a value without the token of a new version. AWS's
// SDKs and command line add the token themselves.
func (v secretValue) check(token *string) error {
	switch {
	case token != nil && (len(*token) < minToken || len(*token) > maxToken):
		return invalid.Errorf("ClientRequestToken must be %d-%d characters long.", minToken, maxToken)
	case !v.given():
		return nil
	case v.text != nil && v.binary != nil:
		return invalid.Errorf(
			"You can't specify both a binary secret value and a string secret value in the same secret.",
		)
	case v.text != nil && *v.text == "":
		return model.RefuseWithoutValue("secretString", "have length greater than or equal to 1")
	case len(aws.ToString(v.text)) > maxValue:
		return model.TooLong("secretString", maxValue)
	case v.text == nil && len(v.binary) == 0:
		return model.RefuseWithoutValue("secretBinary", "have length greater than or equal to 1")
	case len(v.binary) > maxValue:
		return model.TooLong("secretBinary", maxValue)
	case aws.ToString(token) == "":
		return wire.Errorf(
			"InvalidRequestException",
			"You must provide a ClientRequestToken value. We recommend a UUID-type value.",
		)
	}
	return nil
}

// sealedRow names the version of a secret to which its sealed value is bound.
func sealedRow(row *store.Secret, versionID string) seal.Row {
	return seal.Row{Table: "secrets", Region: string(row.Region), Name: row.ARN, Version: versionID}
}

// newVersion returns a version of the secret with the value.
func (a *API) newVersion(row *store.Secret, id string, value secretValue) store.SecretVersion {
	v := store.SecretVersion{ID: id, Created: a.Now()}
	if value.text != nil {
		v.Text = a.Key.Seal([]byte(*value.text), sealedRow(row, id))
	} else {
		v.Binary = a.Key.Seal(value.binary, sealedRow(row, id))
	}
	return v
}

// open returns the value of a version.
func (a *API) open(row *store.Secret, v *store.SecretVersion) (secretValue, error) {
	sealed := v.Binary
	if v.Text != nil {
		sealed = v.Text
	}
	value, err := a.Key.Open(sealed, sealedRow(row, v.ID))
	if err != nil {
		return secretValue{}, fmt.Errorf("decrypt version %s of %s: %w", v.ID, row.ARN, err)
	}
	if v.Text == nil {
		return secretValue{binary: value}, nil
	}
	text := string(value)
	return secretValue{text: &text}, nil
}

// repeats reports whether a request has created the version already. It refuses a token
// that another value has used.
func (a *API) repeats(row *store.Secret, token string, value secretValue) (bool, error) {
	i := slices.IndexFunc(row.Versions, func(v store.SecretVersion) bool { return v.ID == token })
	if i < 0 {
		return false, nil
	}
	old, err := a.open(row, &row.Versions[i])
	if err != nil {
		return false, err
	}
	same := (old.text == nil) == (value.text == nil) && aws.ToString(old.text) == aws.ToString(value.text) &&
		slices.Equal(old.binary, value.binary)
	if !same {
		return false, wire.Errorf(
			"ResourceExistsException",
			"You can't use ClientRequestToken %s because that value is already in use for a version of secret %s.",
			token, row.ARN,
		)
	}
	return true, nil
}
