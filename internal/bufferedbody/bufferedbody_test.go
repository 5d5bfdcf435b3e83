package bufferedbody_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"aloft.dev/aloft/internal/bufferedbody"
)

// The server responds at once, with more than a client reads at a time, while the
// SDK still waits for the end of its request body.
func TestEarlyResponseIsReadToItsEnd(t *testing.T) {
	var item strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&item, "<item><vpcId>vpc-%d</vpcId></item>", i)
	}
	response := `<DescribeVpcsResponse><vpcSet>` + item.String() + `</vpcSet></DescribeVpcsResponse>`
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte(response))
	}))
	defer server.Close()
	connections := &http.Transport{}
	defer connections.CloseIdleConnections()
	client := ec2.New(ec2.Options{
		Region:           "eu-west-1",
		BaseEndpoint:     &server.URL,
		Credentials:      credentials.NewStaticCredentialsProvider("key", "secret", ""),
		RetryMaxAttempts: 1,
		HTTPClient:       bufferedbody.Client{HTTPClient: &http.Client{Transport: connections}},
	})
	for i := range 100 {
		out, err := client.DescribeVpcs(t.Context(), &ec2.DescribeVpcsInput{VpcIds: []string{"vpc-1"}})
		if err != nil {
			t.Fatalf("call %d: %v", i, err)
		}
		if len(out.Vpcs) != 1000 || *out.Vpcs[999].VpcId != "vpc-999" {
			t.Fatalf("call %d returned %d VPCs, want 1000", i, len(out.Vpcs))
		}
	}
}

type doFunc func(*http.Request) (*http.Response, error)

func (f doFunc) Do(r *http.Request) (*http.Response, error) { return f(r) }

func TestRequestWithoutBodyIsPassedThrough(t *testing.T) {
	r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
	var next aws.HTTPClient = doFunc(func(got *http.Request) (*http.Response, error) {
		if got != r {
			t.Error("Do passed on a different request")
		}
		return nil, nil
	})
	if _, err := (bufferedbody.Client{HTTPClient: next}).Do(r); err != nil {
		t.Error(err)
	}
}
