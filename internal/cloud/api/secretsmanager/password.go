package secretsmanager

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"aloft.dev/aloft/internal/cloud/api/constraint"
)

// The characters of passwords (AWS Secrets Manager API Reference, GetRandomPassword).
const (
	lowercase   = "abcdefghijklmnopqrstuvwxyz"
	uppercase   = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	numbers     = "0123456789"
	punctuation = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
)

// The length of a password in characters.
const (
	defaultPassword = 32
	maxPassword     = 4096
	maxExclude      = 4096
)

// GetRandomPassword returns a random password.
func (a *API) GetRandomPassword(
	_ context.Context, in *secretsmanager.GetRandomPasswordInput,
) (*secretsmanager.GetRandomPasswordOutput, error) {
	length := constraint.Default(in.PasswordLength, defaultPassword)
	switch {
	case length < 1:
		return nil, model.Refuse("passwordLength", length, "have value greater than or equal to 1")
	case length > maxPassword:
		return nil, model.Refuse("passwordLength", length, "have value less than or equal to %d", maxPassword)
	case len(aws.ToString(in.ExcludeCharacters)) > maxExclude:
		return nil, model.TooLong("excludeCharacters", maxExclude)
	}
	kinds := passwordKinds(in)
	all := strings.Join(kinds, "")
	if all == "" {
		return nil, invalid.Errorf("All characters are excluded: the password would be empty.")
	}
	password := make([]byte, 0, length)
	if constraint.Default(in.RequireEachIncludedType, true) {
		if int(length) < len(kinds) {
			return nil, invalid.Errorf("Password length is too short based on the required types.")
		}
		for _, kind := range kinds {
			password = append(password, kind[a.random.Number(len(kind))])
		}
	}
	for len(password) < int(length) {
		password = append(password, all[a.random.Number(len(all))])
	}
	// The required characters are at the start: shuffle.
	for i := len(password) - 1; i > 0; i-- {
		j := a.random.Number(i + 1)
		password[i], password[j] = password[j], password[i]
	}
	return &secretsmanager.GetRandomPasswordOutput{RandomPassword: aws.String(string(password))}, nil
}

// passwordKinds returns the characters of each included type, without excluded ones.
func passwordKinds(in *secretsmanager.GetRandomPasswordInput) []string {
	var kinds []string
	for _, kind := range []struct {
		characters string
		excluded   bool
	}{
		{lowercase, aws.ToBool(in.ExcludeLowercase)},
		{uppercase, aws.ToBool(in.ExcludeUppercase)},
		{numbers, aws.ToBool(in.ExcludeNumbers)},
		{punctuation, aws.ToBool(in.ExcludePunctuation)},
		{" ", !aws.ToBool(in.IncludeSpace)},
	} {
		left := strings.Map(func(c rune) rune {
			if strings.ContainsRune(aws.ToString(in.ExcludeCharacters), c) {
				return -1
			}
			return c
		}, kind.characters)
		if !kind.excluded && left != "" {
			kinds = append(kinds, left)
		}
	}
	return kinds
}
