package secretsmanager_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"aloft.dev/aloft/internal/cloud/api/secretsmanager"
)

func TestRandomPasswordsHaveTheRequestedCharacters(t *testing.T) {
	api := secretsmanager.New(secretsmanager.Config{Random: rand.NewChaCha8([32]byte{1})})
	const lower, upper, digits, symbols = "abcxyz", "ABCXYZ", "0123456789", "!#~|{}"
	yes := aws.Bool(true)
	for _, c := range []struct {
		in        client.GetRandomPasswordInput
		length    int
		forbidden string
	}{
		{client.GetRandomPasswordInput{}, 32, " "},
		{client.GetRandomPasswordInput{PasswordLength: aws.Int64(4)}, 4, " "},
		{client.GetRandomPasswordInput{PasswordLength: aws.Int64(4096), ExcludePunctuation: yes}, 4096, symbols},
		{client.GetRandomPasswordInput{PasswordLength: aws.Int64(500), ExcludeLowercase: yes}, 500, lower},
		{client.GetRandomPasswordInput{PasswordLength: aws.Int64(500), ExcludeUppercase: yes}, 500, upper},
		{client.GetRandomPasswordInput{PasswordLength: aws.Int64(500), ExcludeNumbers: yes}, 500, digits},
		{client.GetRandomPasswordInput{ExcludeCharacters: aws.String("aZ9\"")}, 32, "aZ9\""},
	} {
		out, err := api.GetRandomPassword(t.Context(), &c.in)
		if err != nil {
			t.Fatal(err)
		}
		if got := *out.RandomPassword; len(got) != c.length || strings.ContainsAny(got, c.forbidden) {
			t.Errorf("%+v: got %q", c.in, got)
		}
	}
	// Each type is in the shortest password.
	for range 100 {
		out, err := api.GetRandomPassword(t.Context(), &client.GetRandomPasswordInput{
			PasswordLength: aws.Int64(3), ExcludePunctuation: yes,
		})
		if err != nil {
			t.Fatal(err)
		}
		classes := map[bool]int{}
		for _, c := range *out.RandomPassword {
			classes[c >= '0' && c <= '9']++
		}
		if classes[true] != 1 {
			t.Errorf("got %q, want one number", *out.RandomPassword)
		}
	}
}

func TestInvalidPasswordsAreRefused(t *testing.T) {
	api := secretsmanager.New(secretsmanager.Config{})
	yes := aws.Bool(true)
	for _, c := range []struct {
		want string
		in   client.GetRandomPasswordInput
	}{
		{"ValidationException", client.GetRandomPasswordInput{PasswordLength: aws.Int64(0)}},
		{"ValidationException", client.GetRandomPasswordInput{PasswordLength: aws.Int64(4097)}},
		{"InvalidParameterException", client.GetRandomPasswordInput{PasswordLength: aws.Int64(3)}},
		{"InvalidParameterException", client.GetRandomPasswordInput{
			ExcludeLowercase: yes, ExcludeUppercase: yes, ExcludeNumbers: yes, ExcludePunctuation: yes,
		}},
		{"<nil>", client.GetRandomPasswordInput{
			PasswordLength: aws.Int64(3), RequireEachIncludedType: aws.Bool(false),
		}},
	} {
		if _, err := api.GetRandomPassword(t.Context(), &c.in); code(err) != c.want {
			t.Errorf("%+v: got %v, want %s", c.in, err, c.want)
		}
	}
}
