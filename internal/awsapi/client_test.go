package awsapi

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
)

// A response that arrives at once and exceeds one read is read completely by the
// first attempt.
func TestImmediateResponsesAreNotLost(t *testing.T) {
	var requests, conns atomic.Int32
	const item = `<item><vpcId>vpc-0123456789abcdef0</vpcId></item>`
	response := `<DescribeVpcsResponse><vpcSet>` + strings.Repeat(item, 1000) + `</vpcSet></DescribeVpcsResponse>`
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			t.Error(err)
		}
		_, _ = io.WriteString(w, response)
	}))
	srv.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			conns.Add(1)
		}
	}
	srv.Start()
	defer srv.Close()
	c, err := New(
		t.Context(),
		Options{
			Region:      "us-east-1",
			Endpoint:    srv.URL,
			Credentials: credentials.NewStaticCredentialsProvider("key", "secret", ""),
		},
	)
	if err != nil {
		t.Fatal(err)
	}
	const calls = 200
	for range calls {
		out, err := c.EC2.DescribeVpcs(t.Context(), &ec2.DescribeVpcsInput{})
		if err != nil || len(out.Vpcs) != 1000 {
			t.Fatal(out, err)
		}
	}
	if requests.Load() != calls || conns.Load() != 1 {
		t.Errorf("%d requests on %d connections, want %d on 1", requests.Load(), conns.Load(), calls)
	}
}

// A lack of capacity has the status 500, and lasts longer than the SDK would repeat
// the request.
func TestLackOfCapacityIsNotRepeated(t *testing.T) {
	one := int32(1)
	for code, repeated := range map[string]bool{
		"InsufficientInstanceCapacity": false,
		"InsufficientHostCapacity":     false,
		"InternalError":                true,
	} {
		var requests atomic.Int32
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			requests.Add(1)
			w.WriteHeader(http.StatusInternalServerError)
			_, _ = io.WriteString(w, `<Response><Errors><Error><Code>`+code+`</Code><Message>no</Message></Error>`+
				`</Errors></Response>`)
		}))
		c, err := New(t.Context(), Options{
			Region: "us-east-1", Endpoint: srv.URL, MaxBackoff: time.Millisecond,
			Credentials: credentials.NewStaticCredentialsProvider("key", "secret", ""),
		})
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.EC2.RunInstances(t.Context(), &ec2.RunInstancesInput{MinCount: &one, MaxCount: &one})
		if Code(err) != code {
			t.Error(err)
		}
		if n := requests.Load(); (n > 1) != repeated {
			t.Errorf("%s: sent %d times", code, n)
		}
		srv.Close()
	}
}
