package iam

import (
	"context"
	"net/http"
	"regexp"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// maxAccessKeys is how many access keys a user may have.
const maxAccessKeys = 2

// CreateAccessKey creates an access key of a user, or of the caller. Its answer is the only one
// that contains the secret.
func (a *API) CreateAccessKey(
	ctx context.Context, in *iam.CreateAccessKeyInput,
) (*iam.CreateAccessKeyOutput, error) {
	name, err := callersName(ctx, in.UserName)
	if err != nil {
		return nil, err
	}
	if a.Keys == nil {
		return nil, wire.NotImplemented("iam:CreateAccessKey without an issuer of keys")
	}
	id, secret, err := a.Keys.NewKey()
	if err != nil {
		return nil, err
	}
	row := &store.AccessKey{ID: id, Account: wire.GlobalFrom(ctx), Created: a.now()}
	row.Secret = a.Seal.Seal([]byte(secret), row.SealRow())
	if err := a.Store.Update(func(tx *store.Tx) error {
		user, err := findUser(ctx, tx, name)
		if err != nil {
			return err
		}
		if err := checkChangeable(user); err != nil {
			return err
		}
		if len(store.AccessKeysByUser.List(tx, user.Key())) >= maxAccessKeys {
			return quotaExceeded("AccessKeysPerUser", maxAccessKeys)
		}
		row.User = user.Name
		store.AccessKeys.Put(tx, row)
		return nil
	}); err != nil {
		return nil, err
	}
	return &iam.CreateAccessKeyOutput{AccessKey: &types.AccessKey{
		AccessKeyId: &row.ID, SecretAccessKey: &secret, UserName: &row.User, Status: statusOf(row.Inactive),
		CreateDate: &row.Created,
	}}, nil
}

func statusOf(inactive bool) types.StatusType {
	if inactive {
		return types.StatusTypeInactive
	}
	return types.StatusTypeActive
}

var wordForm = regexp.MustCompile(`^\w+$`)

// accessKeyID is the form of the ids of access keys (IAM API Reference, UpdateAccessKey).
var accessKeyID = identifierForm{"accessKeyId", 16, 128, `[\w]+`, wordForm}

// editKeys changes the keys of the user with a name.
func (a *API) editKeys(ctx context.Context, name *string, change func(tx *store.Tx, user *store.User) error) error {
	return a.Store.Update(func(tx *store.Tx) error {
		user, err := findUser(ctx, tx, name)
		if err != nil {
			return err
		}
		if err := checkChangeable(user); err != nil {
			return err
		}
		return change(tx, user)
	})
}

// checkStatus refuses a status that a request cannot give a key.
func checkStatus(status types.StatusType) error {
	switch status {
	case types.StatusTypeActive, types.StatusTypeInactive:
		return nil
	case "":
		return model.Null("status")
	}
	return model.OutOfSet("status", "Active", "Inactive")
}

// UpdateAccessKey activates or deactivates an access key of a user, or of the caller.
func (a *API) UpdateAccessKey(
	ctx context.Context, in *iam.UpdateAccessKeyInput,
) (*iam.UpdateAccessKeyOutput, error) {
	if err := checkStatus(in.Status); err != nil {
		return nil, err
	}
	return &iam.UpdateAccessKeyOutput{}, a.withKey(ctx, in.UserName, in.AccessKeyId, func(tx *store.Tx, id string) {
		store.AccessKeys.Edit(tx, id, func(row *store.AccessKey) {
			row.Inactive = in.Status == types.StatusTypeInactive
		})
	})
}

// DeleteAccessKey deletes an access key of a user, or of the caller.
func (a *API) DeleteAccessKey(
	ctx context.Context, in *iam.DeleteAccessKeyInput,
) (*iam.DeleteAccessKeyOutput, error) {
	return &iam.DeleteAccessKeyOutput{}, a.withKey(ctx, in.UserName, in.AccessKeyId, func(tx *store.Tx, id string) {
		store.AccessKeys.Delete(tx, id)
	})
}

// withKey changes the access key that a request names, of the user that it names.
func (a *API) withKey(ctx context.Context, user, id *string, change func(tx *store.Tx, id string)) error {
	if err := accessKeyID.check(id); err != nil {
		return err
	}
	name, err := callersName(ctx, user)
	if err != nil {
		return err
	}
	return a.editKeys(ctx, name, func(tx *store.Tx, owner *store.User) error {
		key, ok := store.AccessKeys.Get(tx, *id)
		if !ok || store.NameKey(key.Account, key.User) != owner.Key() {
			return noSuchEntity("The Access Key with id %s cannot be found.", *id)
		}
		change(tx, *id)
		return nil
	})
}

// ListAccessKeys lists the access keys of a user, or of the caller. That of the account's own
// user is the one that signed the request.
func (a *API) ListAccessKeys(
	ctx context.Context, in *iam.ListAccessKeysInput,
) (*iam.ListAccessKeysOutput, error) {
	view := a.Store.Read(ctx)
	user, err := userOrCaller(ctx, view, in.UserName)
	if err != nil {
		return nil, err
	}
	rows := store.AccessKeysByUser.List(view, user.Key())
	if caller := wire.CallerFrom(ctx); caller.Principal.Owner() && checkChangeable(user) != nil {
		rows = append(rows, &store.AccessKey{ID: caller.AccessKeyID, User: user.Name, Created: ownerCreated})
	}
	page, err := paginate(rows, func(row *store.AccessKey) string { return row.ID }, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iam.ListAccessKeysOutput{
		AccessKeyMetadata: convert(page.items, describeKey), IsTruncated: page.more, Marker: page.marker,
	}, nil
}

func describeKey(row *store.AccessKey) types.AccessKeyMetadata {
	return types.AccessKeyMetadata{
		AccessKeyId: &row.ID, UserName: &row.User, Status: statusOf(row.Inactive), CreateDate: &row.Created,
	}
}

// notApplicable is the last use that responses report for a key that was never used.
const notApplicable = "N/A"

// GetAccessKeyLastUsed returns when and for which service an access key was last used.
func (a *API) GetAccessKeyLastUsed(
	ctx context.Context, in *iam.GetAccessKeyLastUsedInput,
) (*iam.GetAccessKeyLastUsedOutput, error) {
	if err := accessKeyID.check(in.AccessKeyId); err != nil {
		return nil, err
	}
	row, ok := store.AccessKeys.Get(a.Store.Read(ctx), *in.AccessKeyId)
	if !ok || row.Account != wire.GlobalFrom(ctx) {
		return nil, withStatus(http.StatusForbidden, "AccessDenied", "User: %s is not authorized to perform "+
			"iam:GetAccessKeyLastUsed on resource: access key %s", wire.ARNFrom(ctx), *in.AccessKeyId)
	}
	used := &types.AccessKeyLastUsed{Region: aws.String(notApplicable), ServiceName: aws.String(notApplicable)}
	if !row.LastUsed.IsZero() {
		used = &types.AccessKeyLastUsed{
			LastUsedDate: aws.Time(row.LastUsed), Region: &row.LastUsedRegion, ServiceName: &row.LastUsedService,
		}
	}
	return &iam.GetAccessKeyLastUsedOutput{UserName: &row.User, AccessKeyLastUsed: used}, nil
}
