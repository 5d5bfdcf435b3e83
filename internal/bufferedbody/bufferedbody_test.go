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

// A server that answers at once, with more than a client reads at a time, meets
// the SDK while it still looks for the end of its request.
func TestAQuickAnswerIsReadToItsEnd(t *testing.T) {
	var item strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&item, "<item><vpcId>vpc-%d</vpcId></item>", i)
	}
	answer := `<DescribeVpcsResponse><vpcSet>` + item.String() + `</vpcSet></DescribeVpcsResponse>`
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte(answer))
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
		if err != nil || len(out.Vpcs) != 1000 || *out.Vpcs[999].VpcId != "vpc-999" {
			t.Fatalf("call %d: %v", i, err)
		}
	}
}

type sender func(*http.Request) (*http.Response, error)

func (s sender) Do(r *http.Request) (*http.Response, error) { return s(r) }

func TestARequestWithoutABodyStaysAsItIs(t *testing.T) {
	r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
	var next aws.HTTPClient = sender(func(got *http.Request) (*http.Response, error) {
		if got != r {
			t.Error("another request was sent")
		}
		return nil, nil
	})
	if _, err := (bufferedbody.Client{HTTPClient: next}).Do(r); err != nil {
		t.Error(err)
	}
}
