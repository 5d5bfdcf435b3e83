package iam

import (
	"context"
	"crypto/pbkdf2"
	"crypto/sha512"
	"crypto/subtle"
	"io"
	"net/http"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// The parameters of the hashes of passwords (OWASP, "Password Storage Cheat Sheet", PBKDF2).
const (
	saltSize   = 16
	hashSize   = 64
	iterations = 210_000
)

// hashed returns the salt and the hash of a password.
func (a *API) hashed(password string) ([]byte, error) {
	salt := make([]byte, saltSize)
	if _, err := io.ReadFull(a.Random, salt); err != nil {
		return nil, err
	}
	return saltedHash(salt, password)
}

func saltedHash(salt []byte, password string) ([]byte, error) {
	hash, err := pbkdf2.Key(sha512.New, password, salt, iterations, hashSize)
	return append(slices.Clone(salt), hash...), err
}

// isHashOf reports whether a salt and a hash are those of a password.
func isHashOf(stored []byte, password string) bool {
	if len(stored) != saltSize+hashSize {
		return false
	}
	hash, err := saltedHash(stored[:saltSize], password)
	return err == nil && subtle.ConstantTimeCompare(stored, hash) == 1
}

// setPassword sets the password of a login profile, which must follow the account's rules. It takes long: it
// hashes the password once for each one that may not be used again.
func (a *API) setPassword(login *store.Login, rules *store.PasswordPolicy, password string) error {
	if err := checkPassword(rules, password); err != nil {
		return err
	}
	former := login.Former
	if login.Password != nil {
		former = append([][]byte{login.Password}, former...)
	}
	remembered := 0
	if rules != nil {
		remembered = int(rules.ReusePrevention)
	}
	former = former[:min(len(former), maxRemembered)]
	isUsed := func(hash []byte) bool { return isHashOf(hash, password) }
	if slices.ContainsFunc(former[:min(len(former), remembered)], isUsed) {
		return violation("Password does not conform to the account password policy: it was used before")
	}
	hash, err := a.hashed(password)
	if err != nil {
		return err
	}
	login.Password, login.Former = hash, former
	return nil
}

// ChangePassword changes the password of the calling user, who must know the old one.
func (a *API) ChangePassword(ctx context.Context, in *iam.ChangePasswordInput) (*iam.ChangePasswordOutput, error) {
	name := wire.CallerFrom(ctx).Principal.User
	switch {
	case in.OldPassword == nil:
		return nil, model.Null("oldPassword")
	case in.NewPassword == nil:
		return nil, model.Null("newPassword")
	case name == "":
		return nil, wire.Errorf("InvalidUserType", "Only IAM Users can change their own password")
	}
	_, err := a.editLogin(ctx, &name, func(user *store.User, rules *store.PasswordPolicy) (*store.Login, error) {
		switch {
		case user.Login == nil:
			return nil, noLogin(user)
		case !isHashOf(user.Login.Password, *in.OldPassword):
			return nil, withStatus(http.StatusForbidden, "AccessDenied", "The old password was incorrect.")
		}
		login := *user.Login
		login.Changed, login.ResetRequired = a.now(), false
		return &login, a.setPassword(&login, rules, *in.NewPassword)
	})
	return &iam.ChangePasswordOutput{}, err
}
