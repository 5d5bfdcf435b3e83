package ssm_test

import (
	"context"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"aloft.dev/aloft/internal/cloud/api/ssm"
	"aloft.dev/aloft/internal/cloud/store"
)

const secret = "correct horse battery staple"

func putSecret(t *testing.T, api *ssm.API, ctx context.Context, name, value string) {
	t.Helper()
	if _, err := api.PutParameter(ctx, &client.PutParameterInput{
		Name: &name, Value: &value, Type: types.ParameterTypeSecureString, Overwrite: aws.Bool(true),
	}); err != nil {
		t.Fatal(err)
	}
}

// assertEncrypted reports an error unless value looks like a ciphertext, without secret.
func assertEncrypted(t *testing.T, what, value string) {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(value)
	if err != nil || len(raw) <= len(secret) || strings.Contains(string(raw), secret) {
		t.Errorf("%s: got %q, %v; want a ciphertext in base64", what, value, err)
	}
}

func TestASecureStringIsReadableWithDecryptionOnly(t *testing.T) {
	api, ctx := newAPI(t)
	putSecret(t, api, ctx, "/app/password", secret)
	row, _ := store.Parameters.Get(api.Store.View(), "us-east-1/app/password")
	assertEncrypted(t, "in the store", row.Value)
	for _, decrypt := range []bool{false, true} {
		one, err := api.GetParameter(ctx, &client.GetParameterInput{
			Name: aws.String("/app/password"), WithDecryption: &decrypt,
		})
		if err != nil {
			t.Fatal(err)
		}
		some, err := api.GetParameters(ctx, &client.GetParametersInput{
			Names: []string{"/app/password"}, WithDecryption: &decrypt,
		})
		if err != nil {
			t.Fatal(err)
		}
		below, err := api.GetParametersByPath(ctx, &client.GetParametersByPathInput{
			Path: aws.String("/app"), WithDecryption: &decrypt,
		})
		if err != nil {
			t.Fatal(err)
		}
		past, err := api.GetParameterHistory(ctx, &client.GetParameterHistoryInput{
			Name: aws.String("/app/password"), WithDecryption: &decrypt,
		})
		if err != nil {
			t.Fatal(err)
		}
		for what, value := range map[string]string{
			"GetParameter": *one.Parameter.Value, "GetParameters": *some.Parameters[0].Value,
			"GetParametersByPath": *below.Parameters[0].Value, "GetParameterHistory": *past.Parameters[0].Value,
		} {
			if !decrypt {
				assertEncrypted(t, what, value)
			} else if value != secret {
				t.Errorf("%s: got %q, want the secret", what, value)
			}
		}
	}
}

func TestASealedValueIsWorthNothingInAnotherParameter(t *testing.T) {
	api, ctx := newAPI(t)
	putSecret(t, api, ctx, "/app/password", secret)
	putSecret(t, api, ctx, "/mine", "x")
	if err := api.Store.Update(func(tx *store.Tx) error {
		theirs, _ := store.Parameters.Get(tx, "us-east-1/app/password")
		store.Parameters.Edit(tx, "us-east-1/mine", func(mine *store.Parameter) { mine.Value = theirs.Value })
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if got, err := api.GetParameter(ctx, &client.GetParameterInput{
		Name: aws.String("/mine"), WithDecryption: aws.Bool(true),
	}); err == nil {
		t.Errorf("got %q", *got.Parameter.Value)
	}
}

func TestKeysOfSecureStrings(t *testing.T) {
	api, ctx := newAPI(t)
	for _, c := range []struct {
		kind types.ParameterType
		key  string
		want string // "<nil>": accepted
	}{
		{"SecureString", "alias/aws/ssm", "<nil>"},
		{"SecureString", "arn:aws:kms:us-east-1:000000000000:alias/aws/ssm", "<nil>"},
		{"SecureString", "arn:aws:kms:eu-west-1:000000000000:alias/aws/ssm", "InvalidKeyId"},
		{"SecureString", "alias/mine", "InvalidKeyId"},
		{"String", "alias/aws/ssm", "ValidationException"},
		{"StringList", "alias/aws/ssm", "ValidationException"},
	} {
		_, err := api.PutParameter(ctx, &client.PutParameterInput{
			Name: aws.String("/a" + string(c.kind)), Value: aws.String("x"), Type: c.kind, KeyId: &c.key,
			Overwrite: aws.Bool(true),
		})
		if code(err) != c.want {
			t.Errorf("%s with the key %s: got %v, want %s", c.kind, c.key, err, c.want)
		}
	}
}

func TestTheAllowedPatternAppliesToThePlainValue(t *testing.T) {
	api, ctx := newAPI(t)
	in := &client.PutParameterInput{
		Name: aws.String("/pin"), Value: aws.String("1234"), Type: "SecureString", AllowedPattern: aws.String(`^\d+$`),
	}
	if _, err := api.PutParameter(ctx, in); err != nil {
		t.Fatal(err)
	}
	in.Value, in.Overwrite = aws.String("abc"), aws.Bool(true)
	if _, err := api.PutParameter(ctx, in); code(err) != "ParameterPatternMismatchException" {
		t.Errorf("got %v", err)
	}
	long := strings.Repeat("x", 4096)
	if _, err := api.PutParameter(ctx, &client.PutParameterInput{
		Name: aws.String("/long"), Value: &long, Type: "SecureString",
	}); err != nil {
		t.Errorf("a value of the largest size: got %v", err)
	}
}
