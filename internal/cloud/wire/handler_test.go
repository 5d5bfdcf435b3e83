package wire

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	parameters "github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/aws/smithy-go"
)

// This test uses a real connection, as other clients do.
func TestSDKClientCallsAPI(t *testing.T) {
	e := newEndpoint(t)
	e.ec2.out = &ec2.DescribeVpcsOutput{
		Vpcs: []types.Vpc{{VpcId: aws.String("vpc-1"), IsDefault: aws.Bool(false), State: types.VpcStateAvailable}},
	}
	srv := httptest.NewServer(e)
	defer srv.Close()
	client := ec2.New(ec2.Options{Region: "eu-central-1", BaseEndpoint: &srv.URL,
		Credentials: credentials.NewStaticCredentialsProvider(testKey, testSecret, "")})
	out, err := client.DescribeVpcs(context.Background(), &ec2.DescribeVpcsInput{
		Filters: []types.Filter{{Name: aws.String("tag:a b"), Values: []string{"x&y", "ü"}}}})
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Vpcs) != 1 || *out.Vpcs[0].VpcId != "vpc-1" || *out.Vpcs[0].IsDefault {
		t.Errorf("output = %+v", out.Vpcs)
	}
	if f := e.ec2.got.Filters; len(f) != 1 || f[0].Values[1] != "ü" {
		t.Errorf("filters = %+v", f)
	}
	want := Caller{
		AccessKeyID: testKey, Region: "eu-central-1", RequestID: "request-1",
		SourceIP: "127.0.0.1",
	}
	if e.ec2.caller.UserAgent == "" {
		t.Error("the caller has no user agent")
	}
	e.ec2.caller.UserAgent = ""
	if e.ec2.caller != want {
		t.Errorf("caller = %+v, want %+v", e.ec2.caller, want)
	}
}

func TestErrorsKeepTheirCodes(t *testing.T) {
	e := newEndpoint(t)
	refusal := &Error{Code: "InvalidVpcID.NotFound", Message: "The vpc ID 'vpc-<1>' does not exist"}
	e.ec2.err = refusal
	e.elb.err = &Error{Code: "LoadBalancerNotFound", Message: "One or more load balancers not found"}
	e.ssm.err = &Error{Code: "ParameterNotFound"}
	cfg := testConfig(e)
	vpcs := ec2.NewFromConfig(cfg)

	_, err := vpcs.DescribeVpcs(context.Background(), &ec2.DescribeVpcsInput{})
	wantAPIError(t, err, refusal.Code, refusal.Message)
	var response interface{ HTTPStatusCode() int }
	if !errors.As(err, &response) || response.HTTPStatusCode() != http.StatusBadRequest {
		t.Errorf("status of %v is not 400", err)
	}
	_, err = elasticloadbalancingv2.NewFromConfig(cfg).
		DescribeLoadBalancers(context.Background(), &elasticloadbalancingv2.DescribeLoadBalancersInput{})
	if _, ok := errors.AsType[*elb.LoadBalancerNotFoundException](err); !ok {
		t.Errorf("error = %v, want LoadBalancerNotFoundException", err)
	}
	_, err = ssm.NewFromConfig(cfg).GetParameter(context.Background(), &ssm.GetParameterInput{Name: aws.String("x")})
	if _, ok := errors.AsType[*parameters.ParameterNotFound](err); !ok {
		t.Errorf("error = %v, want ParameterNotFound", err)
	}

	e.ec2.err = DryRunOperation()
	_, err = vpcs.DescribeVpcs(context.Background(), &ec2.DescribeVpcsInput{DryRun: aws.Bool(true)})
	wantAPIError(t, err, "DryRunOperation", "Request would have succeeded, but DryRun flag is set.")
	if !errors.As(err, &response) || response.HTTPStatusCode() != http.StatusPreconditionFailed {
		t.Errorf("status of %v is not 412", err)
	}
}

func TestUnsupportedRequestsAreRefused(t *testing.T) {
	e := newEndpoint(t)
	cfg := testConfig(e)
	_, err := ec2.NewFromConfig(cfg).CreateVpc(context.Background(), &ec2.CreateVpcInput{})
	wantAPIError(t, err, "NotImplemented", "aloft's local cloud does not implement ec2:CreateVpc")
	_, err = ssm.NewFromConfig(cfg).
		DeleteParameter(context.Background(), &ssm.DeleteParameterInput{Name: aws.String("x")})
	wantAPIError(t, err, "NotImplemented", "aloft's local cloud does not implement ssm:DeleteParameter")

	_, err = cloudwatchlogs.NewFromConfig(cfg).
		DescribeLogGroups(context.Background(), &cloudwatchlogs.DescribeLogGroupsInput{})
	wantAPIError(t, err, "NotImplemented", "aloft's local cloud does not implement the service logs")

	for body, code := range map[string]string{
		"Action=Helper&Version=2016-11-15":                                           "InvalidAction",
		"Version=2016-11-15":                                                         "MissingAction",
		"Action=DescribeVpcs&Version=2016-11-15&Vpc.1=x":                             "UnknownParameter",
		"Action=DescribeVpcs&Version=2016-11-15&Filter.1.Nme=x":                      "UnknownParameter",
		"Action=DescribeVpcs&Version=2016-11-15&VpcId.1=%zz":                         "MalformedQueryString",
		"Action=DescribeVpcs&Version=2016-11-15&MaxResults=many":                     "InvalidParameterValue",
		"Action=DescribeVpcs&Version=2016-11-15&MaxResults=999999999999":             "InvalidParameterValue",
		"Action=DescribeVpcs&Version=2016-11-15&DryRun=maybe":                        "InvalidParameterValue",
		"Action=DescribeVpcs&Version=2016-11-15&x" + strings.Repeat(".y", 40) + "=1": "MalformedQueryString",
	} {
		w := e.send(signed(t, query(body), "ec2", body, testKey, testSecret, now()))
		if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "<Code>"+code+"</Code>") {
			t.Errorf("%s: response = %d %s, want %s", body, w.Code, w.Body, code)
		}
	}
}

func TestInternalErrorsAreOnlyLogged(t *testing.T) {
	e := newEndpoint(t)
	client := ec2.NewFromConfig(testConfig(e))
	e.ec2.err = errors.New("the cause")
	_, err := client.DescribeVpcs(context.Background(), &ec2.DescribeVpcsInput{})
	wantAPIError(t, err, "InternalError", "An internal error has occurred.")
	_, err = client.DeleteSubnet(
		context.Background(),
		&ec2.DeleteSubnetInput{SubnetId: aws.String("subnet-1")},
	) // panics
	wantAPIError(t, err, "InternalError", "An internal error has occurred.")
	e.ec2.err, e.ec2.out = nil, nil
	_, err = client.DescribeVpcs(context.Background(), &ec2.DescribeVpcsInput{})
	wantAPIError(t, err, "InternalError", "An internal error has occurred.")
	if n := strings.Count(e.log.String(), "the cause"); n != 2 {
		t.Errorf("the log has the cause %d times, want 2:\n%s", n, e.log)
	}
}

func TestFullDiskIsAnErrorThatPasses(t *testing.T) {
	e := newEndpoint(t)
	e.ec2.err = fmt.Errorf("write the change: %w", syscall.ENOSPC)
	_, err := ec2.NewFromConfig(testConfig(e)).DescribeVpcs(context.Background(), &ec2.DescribeVpcsInput{})
	wantAPIError(t, err, "ServiceUnavailable",
		"Nothing was changed, because the disk of the local cloud's host is full: no space left on device.")
}

func TestRequestLogHasNoValues(t *testing.T) {
	e := newEndpoint(t)
	body := describe + "&VpcId.1=vpc-secret&Filter.1.Name=tag:secret&Bogus.1=secret"
	e.send(signed(t, query(body), "ec2", body, testKey, testSecret, now()))
	log := e.log.String()
	for _, want := range []string{
		"service=ec2", "operation=DescribeVpcs", "region=eu-central-1", `parameters="[Bogus Filter VpcId]"`,
		"unknown=[Bogus.1]", "code=UnknownParameter", "request=request-1",
	} {
		if !strings.Contains(log, want) {
			t.Errorf("log lacks %s: %s", want, log)
		}
	}
	if strings.Contains(log, "secret") {
		t.Errorf("log contains a value: %s", log)
	}
}

func TestOnlyFailuresOfQuietOperationsAreLogged(t *testing.T) {
	e := newEndpoint(t, func(c *Config) {
		for i := range c.Services {
			c.Services[i].Quiet = []string{"DescribeVpcs"}
		}
	})
	e.send(signed(t, query(describe), "ec2", describe, testKey, testSecret, now()))
	if log := e.log.String(); log != "" {
		t.Errorf("a success is logged: %s", log)
	}
	body := describe + "&Bogus.1=x"
	e.send(signed(t, query(body), "ec2", body, testKey, testSecret, now()))
	if log := e.log.String(); !strings.Contains(log, "code=UnknownParameter") {
		t.Errorf("a failure is not logged: %s", log)
	}
}

func TestXMLResponses(t *testing.T) {
	e := newEndpoint(t)
	tests := []struct{ service, body, response string }{
		{
			"ec2",
			describe,
			`<DescribeVpcsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">` +
				`<requestId>request-1</requestId></DescribeVpcsResponse>`,
		},
		{
			"ec2",
			"Action=DeleteVpc&VpcId=vpc-1",
			`<DeleteVpcResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">` +
				`<requestId>request-1</requestId><return>true</return></DeleteVpcResponse>`,
		},
		{
			"ec2",
			"Action=DescribeSecurityGroups",
			`<DescribeSecurityGroupsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">` +
				`<requestId>request-1</requestId><securityGroupInfo><item><groupId>sg-1</groupId>` +
				`<ipPermissions></ipPermissions></item></securityGroupInfo></DescribeSecurityGroupsResponse>`,
		},
		{
			"ec2",
			"Action=Nonsense",
			`<Response><Errors><Error><Code>InvalidAction</Code>` +
				`<Message>The action Nonsense is not valid for this web service.</Message></Error>` +
				`</Errors><RequestID>request-1</RequestID></Response>`,
		},
		{
			"sts",
			"Action=GetCallerIdentity",
			`<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">` +
				`<GetCallerIdentityResult><Account>000000000000</Account></GetCallerIdentityResult>` +
				`<ResponseMetadata><RequestId>request-1</RequestId></ResponseMetadata></GetCallerIdentityResponse>`,
		},
		{
			"sts",
			"Action=Nonsense",
			`<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error>` +
				`<Type>Sender</Type><Code>InvalidAction</Code>` +
				`<Message>The action Nonsense is not valid for this web service.</Message></Error>` +
				`<RequestId>request-1</RequestId></ErrorResponse>`,
		},
	}
	for _, tc := range tests {
		w := e.send(signed(t, query(tc.body), tc.service, tc.body, testKey, testSecret, now()))
		if got := strings.TrimPrefix(w.Body.String(), xmlHeader); got != tc.response {
			t.Errorf("%s:\n got %s\nwant %s", tc.body, got, tc.response)
		}
		if id := w.Header().Get("X-Amzn-Requestid"); id != "request-1" {
			t.Errorf("request id header = %q", id)
		}
	}
}

func TestLargeRequestsAreRefused(t *testing.T) {
	body := describe + "&VpcId.1=" + strings.Repeat("x", maxBody)
	if w := newEndpoint(t).send(signed(
		t, query(body), "ec2", body, testKey, testSecret, now(),
	)); w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("status = %d, want 413", w.Code)
	}
}

func TestNewHandlerRefusesWrongSignatures(t *testing.T) {
	_, err := NewHandler(Config{Services: []Service{{Name: "ec2", API: wrongAPI{}}}})
	if err == nil || !strings.Contains(err.Error(), "operation DescribeVpcs") {
		t.Errorf("error = %v", err)
	}
	if _, err := NewHandler(Config{Services: []Service{{Name: "nonsense", API: wrongAPI{}}}}); err == nil {
		t.Error("NewHandler accepted an unknown service")
	}
}

type wrongAPI struct{}

func (wrongAPI) DescribeVpcs(context.Context, *ec2.DescribeSubnetsInput) (*ec2.DescribeVpcsOutput, error) {
	return nil, errors.ErrUnsupported
}

func wantAPIError(t *testing.T, err error, code, message string) {
	t.Helper()
	apiErr, ok := errors.AsType[smithy.APIError](err)
	if !ok || apiErr.ErrorCode() != code || apiErr.ErrorMessage() != message {
		t.Errorf("error = %v, want %s: %s", err, code, message)
	}
}

// The API promises a median below one millisecond, as the SDK's client measures
// it.
func BenchmarkDescribeVpcs(b *testing.B) {
	e := newEndpoint(b, func(c *Config) { c.Log = nil })
	vpc := types.Vpc{
		VpcId:           aws.String("vpc-0123456789abcdef0"),
		CidrBlock:       aws.String("10.0.0.0/16"),
		State:           types.VpcStateAvailable,
		IsDefault:       aws.Bool(false),
		InstanceTenancy: types.TenancyDefault,
		OwnerId:         aws.String("000000000000"),
		DhcpOptionsId:   aws.String("dopt-1"),
		Tags: []types.Tag{
			{Key: aws.String("aloft:app"), Value: aws.String("tutorial")},
			{Key: aws.String("Name"), Value: aws.String("tutorial")},
		},
	}
	e.ec2.out = &ec2.DescribeVpcsOutput{Vpcs: []types.Vpc{vpc, vpc, vpc}}
	srv := httptest.NewServer(e)
	defer srv.Close()
	client := ec2.New(ec2.Options{Region: "eu-central-1", BaseEndpoint: &srv.URL,
		Credentials: credentials.NewStaticCredentialsProvider(testKey, testSecret, "")})
	in := &ec2.DescribeVpcsInput{
		Filters: []types.Filter{{Name: aws.String("tag:aloft:app"), Values: []string{"tutorial"}}},
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := client.DescribeVpcs(context.Background(), in); err != nil {
			b.Fatal(err)
		}
	}
}

// Clients of REST services read errors in JSON, and those of query services in XML.
func TestErrorsAboutUnknownServicesAreReadable(t *testing.T) {
	e := newEndpoint(t)
	for _, test := range []struct{ service, method, path, contentType, want string }{
		{"lambda", http.MethodGet, "/2015-03-31/functions", "", "application/"},
		{"lambda", http.MethodPost, "/2015-03-31/functions", "application/json", "application/"},
		{"rds", http.MethodPost, "/", "application/x-www-form-urlencoded; charset=utf-8", "text/xml"},
		{"rds", http.MethodGet, "/?Action=DescribeDBInstances", "", "text/xml"},
		{"cloudfront", http.MethodGet, "/2020-05-31/distribution", "", "text/xml"},
		{"route53", http.MethodGet, "/2013-04-01/hostedzone", "", "text/xml"},
	} {
		r := httptest.NewRequest(test.method, "http://127.0.0.1"+test.path, nil)
		r.Header.Set("X-Amz-Date", noon.Format(basicTime))
		r.Header.Set("Content-Type", test.contentType)
		r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKID/"+noon.Format("20060102")+"/us-east-1/"+
			test.service+"/aws4_request, SignedHeaders=host;x-amz-date, Signature="+strings.Repeat("0", 64))
		answer := e.send(r)
		if got := answer.Header().Get("Content-Type"); !strings.HasPrefix(got, test.want) ||
			!strings.Contains(answer.Body.String(), "does not implement the service "+test.service) {
			t.Errorf("%v: %s %s", test, got, answer.Body)
		}
	}
}
