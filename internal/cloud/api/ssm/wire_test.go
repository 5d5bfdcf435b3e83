package ssm_test

import (
	"context"
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"aloft.dev/aloft/internal/cloud/wire"
	"aloft.dev/aloft/internal/cloud/wire/wiretest"
)

func TestTheSDKHoldsALock(t *testing.T) {
	api, ctx := newAPI(t)
	c := client.NewFromConfig(wiretest.Serve(t, "us-east-1", wire.Service{Name: "ssm", API: api}))

	lock := &client.PutParameterInput{
		Name:  aws.String("/aloft/tutorial/lock"),
		Value: aws.String(`{"owner":"me"}`),
		Type:  types.ParameterTypeString,
	}
	if _, err := c.PutParameter(ctx, lock); err != nil {
		t.Fatal(err)
	}
	_, err := c.PutParameter(ctx, lock)
	if _, ok := errors.AsType[*types.ParameterAlreadyExists](err); !ok {
		t.Errorf("a second lock: got %v", err)
	}
	got, err := c.GetParameter(context.Background(), &client.GetParameterInput{Name: lock.Name})
	if err != nil || *got.Parameter.Value != *lock.Value || got.Parameter.Version != 1 ||
		got.Parameter.LastModifiedDate.Year() != 2026 {
		t.Errorf("got %+v, error %v", got, err)
	}
	if _, err := c.DeleteParameter(ctx, &client.DeleteParameterInput{Name: lock.Name}); err != nil {
		t.Error(err)
	}
	_, err = c.GetParameter(ctx, &client.GetParameterInput{Name: lock.Name})
	if _, ok := errors.AsType[*types.ParameterNotFound](err); !ok {
		t.Errorf("after the release of the lock: got %v", err)
	}
}
