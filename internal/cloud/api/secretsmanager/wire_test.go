package secretsmanager_test

import (
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"aloft.dev/aloft/internal/cloud/wire"
	"aloft.dev/aloft/internal/cloud/wire/wiretest"
)

func TestTheSDKKeepsASecret(t *testing.T) {
	w := newWorld(t)
	c := client.NewFromConfig(wiretest.Serve(t, "us-east-1", wire.Service{Name: "secretsmanager", API: w.API}))
	// The SDK adds the client request tokens.
	created, err := c.CreateSecret(t.Context(), &client.CreateSecretInput{
		Name: aws.String("a"), SecretBinary: []byte{0, 1, 255},
	})
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.GetSecretValue(t.Context(), &client.GetSecretValueInput{SecretId: created.ARN})
	if err != nil || string(got.SecretBinary) != "\x00\x01\xff" || *got.VersionId != *created.VersionId ||
		got.CreatedDate.Year() != 2026 {
		t.Errorf("got %+v, %v", got, err)
	}
	listed, err := c.ListSecrets(t.Context(), &client.ListSecretsInput{
		Filters: []types.Filter{{Key: types.FilterNameStringTypeName, Values: []string{"a"}}},
	})
	if err != nil || len(listed.SecretList) != 1 || len(listed.SecretList[0].SecretVersionsToStages) != 1 {
		t.Errorf("got %+v, %v", listed, err)
	}
	_, err = c.GetSecretValue(t.Context(), &client.GetSecretValueInput{SecretId: aws.String("none")})
	if _, ok := errors.AsType[*types.ResourceNotFoundException](err); !ok {
		t.Errorf("a secret that does not exist: got %v", err)
	}
	_, err = c.RotateSecret(t.Context(), &client.RotateSecretInput{SecretId: aws.String("a")})
	if err == nil {
		t.Error("a rotation succeeds, which the local cloud cannot do")
	}
}
