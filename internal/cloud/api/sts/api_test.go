package sts_test

import (
	"context"
	"testing"

	client "github.com/aws/aws-sdk-go-v2/service/sts"

	"aloft.dev/aloft/internal/cloud/api/sts"
	"aloft.dev/aloft/internal/cloud/wire"
	"aloft.dev/aloft/internal/cloud/wire/wiretest"
)

func TestGetCallerIdentity(t *testing.T) {
	c := client.NewFromConfig(wiretest.Serve(t, "eu-central-1", wire.Service{Name: "sts", API: sts.New(sts.Config{})}))
	got, err := c.GetCallerIdentity(context.Background(), &client.GetCallerIdentityInput{})
	if err != nil {
		t.Fatal(err)
	}
	if *got.Account != "000000000000" || *got.Arn != "arn:aws:iam::000000000000:user/aloft" || len(*got.UserId) != 21 {
		t.Errorf("caller identity = %s %s %s", *got.Account, *got.Arn, *got.UserId)
	}
}
