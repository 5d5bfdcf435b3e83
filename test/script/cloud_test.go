//go:build linux

package script

import (
	"context"
	"log/slog"
	"net"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/rogpeppe/go-internal/testscript"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/cloud/api/autoscaling"
	"aloft.dev/aloft/internal/cloud/api/cloudwatch"
	"aloft.dev/aloft/internal/cloud/api/cloudwatchlogs"
	"aloft.dev/aloft/internal/cloud/api/ec2"
	"aloft.dev/aloft/internal/cloud/api/elbv2"
	"aloft.dev/aloft/internal/cloud/api/iam"
	"aloft.dev/aloft/internal/cloud/api/s3"
	"aloft.dev/aloft/internal/cloud/api/sns"
	"aloft.dev/aloft/internal/cloud/api/ssm"
	"aloft.dev/aloft/internal/cloud/api/sts"
	"aloft.dev/aloft/internal/cloud/eventlog"
	"aloft.dev/aloft/internal/cloud/metric"
	"aloft.dev/aloft/internal/cloud/objectfile"
	"aloft.dev/aloft/internal/cloud/seal"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// cloud serves the local cloud's AWS APIs, with no control loops behind them, and
// makes --on aws use them.
func cloud(ts *testscript.TestScript, _ bool, _ []string) {
	s, err := store.Open("")
	ts.Check(err)
	publicRange := netip.MustParsePrefix("198.18.0.0/15")
	compute := ec2.New(ec2.Config{Store: s, PublicRange: publicRange, Images: []ec2.BaseImage{{
		Base: "debian-12", Name: "debian-12-amd64-20261101-1234", Owner: "136693071363", Architecture: "x86_64",
		RootDevice: "/dev/xvda", SizeGiB: 8, Parameters: []string{"/aws/service/debian/release/12/latest/amd64"},
	}}})
	events, err := eventlog.Open(filepath.Join(ts.MkAbs("."), "logevents"), 1<<20)
	ts.Check(err)
	files, err := objectfile.Open(filepath.Join(ts.MkAbs("."), "objects"), seal.NewSecret())
	ts.Check(err)
	handler, err := wire.NewHandler(wire.Config{
		Credentials: func(string, string) (wire.Key, error) { return wire.Key{Secret: "secret"}, nil },
		Services: []wire.Service{
			{Name: "ec2", API: compute},
			{Name: "elasticloadbalancing", API: elbv2.New(elbv2.Config{Store: s, PublicRange: publicRange})},
			{Name: "autoscaling", API: autoscaling.New(autoscaling.Config{Store: s, Templates: compute})},
			{Name: "monitoring", API: cloudwatch.New(cloudwatch.Config{Metrics: &metric.Store{}, Store: s})},
			{Name: "iam", API: iam.New(iam.Config{Store: s})},
			{Name: "ssm", API: ssm.New(ssm.Config{
				Store: s, Key: seal.NewRandomKey(), EnsureRegion: compute.EnsureRegion,
			})},
			{Name: "sts", API: sts.New(sts.Config{})},
			{Name: "sns", API: sns.New(sns.Config{Store: s})},
			{Name: "s3", API: s3.New(s3.Config{Store: s, Files: files, Log: slog.New(slog.DiscardHandler)})},
			{Name: "logs", API: cloudwatchlogs.New(cloudwatchlogs.Config{
				Store: s, Events: events, Log: slog.New(slog.DiscardHandler),
			})},
		},
	})
	ts.Check(err)
	server := httptest.NewServer(handler)
	ts.Defer(func() {
		server.Close()
		_ = s.Close()
	})
	useEndpoint(ts, server.URL)
}

// halfDeploy leaves what an up leaves that was stopped after its first step: a VPC
// with the application's tags.
func halfDeploy(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: half-deploy APP")
	}
	ctx := context.Background()
	client, err := awsapi.New(ctx, awsapi.Options{
		Region: ts.Getenv("AWS_REGION"), Endpoint: ts.Getenv("AWS_ENDPOINT_URL"),
		Credentials: credentials.NewStaticCredentialsProvider(
			ts.Getenv("AWS_ACCESS_KEY_ID"), ts.Getenv("AWS_SECRET_ACCESS_KEY"), ""),
	})
	ts.Check(err)
	tag := func(key, value string) types.Tag { return types.Tag{Key: aws.String(key), Value: aws.String(value)} }
	tags := []types.Tag{tag("aloft:app", args[0]), tag("aloft:address", "vpc"), tag("Name", args[0])}
	_, err = client.EC2.CreateVpc(ctx, &sdk.CreateVpcInput{
		CidrBlock:         aws.String("10.0.0.0/16"),
		TagSpecifications: []types.TagSpecification{{ResourceType: types.ResourceTypeVpc, Tags: tags}},
	})
	ts.Check(err)
}

// requestedKey is the key of the channel that receives when a silent cloud is
// contacted.
type requestedKey struct{}

// silentCloud is a cloud that accepts connections and never responds.
func silentCloud(ts *testscript.TestScript, _ bool, _ []string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { _ = l.Close() })
	contacted := ts.Value(requestedKey{}).(chan struct{})
	go func() { // ends when the listener is closed
		for {
			connection, err := l.Accept()
			if err != nil {
				return
			}
			defer func() { _ = connection.Close() }()
			select {
			case contacted <- struct{}{}:
			default: // one signal is enough
			}
		}
	}()
	ts.Setenv("SILENT", l.Addr().String())
	useEndpoint(ts, "http://"+l.Addr().String())
}

// requested waits until the silent cloud is contacted.
func requested(ts *testscript.TestScript, _ bool, _ []string) {
	select {
	case <-ts.Value(requestedKey{}).(chan struct{}):
	case <-time.After(patience):
		ts.Fatalf("the silent cloud was not contacted within %s", patience)
	}
}

// useEndpoint makes AWS clients use the cloud at url.
func useEndpoint(ts *testscript.TestScript, url string) {
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": url, "AWS_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true",
		"AWS_ACCESS_KEY_ID": "AKIATEST", "AWS_SECRET_ACCESS_KEY": "secret",
	} {
		ts.Setenv(name, value)
	}
}
