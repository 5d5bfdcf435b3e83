package wire

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
)

type (
	next   = func(context.Context) (any, error)
	around = func(context.Context, Call, next) (any, error)
)

// aroundClient returns a client that does not retry, of an endpoint that surrounds
// its operations.
func aroundClient(t *testing.T, around around) (*ec2.Client, *endpoint) {
	t.Helper()
	e := newEndpoint(t, func(c *Config) { c.Around = around })
	srv := httptest.NewServer(e)
	t.Cleanup(srv.Close)
	return ec2.New(ec2.Options{
		Region: "eu-central-1", BaseEndpoint: &srv.URL, Retryer: aws.NopRetryer{},
		Credentials: credentials.NewStaticCredentialsProvider(testKey, testSecret, ""),
	}), e
}

func TestOperationsAreSurrounded(t *testing.T) {
	var seen string
	client, e := aroundClient(t, func(ctx context.Context, c Call, next next) (any, error) {
		in, ok := c.Input.(*ec2.DescribeVpcsInput)
		seen = fmt.Sprint(c.Service, c.Operation, ok && in.VpcIds[0] == "vpc-1", RegionFrom(ctx))
		return next(ctx)
	})
	if _, err := client.DescribeVpcs(t.Context(), &ec2.DescribeVpcsInput{VpcIds: []string{"vpc-1"}}); err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprint("ec2", "DescribeVpcs", true, "eu-central-1"); seen != want || e.ec2.got == nil {
		t.Errorf("saw %s and ran %v, want %s", seen, e.ec2.got, want)
	}
}

func TestAnOperationMayBeRefusedBeforeItRuns(t *testing.T) {
	client, e := aroundClient(t, func(context.Context, Call, next) (any, error) {
		return nil, &Error{Code: "RequestLimitExceeded", Message: "Request limit exceeded.", Status: 503}
	})
	_, err := client.DescribeVpcs(t.Context(), &ec2.DescribeVpcsInput{})
	wantAPIError(t, err, "RequestLimitExceeded", "Request limit exceeded.")
	if e.ec2.got != nil {
		t.Error("the operation ran")
	}
}

func TestAResponseCanBeLostAfterTheOperation(t *testing.T) {
	client, e := aroundClient(t, func(ctx context.Context, _ Call, next next) (any, error) {
		_, err := next(ctx)
		return nil, errors.Join(err, ErrHangUp)
	})
	out, err := client.DescribeVpcs(t.Context(), &ec2.DescribeVpcsInput{})
	if err == nil || !strings.Contains(err.Error(), "EOF") {
		t.Errorf("got %v, %v; want the end of the connection", out, err)
	}
	if e.ec2.got == nil {
		t.Error("the operation did not run")
	}
	if !strings.Contains(e.log.String(), `code="closed the connection"`) {
		t.Errorf("the log does not say so:\n%s", e.log)
	}
}
