package wire

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

func TestAVPCEndpointLeadsToItsServiceAndRegionAlone(t *testing.T) {
	e := newEndpoint(t)
	through := Endpoint{ID: "vpce-1", VPC: "vpc-1", Service: "ec2", Region: "eu-central-1"}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e.ServeHTTP(w, r.WithContext(WithEndpoint(r.Context(), through)))
	}))
	defer srv.Close()
	client := &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, srv.Listener.Addr().String())
		},
	}}
	at := aws.String("http://ec2.eu-central-1.amazonaws.com")
	keys := credentials.NewStaticCredentialsProvider(testKey, testSecret, "")
	describeVPCs := func(region string) error {
		api := ec2.New(ec2.Options{Region: region, BaseEndpoint: at, Credentials: keys, HTTPClient: client})
		_, err := api.DescribeVpcs(t.Context(), &ec2.DescribeVpcsInput{})
		return err
	}
	code := func(err error) string {
		if refusal, ok := errors.AsType[smithy.APIError](err); ok {
			return refusal.ErrorCode()
		}
		return ""
	}
	if err := describeVPCs("eu-central-1"); err != nil || e.ec2.caller.Endpoint != through {
		t.Errorf("by the endpoint: %v, caller %+v", err, e.ec2.caller)
	}
	if err := describeVPCs("eu-west-1"); code(err) != "SignatureDoesNotMatch" {
		t.Errorf("another region: %v", err)
	}
	balancing := elasticloadbalancingv2.New(elasticloadbalancingv2.Options{
		Region: "eu-central-1", BaseEndpoint: at, Credentials: keys, HTTPClient: client,
	})
	_, err := balancing.DescribeLoadBalancers(t.Context(), &elasticloadbalancingv2.DescribeLoadBalancersInput{})
	if code(err) != "SignatureDoesNotMatch" {
		t.Errorf("another service: %v", err)
	}
	through = Endpoint{}
	err = describeVPCs("eu-central-1")
	refusal, ok := errors.AsType[*smithyhttp.ResponseError](err)
	if !ok || refusal.HTTPStatusCode() != http.StatusForbidden {
		t.Errorf("a foreign host name without an endpoint: %v", err)
	}
}
