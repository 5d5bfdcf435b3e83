package iam

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// Limits of password policies (IAM API Reference, UpdateAccountPasswordPolicy).
const (
	minPassword     = 6
	maxPassword     = 128
	maxPasswordAge  = 1095 // days
	maxRemembered   = 24
	defaultPassword = 8 // characters, without a policy
)

// UpdateAccountPasswordPolicy sets the rules for users' passwords. What the request leaves out
// becomes the default.
func (a *API) UpdateAccountPasswordPolicy(
	ctx context.Context, in *iam.UpdateAccountPasswordPolicyInput,
) (*iam.UpdateAccountPasswordPolicyOutput, error) {
	if err := checkPasswordPolicy(in); err != nil {
		return nil, err
	}
	out := &iam.UpdateAccountPasswordPolicyOutput{}
	return out, a.editAccount(ctx, func(_ *store.Tx, row *store.AccountIdentity) error {
		row.Passwords = &store.PasswordPolicy{
			MinLength: constraint.Default(in.MinimumPasswordLength, minPassword),
			MaxAge:    aws.ToInt32(in.MaxPasswordAge), ReusePrevention: aws.ToInt32(in.PasswordReusePrevention),
			Lowercase: in.RequireLowercaseCharacters, Uppercase: in.RequireUppercaseCharacters,
			Numbers: in.RequireNumbers, Symbols: in.RequireSymbols,
			UsersMayChange: in.AllowUsersToChangePassword, HardExpiry: in.HardExpiry,
		}
		return nil
	})
}

// checkPasswordPolicy refuses numbers that are out of range, all in one error.
func checkPasswordPolicy(in *iam.UpdateAccountPasswordPolicyInput) error {
	var wrong violations
	for _, n := range []struct {
		member    string
		given     *int32
		low, high int32
	}{
		{"minimumPasswordLength", in.MinimumPasswordLength, minPassword, maxPassword},
		{"passwordReusePrevention", in.PasswordReusePrevention, 1, maxRemembered},
		{"maxPasswordAge", in.MaxPasswordAge, 1, maxPasswordAge},
	} {
		switch {
		case n.given == nil:
		case *n.given < n.low:
			wrong.add(n.member, "have value greater than or equal to %d", n.low)
		case *n.given > n.high:
			wrong.add(n.member, "have value less than or equal to %d", n.high)
		}
	}
	return wrong.err()
}

// GetAccountPasswordPolicy returns the rules for users' passwords.
func (a *API) GetAccountPasswordPolicy(
	ctx context.Context, _ *iam.GetAccountPasswordPolicyInput,
) (*iam.GetAccountPasswordPolicyOutput, error) {
	p := accountIn(ctx, a.Store.Read(ctx)).Passwords
	if p == nil {
		return nil, noSuchEntity("The Password Policy with domain name %s cannot be found.", wire.AccountFrom(ctx))
	}
	out := &types.PasswordPolicy{
		MinimumPasswordLength: &p.MinLength, RequireLowercaseCharacters: p.Lowercase,
		RequireUppercaseCharacters: p.Uppercase, RequireNumbers: p.Numbers, RequireSymbols: p.Symbols,
		AllowUsersToChangePassword: p.UsersMayChange, ExpirePasswords: p.MaxAge > 0, HardExpiry: p.HardExpiry,
	}
	if p.MaxAge > 0 {
		out.MaxPasswordAge = &p.MaxAge
	}
	if p.ReusePrevention > 0 {
		out.PasswordReusePrevention = &p.ReusePrevention
	}
	return &iam.GetAccountPasswordPolicyOutput{PasswordPolicy: out}, nil
}

// DeleteAccountPasswordPolicy removes the rules for users' passwords.
func (a *API) DeleteAccountPasswordPolicy(
	ctx context.Context, _ *iam.DeleteAccountPasswordPolicyInput,
) (*iam.DeleteAccountPasswordPolicyOutput, error) {
	out := &iam.DeleteAccountPasswordPolicyOutput{}
	return out, a.editAccount(ctx, func(_ *store.Tx, row *store.AccountIdentity) error {
		if row.Passwords == nil {
			return noSuchEntity("The account policy with name PasswordPolicy cannot be found.")
		}
		row.Passwords = nil
		return nil
	})
}

// checkPassword refuses a password that violates the account's rules, or without any, those of
// accounts that set none (IAM User Guide, "Set an account password policy for IAM users").
func checkPassword(p *store.PasswordPolicy, password string) error {
	kinds := []struct {
		required bool
		of, name string
	}{
		{p != nil && p.Uppercase, "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "uppercase letter"},
		{p != nil && p.Lowercase, "abcdefghijklmnopqrstuvwxyz", "lowercase letter"},
		{p != nil && p.Numbers, "0123456789", "number"},
		{p != nil && p.Symbols, "!@#$%^&*()_+-=[]{}|'", "symbol"},
	}
	length, has := int32(defaultPassword), 0
	if p != nil {
		length = p.MinLength
	}
	if len(password) < int(length) {
		return violation("Password should have a minimum length of %d", length)
	}
	for _, kind := range kinds {
		switch {
		case strings.ContainsAny(password, kind.of):
			has++
		case kind.required:
			return violation("Password should have at least one %s", kind.name)
		}
	}
	if p == nil && has < 3 {
		return violation("Password should have at least three of these: an uppercase letter, a lowercase letter, " +
			"a number and a symbol")
	}
	return nil
}

func violation(format string, args ...any) error {
	return wire.Errorf("PasswordPolicyViolation", format, args...)
}
