package wire

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// noon is the time of endpoints created with atNoon.
var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func now() time.Time { return time.Now() }

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// fakeEC2 implements a few operations of EC2, all of which return err.
type fakeEC2 struct {
	err    error
	out    *ec2.DescribeVpcsOutput
	got    *ec2.DescribeVpcsInput
	caller Caller
}

func (f *fakeEC2) DescribeVpcs(ctx context.Context, in *ec2.DescribeVpcsInput) (*ec2.DescribeVpcsOutput, error) {
	f.got, f.caller = in, CallerFrom(ctx)
	return f.out, f.err
}

func (f *fakeEC2) DescribeSecurityGroups(
	context.Context, *ec2.DescribeSecurityGroupsInput,
) (*ec2.DescribeSecurityGroupsOutput, error) {
	return &ec2.DescribeSecurityGroupsOutput{
		SecurityGroups: []types.SecurityGroup{{GroupId: aws.String("sg-1"), IpPermissions: []types.IpPermission{}}},
	}, f.err
}

func (f *fakeEC2) DeleteVpc(context.Context, *ec2.DeleteVpcInput) (*ec2.DeleteVpcOutput, error) {
	return &ec2.DeleteVpcOutput{}, f.err
}

func (f *fakeEC2) DeleteSubnet(context.Context, *ec2.DeleteSubnetInput) (*ec2.DeleteSubnetOutput, error) {
	panic("the cause")
}

// Helper is not an operation, so it is not served.
func (f *fakeEC2) Helper() {}

type fakeELB struct{ err error }

func (f *fakeELB) DescribeLoadBalancers(
	context.Context, *elasticloadbalancingv2.DescribeLoadBalancersInput,
) (*elasticloadbalancingv2.DescribeLoadBalancersOutput, error) {
	return &elasticloadbalancingv2.DescribeLoadBalancersOutput{}, f.err
}

type fakeSTS struct{}

func (fakeSTS) GetCallerIdentity(
	ctx context.Context, _ *sts.GetCallerIdentityInput,
) (*sts.GetCallerIdentityOutput, error) {
	return &sts.GetCallerIdentityOutput{Account: aws.String(AccountFrom(ctx))}, nil
}

type fakeSSM struct{ err error }

func (f *fakeSSM) GetParameter(context.Context, *ssm.GetParameterInput) (*ssm.GetParameterOutput, error) {
	return &ssm.GetParameterOutput{}, f.err
}

// endpoint is a handler over the fakes, with its log.
type endpoint struct {
	http.Handler
	ec2 *fakeEC2
	elb *fakeELB
	ssm *fakeSSM
	log *bytes.Buffer
}

func newEndpoint(t testing.TB, change ...func(*Config)) *endpoint {
	t.Helper()
	e := &endpoint{
		ec2: &fakeEC2{out: &ec2.DescribeVpcsOutput{}},
		elb: &fakeELB{},
		ssm: &fakeSSM{},
		log: &bytes.Buffer{},
	}
	cfg := Config{
		Services: []Service{
			{Name: "ec2", API: e.ec2, Unsigned: []string{"DescribeVpcs"}}, {Name: "elasticloadbalancing", API: e.elb},
			{Name: "sts", API: fakeSTS{}}, {Name: "ssm", API: e.ssm},
		},
		Credentials:  testCredentials,
		Now:          now,
		NewRequestID: func() string { return "request-1" },
		Log:          slog.New(slog.NewTextHandler(e.log, nil)),
	}
	for _, c := range change {
		c(&cfg)
	}
	h, err := NewHandler(cfg)
	if err != nil {
		t.Fatal(err)
	}
	e.Handler = h
	return e
}

// atNoon stops the endpoint's clock.
func atNoon(c *Config) { c.Now = func() time.Time { return noon } }

// send sends a request directly, without a client.
func (e *endpoint) send(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	e.ServeHTTP(w, r)
	return w
}

// query returns an unsigned query request.
func query(body string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1:4566/", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	return r
}

// signed signs a request with the SDK's signer, as a client would.
func signed(t testing.TB, r *http.Request, service, body, key, secret string, at time.Time) *http.Request {
	t.Helper()
	err := v4.NewSigner().SignHTTP(context.Background(), aws.Credentials{AccessKeyID: key, SecretAccessKey: secret},
		r, hexSHA256(body), service, "eu-central-1", at)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func presigned(t testing.TB, service, params, key, secret string, at time.Time) *http.Request {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, "http://127.0.0.1:4566/?"+params, nil)
	u, _, err := v4.NewSigner().
		PresignHTTP(context.Background(), aws.Credentials{AccessKeyID: key, SecretAccessKey: secret},
			r, hexSHA256(""), service, "eu-central-1", at)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := url.Parse(u)
	if err != nil {
		t.Fatal(err)
	}
	r.URL = parsed
	return r
}
