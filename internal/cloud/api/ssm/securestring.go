package ssm

import (
	"encoding/base64"
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/seal"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// managedKey is the alias of the key that encrypts SecureString parameters for which
// the user names no key (AWS Systems Manager API Reference, PutParameter). The local
// cloud has no other key.
const managedKey = "alias/aws/ssm"

// setKeyID sets the key of a parameter's next version.
func setKeyID(row *store.Parameter, id *string) error {
	secure := row.Type == string(types.ParameterTypeSecureString)
	switch {
	case !secure && id != nil:
		return model.Errorf("KeyId is required for SecureString type parameter only.")
	case !secure:
		row.KeyID = "" // the version before may have been a SecureString
		return nil
	case id == nil:
		row.KeyID = managedKey
		return nil
	case *id != managedKey && *id != identity.ARN("kms", row.Region, managedKey):
		return wire.Errorf(
			"InvalidKeyId", "Key '%s' does not exist. aloft's local cloud has no keys besides %s.", *id, managedKey,
		)
	}
	row.KeyID = *id
	return nil
}

// sealedRow names the version of a parameter to which its sealed value is bound.
func sealedRow(row *store.Parameter) seal.Row {
	return seal.Row{
		Table: "parameters", Region: string(row.Region), Name: row.Name, Version: strconv.FormatInt(row.Version, 10),
	}
}

// seal replaces the plain value of a SecureString parameter by the sealed one.
func (a *API) seal(row *store.Parameter) {
	row.Value = base64.StdEncoding.EncodeToString(a.Key.Seal([]byte(row.Value), sealedRow(row)))
}

// value returns the value of a parameter as users see it: that of a SecureString
// remains encrypted unless decrypt is set.
func (a *API) value(row *store.Parameter, decrypt *bool) (string, error) {
	if row.Type != string(types.ParameterTypeSecureString) || !aws.ToBool(decrypt) {
		return row.Value, nil
	}
	sealed, err := base64.StdEncoding.DecodeString(row.Value)
	if err != nil {
		return "", fmt.Errorf("decode the value of %s: %w", row.Name, err)
	}
	value, err := a.Key.Open(sealed, sealedRow(row))
	if err != nil {
		return "", fmt.Errorf("decrypt the value of %s: %w", row.Name, err)
	}
	return string(value), nil
}
