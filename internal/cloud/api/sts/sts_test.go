package sts_test

import (
	"context"
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/credentials"
	client "github.com/aws/aws-sdk-go-v2/service/sts"

	"aloft.dev/aloft/internal/cloud/api/sts"
	"aloft.dev/aloft/internal/cloud/wire"
)

func TestCallerLearnsWhoItIs(t *testing.T) {
	h, err := wire.NewHandler(wire.Config{
		Services:    []wire.Service{{Name: "sts", API: sts.New()}},
		Credentials: func(string) (string, bool) { return "secret", true },
	})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(h)
	defer srv.Close()
	c := client.New(client.Options{Region: "eu-central-1", BaseEndpoint: &srv.URL,
		Credentials: credentials.NewStaticCredentialsProvider("AKIA", "secret", "")})
	got, err := c.GetCallerIdentity(context.Background(), &client.GetCallerIdentityInput{})
	if err != nil {
		t.Fatal(err)
	}
	if *got.Account != "000000000000" || *got.Arn != "arn:aws:iam::000000000000:user/aloft" || len(*got.UserId) != 21 {
		t.Errorf("caller identity = %s %s %s", *got.Account, *got.Arn, *got.UserId)
	}
}
