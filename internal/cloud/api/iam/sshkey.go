package iam

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"golang.org/x/crypto/ssh"

	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// Limits of SSH public keys (IAM API Reference, UploadSSHPublicKey; IAM User Guide, "IAM and AWS
// STS quotas").
const (
	maxSSHKeys    = 5 // of a user
	maxSSHKeyBody = 16384
	minRSABits    = 2048
)

// UploadSSHPublicKey gives a user a public key, in the encoding of SSH or in PEM. The local cloud
// has no service that would accept it.
func (a *API) UploadSSHPublicKey(
	ctx context.Context, in *iam.UploadSSHPublicKeyInput,
) (*iam.UploadSSHPublicKeyOutput, error) {
	switch body := in.SSHPublicKeyBody; {
	case body == nil:
		return nil, model.Null("sSHPublicKeyBody")
	case *body == "":
		return nil, model.TooShort("sSHPublicKeyBody", 1)
	case len(*body) > maxSSHKeyBody:
		return nil, model.TooLong("sSHPublicKeyBody", maxSSHKeyBody)
	}
	key, err := parseSSHKey(*in.SSHPublicKeyBody)
	if err != nil {
		return nil, err
	}
	row := &store.SSHPublicKey{
		ID: a.ids.UniqueID("APKA"), Account: wire.GlobalFrom(ctx), Body: sshBody(key),
		Fingerprint: ssh.FingerprintLegacyMD5(key), Uploaded: a.now(),
	}
	if err := a.editKeys(ctx, in.UserName, func(tx *store.Tx, user *store.User) error {
		others := store.SSHPublicKeysByUser.List(tx, user.Key())
		if len(others) >= maxSSHKeys {
			return quotaExceeded("SSHPublicKeysPerUser", maxSSHKeys)
		}
		for _, other := range others {
			if other.Body == row.Body {
				return wire.Errorf("DuplicateSSHPublicKey", "SSH public key is already associated with the user %s.",
					user.Name)
			}
		}
		row.User = user.Name
		store.SSHPublicKeys.Put(tx, row)
		return nil
	}); err != nil {
		return nil, err
	}
	return &iam.UploadSSHPublicKeyOutput{SSHPublicKey: describeSSHKey(row, row.Body)}, nil
}

// parseSSHKey returns the RSA key that a text contains.
func parseSSHKey(text string) (ssh.PublicKey, error) {
	invalid := wire.Errorf("InvalidPublicKey", "The SSH public key is not valid. It must be an RSA key of at least "+
		"%d bits, in the encoding of SSH or in PEM.", minRSABits)
	key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(text))
	if block, _ := pem.Decode([]byte(text)); block != nil {
		public, parseErr := x509.ParsePKIXPublicKey(block.Bytes)
		if parseErr != nil {
			return nil, invalid
		}
		key, err = ssh.NewPublicKey(public)
	}
	if err != nil {
		return nil, invalid
	}
	if public := rsaKey(key); public == nil || public.N.BitLen() < minRSABits {
		return nil, invalid
	}
	return key, nil
}

// rsaKey returns the RSA key of an SSH key, or nil.
func rsaKey(key ssh.PublicKey) *rsa.PublicKey {
	if public, ok := key.(ssh.CryptoPublicKey); ok {
		if rsaPublic, isRSA := public.CryptoPublicKey().(*rsa.PublicKey); isRSA {
			return rsaPublic
		}
	}
	return nil
}

// sshBody returns a key in the encoding of SSH, without a comment.
func sshBody(key ssh.PublicKey) string {
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key)))
}

func describeSSHKey(row *store.SSHPublicKey, body string) *types.SSHPublicKey {
	return &types.SSHPublicKey{
		SSHPublicKeyId: &row.ID, UserName: &row.User, SSHPublicKeyBody: &body, Fingerprint: &row.Fingerprint,
		Status: statusOf(row.Inactive), UploadDate: &row.Uploaded,
	}
}

// sshKeyID is the form of the ids of SSH keys (IAM API Reference, GetSSHPublicKey).
var sshKeyID = identifierForm{"sSHPublicKeyId", 20, 128, `[\w]+`, wordForm}

// findSSHKey returns a key of a user.
func findSSHKey(r store.Reader, user *store.User, id string) (*store.SSHPublicKey, error) {
	row, ok := store.SSHPublicKeys.Get(r, id)
	if !ok || store.NameKey(row.Account, row.User) != user.Key() {
		return nil, noSuchEntity("The Public Key with id %s cannot be found.", id)
	}
	return row, nil
}

// GetSSHPublicKey returns a key of a user in either encoding.
func (a *API) GetSSHPublicKey(
	ctx context.Context, in *iam.GetSSHPublicKeyInput,
) (*iam.GetSSHPublicKeyOutput, error) {
	switch in.Encoding {
	case types.EncodingTypeSsh, types.EncodingTypePem:
	case "":
		return nil, model.Null("encoding")
	default:
		return nil, checkEnum("encoding", in.Encoding, in.Encoding.Values())
	}
	if err := sshKeyID.check(in.SSHPublicKeyId); err != nil {
		return nil, err
	}
	view := a.Store.Read(ctx)
	user, err := findUser(ctx, view, in.UserName)
	if err != nil {
		return nil, err
	}
	row, err := findSSHKey(view, user, *in.SSHPublicKeyId)
	if err != nil {
		return nil, err
	}
	body := row.Body
	if in.Encoding == types.EncodingTypePem {
		if body, err = pemOf(row.Body); err != nil {
			return nil, err
		}
	}
	return &iam.GetSSHPublicKeyOutput{SSHPublicKey: describeSSHKey(row, body)}, nil
}

// pemOf returns a key in PEM.
func pemOf(body string) (string, error) {
	key, err := parseSSHKey(body)
	if err != nil {
		return "", err
	}
	der, err := x509.MarshalPKIXPublicKey(rsaKey(key))
	if err != nil {
		return "", err
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})), nil
}

// ListSSHPublicKeys lists the keys of a user, or of the caller.
func (a *API) ListSSHPublicKeys(
	ctx context.Context, in *iam.ListSSHPublicKeysInput,
) (*iam.ListSSHPublicKeysOutput, error) {
	view := a.Store.Read(ctx)
	user, err := userOrCaller(ctx, view, in.UserName)
	if err != nil {
		return nil, err
	}
	key := func(row *store.SSHPublicKey) string { return row.ID }
	page, err := paginate(store.SSHPublicKeysByUser.List(view, user.Key()), key, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iam.ListSSHPublicKeysOutput{
		SSHPublicKeys: convert(page.items, func(row *store.SSHPublicKey) types.SSHPublicKeyMetadata {
			return types.SSHPublicKeyMetadata{
				SSHPublicKeyId: &row.ID, UserName: &row.User, Status: statusOf(row.Inactive), UploadDate: &row.Uploaded,
			}
		}),
		IsTruncated: page.more, Marker: page.marker,
	}, nil
}

// UpdateSSHPublicKey activates or deactivates a key of a user.
func (a *API) UpdateSSHPublicKey(
	ctx context.Context, in *iam.UpdateSSHPublicKeyInput,
) (*iam.UpdateSSHPublicKeyOutput, error) {
	if err := checkStatus(in.Status); err != nil {
		return nil, err
	}
	if err := sshKeyID.check(in.SSHPublicKeyId); err != nil {
		return nil, err
	}
	out := &iam.UpdateSSHPublicKeyOutput{}
	return out, a.editKeys(ctx, in.UserName, func(tx *store.Tx, user *store.User) error {
		row, err := findSSHKey(tx, user, *in.SSHPublicKeyId)
		if err != nil {
			return err
		}
		store.SSHPublicKeys.Edit(tx, row.ID, func(row *store.SSHPublicKey) {
			row.Inactive = in.Status == types.StatusTypeInactive
		})
		return nil
	})
}

// DeleteSSHPublicKey deletes a key of a user.
func (a *API) DeleteSSHPublicKey(
	ctx context.Context, in *iam.DeleteSSHPublicKeyInput,
) (*iam.DeleteSSHPublicKeyOutput, error) {
	if err := sshKeyID.check(in.SSHPublicKeyId); err != nil {
		return nil, err
	}
	out := &iam.DeleteSSHPublicKeyOutput{}
	return out, a.editKeys(ctx, in.UserName, func(tx *store.Tx, user *store.User) error {
		row, err := findSSHKey(tx, user, *in.SSHPublicKeyId)
		if err != nil {
			return err
		}
		store.SSHPublicKeys.Delete(tx, row.ID)
		return nil
	})
}
