package secretsmanager_test

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"aloft.dev/aloft/internal/cloud/store"
)

func TestDeletionAndRestoration(t *testing.T) {
	w := newWorld(t)
	arn := w.create("a", "1")
	policy := &client.GetResourcePolicyInput{SecretId: aws.String("a")}
	if got, err := w.GetResourcePolicy(w.ctx, policy); err != nil || *got.ARN != arn || got.ResourcePolicy != nil {
		t.Errorf("policy %+v, %v", got, err)
	}
	remove := func(days int64) error {
		out, err := w.DeleteSecret(w.ctx, &client.DeleteSecretInput{
			SecretId: aws.String("a"), RecoveryWindowInDays: &days,
		})
		if err == nil && !out.DeletionDate.Equal(w.now.AddDate(0, 0, int(days))) {
			t.Errorf("got deletion date %v", out.DeletionDate)
		}
		return err
	}
	for _, days := range []int64{0, 6, 31} {
		if err := remove(days); code(err) != "InvalidParameterException" {
			t.Errorf("%d days: got %v", days, err)
		}
	}
	if err := remove(7); err != nil {
		t.Fatal(err)
	}
	const marked = "InvalidRequestException: You can't perform this operation on the secret because it was marked " +
		"for deletion."
	if _, err := w.value("a", nil, nil); fmt.Sprint(err) != marked {
		t.Errorf("a read: got %v", err)
	}
	if _, err := w.GetResourcePolicy(w.ctx, policy); fmt.Sprint(err) != marked {
		t.Errorf("its policy: got %v", err)
	}
	if err := w.put("a", "2", 2); fmt.Sprint(err) != marked {
		t.Errorf("a write: got %v", err)
	}
	if err := remove(7); code(err) != "InvalidRequestException" {
		t.Errorf("a second deletion: got %v", err)
	}
	_, err := w.CreateSecret(w.ctx, &client.CreateSecretInput{Name: aws.String("a")})
	if want := "InvalidRequestException: You can't create this secret because a secret with this name is already " +
		"scheduled for deletion."; fmt.Sprint(err) != want {
		t.Errorf("a creation: got %v", err)
	}
	described, err := w.DescribeSecret(w.ctx, &client.DescribeSecretInput{SecretId: aws.String("a")})
	if err != nil || !described.DeletedDate.Equal(w.now) {
		t.Errorf("got %+v, %v", described, err)
	}
	if _, err := w.RestoreSecret(w.ctx, &client.RestoreSecretInput{SecretId: aws.String("a")}); err != nil {
		t.Fatal(err)
	}
	if got, err := w.value("a", nil, nil); err != nil || got != "1" {
		t.Errorf("after the restoration: got %q, %v", got, err)
	}
	if err := remove(7); err != nil {
		t.Fatal(err)
	}
	w.now = w.now.AddDate(0, 0, 7)
	_, err = w.RestoreSecret(w.ctx, &client.RestoreSecretInput{SecretId: aws.String("a")})
	if code(err) != "ResourceNotFoundException" {
		t.Errorf("after the recovery window: got %v", err)
	}
	if again := w.create("a", "new"); again == arn {
		t.Errorf("a new secret has the old one's ARN %s", arn)
	}
}

func TestAForcedDeletionIsImmediate(t *testing.T) {
	w := newWorld(t)
	w.create("a", "1")
	in := &client.DeleteSecretInput{
		SecretId: aws.String("a"), ForceDeleteWithoutRecovery: aws.Bool(true), RecoveryWindowInDays: aws.Int64(7),
	}
	if _, err := w.DeleteSecret(w.ctx, in); code(err) != "InvalidParameterException" {
		t.Errorf("with a recovery window: got %v", err)
	}
	in.RecoveryWindowInDays = nil
	// The second deletion is of a secret that does not exist.
	for range 2 {
		if out, err := w.DeleteSecret(w.ctx, in); err != nil || *out.Name != "a" || !out.DeletionDate.Equal(w.now) {
			t.Errorf("got %+v, %v", out, err)
		}
	}
	if len(store.Secrets.List(w.Store.View())) > 0 {
		t.Error("the secret is still in the store")
	}
	w.create("a", "2")
}
