package awsapi_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"aloft.dev/aloft/internal/awsapi"
)

func sendError(err error) error {
	return &smithy.OperationError{
		ServiceID:     "EC2",
		OperationName: "CreateVpc",
		Err:           &smithyhttp.RequestSendError{Err: &url.Error{Op: "Post", URL: "https://ec2", Err: err}},
	}
}

func httpError(status int, err error) error {
	return &smithyhttp.ResponseError{
		Response: &smithyhttp.Response{Response: &http.Response{StatusCode: status}},
		Err:      err,
	}
}

func apiError(code string) error { return &smithy.GenericAPIError{Code: code, Message: "text"} }

func TestIsResponseLost(t *testing.T) {
	unreadable := &smithy.DeserializationError{Err: io.ErrUnexpectedEOF}
	wrongName := &tls.CertificateVerificationError{Err: errors.New("other name")}
	op := func(op string, err error) error { return sendError(&net.OpError{Op: op, Err: err}) }
	for what, c := range map[string]struct {
		err  error
		lost bool
	}{
		"no error":                      {nil, false},
		"another error":                 {errors.New("no"), false},
		"connection reset":              {op("read", syscall.ECONNRESET), true},
		"connection broke during write": {op("write", syscall.EPIPE), true},
		"connection closed":             {sendError(io.EOF), true},
		"timeout":                       {sendError(context.DeadlineExceeded), true},
		"connection refused":            {op("dial", syscall.ECONNREFUSED), false},
		"proxy unreachable":             {op("proxyconnect", syscall.ECONNREFUSED), false},
		"unknown host":                  {op("dial", &net.DNSError{IsNotFound: true}), false},
		"wrong certificate":             {sendError(wrongName), false},
		"canceled":                      {&smithy.CanceledError{Err: context.Canceled}, false},
		"canceled with credentials":     {&aws.RequestCanceledError{Err: context.Canceled}, false},
		"incomplete success":            {httpError(http.StatusOK, unreadable), true},
		"incomplete failure":            {httpError(http.StatusBadGateway, unreadable), true},
		"incomplete refusal":            {httpError(http.StatusForbidden, unreadable), false},
		"internal error":                {httpError(500, apiError("InternalError")), true},
		"service unavailable":           {httpError(503, apiError("ServiceUnavailable")), true},
		"failure without a code":        {httpError(502, apiError("UnknownError")), true},
		"throttled":                     {httpError(503, apiError("RequestLimitExceeded")), false},
		"overloaded":                    {httpError(503, apiError("Unavailable")), false},
		"no capacity":                   {httpError(500, apiError("InsufficientInstanceCapacity")), false},
		"refused":                       {httpError(400, apiError("InvalidSubnet.Conflict")), false},
	} {
		if got := awsapi.IsResponseLost(fmt.Errorf("create: %w", c.err)); got != c.lost {
			t.Errorf("%s: lost is %t", what, got)
		}
	}
}

// failing returns a client whose first calls get the given responses; "" breaks the
// connection. Later calls succeed.
func failing(t *testing.T, answers ...string) (client *awsapi.Client, calls *atomic.Int32) {
	t.Helper()
	calls = &atomic.Int32{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		n := int(calls.Add(1))
		switch {
		case n > len(answers):
			_, _ = io.WriteString(w, `<CreateVpcResponse><vpc><vpcId>vpc-1</vpcId></vpc></CreateVpcResponse>`)
		case answers[n-1] == "":
			panic(http.ErrAbortHandler)
		case strings.HasPrefix(answers[n-1], "<"):
			w.Header().Set("Content-Length", "1000") // more than there is
			_, _ = io.WriteString(w, answers[n-1])
		default:
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = fmt.Fprintf(
				w,
				`<Response><Errors><Error><Code>%s</Code><Message>no</Message></Error></Errors></Response>`,
				answers[n-1],
			)
		}
	}))
	t.Cleanup(server.Close)
	client, err := awsapi.New(
		t.Context(),
		awsapi.Options{
			Region:      "eu-west-1",
			Endpoint:    server.URL,
			HTTPClient:  server.Client(),
			MaxBackoff:  time.Millisecond,
			Credentials: credentials.NewStaticCredentialsProvider("key", "secret", ""),
		},
	)
	if err != nil {
		t.Fatal(err)
	}
	return client, calls
}

func TestLostResponsesAreRetriedExceptWithSendOnce(t *testing.T) {
	const half = `<CreateVpcResponse><vpc>`
	for _, c := range []struct {
		answers []string
		sent    int32 // with SendOnce
	}{
		{[]string{""}, 1},
		{[]string{half}, 1},
		{[]string{"InternalError"}, 1},
		{[]string{"RequestLimitExceeded", "Unavailable"}, 3},
		{[]string{"RequestLimitExceeded", ""}, 2},
	} {
		client, calls := failing(t, c.answers...)
		if _, err := client.EC2.CreateVpc(t.Context(), &ec2.CreateVpcInput{}); err != nil ||
			int(calls.Load()) != len(c.answers)+1 {
			t.Errorf("%q: %d calls, %v", c.answers, calls.Load(), err)
		}
		client, calls = failing(t, c.answers...)
		_, err := client.EC2.CreateVpc(t.Context(), &ec2.CreateVpcInput{}, awsapi.SendOnce)
		if lost := int(c.sent) <= len(c.answers); awsapi.IsResponseLost(err) != lost || calls.Load() != c.sent {
			t.Errorf("%q: sent %d times, want %d: %v", c.answers, calls.Load(), c.sent, err)
		}
	}
}

func TestAddOnceDistinguishesAddedFromExisting(t *testing.T) {
	lost, refused := sendError(io.EOF), apiError("UnauthorizedOperation")
	exists := apiError("InvalidPermission.Duplicate")
	for _, c := range []struct {
		answers []error
		added   bool
		err     error
	}{
		{[]error{nil}, true, nil},
		{[]error{exists}, false, nil},
		{[]error{lost, exists}, true, nil},
		{[]error{lost, lost, nil}, true, nil},
		{[]error{refused}, false, refused},
	} {
		synctest.Test(t, func(t *testing.T) {
			n := 0
			added, err := awsapi.AddOnce(t.Context(), func(context.Context) error { n++; return c.answers[n-1] })
			if added != c.added || !errors.Is(err, c.err) {
				t.Errorf("%v: %t, %v", c.answers, added, err)
			}
		})
	}
}

func TestAddOnceEndsWithoutAResponse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		_, err := awsapi.AddOnce(t.Context(), func(context.Context) error { return sendError(io.EOF) })
		if !awsapi.IsResponseLost(err) || time.Since(began) > time.Minute {
			t.Errorf("after %s: %v", time.Since(began), err)
		}
	})
}
