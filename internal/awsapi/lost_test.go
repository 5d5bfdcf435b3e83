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

func sending(err error) error {
	return &smithy.OperationError{
		ServiceID:     "EC2",
		OperationName: "CreateVpc",
		Err:           &smithyhttp.RequestSendError{Err: &url.Error{Op: "Post", URL: "https://ec2", Err: err}},
	}
}

func answered(status int, err error) error {
	return &smithyhttp.ResponseError{
		Response: &smithyhttp.Response{Response: &http.Response{StatusCode: status}},
		Err:      err,
	}
}

func said(code string) error { return &smithy.GenericAPIError{Code: code, Message: "text"} }

func TestWhatMayHaveBeenDoneIsToldFromWhatWasNot(t *testing.T) {
	unreadable := &smithy.DeserializationError{Err: io.ErrUnexpectedEOF}
	for what, c := range map[string]struct {
		err  error
		lost bool
	}{
		"nothing":                             {nil, false},
		"some other error":                    {errors.New("no"), false},
		"the connection broke":                {sending(&net.OpError{Op: "read", Err: syscall.ECONNRESET}), true},
		"it broke while it was written to":    {sending(&net.OpError{Op: "write", Err: syscall.EPIPE}), true},
		"it was closed":                       {sending(io.EOF), true},
		"no answer in time":                   {sending(context.DeadlineExceeded), true},
		"it was refused":                      {sending(&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}), false},
		"the proxy was not reached":           {sending(&net.OpError{Op: "proxyconnect", Err: syscall.ECONNREFUSED}), false},
		"the name is not known":               {sending(&net.OpError{Op: "dial", Err: &net.DNSError{IsNotFound: true}}), false},
		"the server is another":               {sending(&tls.CertificateVerificationError{Err: errors.New("other name")}), false},
		"somebody cancelled":                  {&smithy.CanceledError{Err: context.Canceled}, false},
		"credentials were asked and canceled": {&aws.RequestCanceledError{Err: context.Canceled}, false},
		"half an answer":                      {answered(http.StatusOK, unreadable), true},
		"half of a failure":                   {answered(http.StatusBadGateway, unreadable), true},
		"half of a refusal":                   {answered(http.StatusForbidden, unreadable), false},
		"a failure":                           {answered(http.StatusInternalServerError, said("InternalError")), true},
		"a failure that may be temporary":     {answered(http.StatusServiceUnavailable, said("ServiceUnavailable")), true},
		"a failure without words":             {answered(http.StatusBadGateway, said("UnknownError")), true},
		"too many requests":                   {answered(http.StatusServiceUnavailable, said("RequestLimitExceeded")), false},
		"a server that takes no more":         {answered(http.StatusServiceUnavailable, said("Unavailable")), false},
		"no room":                             {answered(http.StatusInternalServerError, said("InsufficientInstanceCapacity")), false},
		"a refusal":                           {answered(http.StatusBadRequest, said("InvalidSubnet.Conflict")), false},
	} {
		if got := awsapi.IsLost(fmt.Errorf("create: %w", c.err)); got != c.lost {
			t.Errorf("%s: lost is %t", what, got)
		}
	}
}

// failing answers the first calls with what is given, one after the other; "" breaks
// the connection. Later ones succeed.
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

func TestWhatIsLostIsSentAgainUnlessItIsToBeSentOnce(t *testing.T) {
	const half = `<CreateVpcResponse><vpc>`
	for _, c := range []struct {
		answers []string
		sent    int32 // with Once
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
		_, err := client.EC2.CreateVpc(t.Context(), &ec2.CreateVpcInput{}, awsapi.Once)
		if lost := int(c.sent) <= len(c.answers); awsapi.IsLost(err) != lost || calls.Load() != c.sent {
			t.Errorf("%q: sent %d times, want %d: %v", c.answers, calls.Load(), c.sent, err)
		}
	}
}

func TestWhatIsAddedIsToldFromWhatWasThere(t *testing.T) {
	lost, exists, refused := sending(io.EOF), said("InvalidPermission.Duplicate"), said("UnauthorizedOperation")
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
			added, err := awsapi.Added(t.Context(), func(context.Context) error { n++; return c.answers[n-1] })
			if added != c.added || !errors.Is(err, c.err) {
				t.Errorf("%v: %t, %v", c.answers, added, err)
			}
		})
	}
}

func TestAddingEndsWhenNoAnswerArrives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		if _, err := awsapi.Added(t.Context(), func(context.Context) error { return sending(io.EOF) }); !awsapi.IsLost(
			err,
		) ||
			time.Since(began) > time.Minute {
			t.Errorf("after %s: %v", time.Since(began), err)
		}
	})
}
