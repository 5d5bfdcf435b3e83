package secretsmanager

import (
	"context"
	"errors"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// Limits of names and ids (AWS Secrets Manager API Reference, CreateSecret).
const (
	maxName = 512
	maxID   = 2048
)

// suffixLetters are those of the end of an ARN, suffixLength is its length.
const (
	suffixLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	suffixLength  = 6
)

var nameForm = regexp.MustCompile(`^[a-zA-Z0-9/_+=.@!-]+$`)

func checkName(name string) error {
	switch {
	case name == "":
		return model.Null("name")
	case len(name) > maxName:
		return model.TooLong("name", maxName)
	case !nameForm.MatchString(name):
		return model.Errorf(
			"Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!",
		)
	}
	return nil
}

// newARN returns the ARN of a new secret. Six random characters at its end tell it from
// an earlier secret with the same name.
func (a *API) newARN(region identity.Region, name string) string {
	suffix := make([]byte, suffixLength)
	for i := range suffix {
		suffix[i] = suffixLetters[a.random.Number(len(suffixLetters))]
	}
	return identity.ARN("secretsmanager", region, "secret:"+name+"-"+string(suffix))
}

// regionFor returns the region of the secret with an id: the caller's, or that of a secret of another account that
// is shared with the caller. Such a secret has no other id than its whole ARN.
func regionFor(ctx context.Context, id *string) identity.Region {
	here := wire.RegionFrom(ctx)
	if wire.IsShared(ctx, aws.ToString(id)) {
		if region := identity.RegionOfARN(*id); region.Name() == here.Name() {
			return region
		}
	}
	return here
}

// checkKeyOf refuses to encrypt and decrypt a secret for another account: the default key is its account's alone,
// and the local cloud has no others.
func checkKeyOf(ctx context.Context, row *store.Secret) error {
	if row.Region.Account() == wire.AccountFrom(ctx) {
		return nil
	}
	return wire.Errorf("InvalidRequestException", "You can't access a secret from a different AWS account if you "+
		"encrypt the secret with the default KMS service key.")
}

// find returns the secret with a name, an ARN, or an ARN without its random characters.
func (a *API) find(r store.Reader, region identity.Region, id *string) (*store.Secret, error) {
	text := aws.ToString(id)
	switch {
	case text == "":
		return nil, model.Null("secretId")
	case len(text) > maxID:
		return nil, model.TooLong("secretId", maxID)
	}
	if rest, ok := strings.CutPrefix(text, identity.ARN("secretsmanager", region, "secret:")); ok {
		names := []string{rest}
		if cut := len(rest) - suffixLength - 1; cut > 0 && rest[cut] == '-' {
			names = append(names, rest[:cut])
		}
		for i, name := range names {
			row, ok := store.Secrets.Get(r, store.SecretKey(region, name))
			if ok && !a.isGone(row) && (i == 0 || row.ARN == text) {
				return row, nil
			}
		}
		return nil, notFound()
	}
	row, ok := store.Secrets.Get(r, store.SecretKey(region, text))
	if !ok || a.isGone(row) {
		return nil, notFound()
	}
	return row, nil
}

// findInUse is find for operations that a secret marked for deletion does not have.
func (a *API) findInUse(r store.Reader, region identity.Region, id *string) (*store.Secret, error) {
	row, err := a.find(r, region, id)
	if err == nil && !row.Deleted.IsZero() {
		return nil, wire.Errorf(
			"InvalidRequestException",
			"You can't perform this operation on the secret because it was marked for deletion.",
		)
	}
	return row, err
}

// isGone reports whether a secret's recovery window has ended.
func (a *API) isGone(row *store.Secret) bool {
	return !row.Deleted.IsZero() && !a.Now().Before(row.DeleteAfter)
}

const codeNotFound = "ResourceNotFoundException"

func isNotFound(err error) bool {
	refusal, ok := errors.AsType[*wire.Error](err)
	return ok && refusal.Code == codeNotFound
}

func notFound() error {
	return wire.Errorf(codeNotFound, "Secrets Manager can't find the specified secret.")
}
