package iam_test

import (
	"context"
	"crypto/rand"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/iam"

	"aloft.dev/aloft/internal/cloud/api/iam"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// salts returns random salts of passwords, and calls a function before the first one.
type salts func()

func (s *salts) Read(b []byte) (int, error) {
	if f := *s; f != nil {
		*s = nil
		f()
	}
	return rand.Read(b)
}

// Hashing takes long, and must not keep others from writing. It counts only for what it has read.
func TestPasswordsAreHashedOutsideOfTransactions(t *testing.T) {
	s, err := store.Open("")
	if err != nil {
		t.Fatal(err)
	}
	random := new(salts)
	api := iam.New(iam.Config{Store: s, Random: random})
	ctx := wire.WithCaller(t.Context(), wire.Caller{Region: "us-east-1"})
	must(api.CreateUser(ctx, &client.CreateUserInput{UserName: aws.String("ada")}))(t)
	must(api.CreateLoginProfile(ctx, &client.CreateLoginProfileInput{
		UserName: aws.String("ada"), Password: aws.String("First-password"),
	}))(t)
	*random = func() {
		done := make(chan error, 1)
		go func() {
			_, err := api.UpdateLoginProfile(ctx, &client.UpdateLoginProfileInput{
				UserName: aws.String("ada"), Password: aws.String("Second-password"),
			})
			done <- err
		}()
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(10 * time.Second):
			t.Error("another transaction has to wait for a password's hash")
		}
	}
	change := func(ctx context.Context, from, to string) error {
		_, err := api.ChangePassword(ctx, &client.ChangePasswordInput{OldPassword: &from, NewPassword: &to})
		return err
	}
	ada := wire.WithCaller(t.Context(), wire.Caller{
		AccessKeyID: "AKIA", Region: "us-east-1", Principal: wire.Principal{User: "ada"},
	})
	if err := change(ada, "First-password", "Third-password"); err == nil {
		t.Error("a password that had changed meanwhile let its user change it")
	}
	if err := change(ada, "Second-password", "Third-password"); err != nil {
		t.Error(err)
	}
}
