// Package script runs the scripts of this folder: aloft as people and scripts
// use it, with what it prints and how it exits. Every .txtar file is a script;
// "testscript" in its documentation explains the format.
package script

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net"
	"net/http/httptest"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/rogpeppe/go-internal/testscript"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/cli"
	"aloft.dev/aloft/internal/cloud/api/autoscaling"
	"aloft.dev/aloft/internal/cloud/api/cloudwatch"
	"aloft.dev/aloft/internal/cloud/api/ec2"
	"aloft.dev/aloft/internal/cloud/api/elbv2"
	"aloft.dev/aloft/internal/cloud/api/ssm"
	"aloft.dev/aloft/internal/cloud/api/sts"
	"aloft.dev/aloft/internal/cloud/metric"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"aloft": func() {
		os.Exit(cli.Main(os.Args[1:], "v0.0.0-test", cli.Stdio{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}))
	}})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:           ".",
		UpdateScripts: os.Getenv("UPDATE_SCRIPTS") != "",
		Setup: func(e *testscript.Env) error {
			e.Values[asking{}] = make(chan struct{}, 1)
			e.Setenv("HOME", e.WorkDir+"/home")
			e.Setenv("GIT_CONFIG_NOSYSTEM", "1")
			return os.MkdirAll(e.WorkDir+"/home", 0o700)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits,
			"cloud": cloud,
			"half":  half,
			"keys":  keys,
			"mute":  mute,
			"asked": asked,

			"eventually": eventually,
		},
	})
}

// exits runs a program and demands its exit code: exits 2 aloft plan.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM [ARGUMENT]...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("%v exited with %d, want %d", args[1:], got, want)
	}
}

// half makes what an up leaves that was stopped after its first step: a VPC with
// the application's tags.
func half(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: half APP")
	}
	ctx := context.Background()
	client, err := awsapi.New(ctx, awsapi.Options{
		Region: ts.Getenv("AWS_REGION"), Endpoint: ts.Getenv("AWS_ENDPOINT_URL"),
		Credentials: credentials.NewStaticCredentialsProvider(
			ts.Getenv("AWS_ACCESS_KEY_ID"), ts.Getenv("AWS_SECRET_ACCESS_KEY"), "",
		),
	})
	ts.Check(err)
	tag := func(key, value string) types.Tag { return types.Tag{Key: aws.String(key), Value: aws.String(value)} }
	_, err = client.EC2.CreateVpc(
		ctx,
		&sdk.CreateVpcInput{CidrBlock: aws.String("10.0.0.0/16"), TagSpecifications: []types.TagSpecification{{
			ResourceType: types.ResourceTypeVpc, Tags: []types.Tag{
				tag("aloft:app", args[0]), tag("aloft:address", "vpc"), tag("Name", args[0]),
			},
		}}},
	)
	ts.Check(err)
}

// keys demands that the JSON document on standard output has these keys and no
// others: keys app region.
func keys(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: keys KEY...")
	}
	var document map[string]json.RawMessage
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &document))
	got := slices.Sorted(maps.Keys(document))
	slices.Sort(args)
	if !slices.Equal(got, args) {
		ts.Fatalf("the document has %v, want %v", got, args)
	}
}

// cloud serves the AWS APIs of the local cloud, with nothing behind them, and
// lets --on aws lead there.
func cloud(ts *testscript.TestScript, _ bool, _ []string) {
	s, err := store.Open("")
	ts.Check(err)
	publicRange := netip.MustParsePrefix("198.18.0.0/15")
	compute := ec2.New(ec2.Config{Store: s, PublicRange: publicRange, Images: []ec2.BaseImage{{
		Base: "debian-12", Name: "debian-12-amd64-20261101-1234", Owner: "136693071363", Architecture: "x86_64",
		RootDevice: "/dev/xvda", SizeGiB: 8, Parameter: "/aws/service/debian/release/12/latest/amd64",
	}}})
	handler, err := wire.NewHandler(wire.Config{
		Credentials: func(string) (string, bool) { return "secret", true },
		Services: []wire.Service{
			{Name: "ec2", API: compute},
			{Name: "elasticloadbalancing", API: elbv2.New(elbv2.Config{Store: s, PublicRange: publicRange})},
			{Name: "autoscaling", API: autoscaling.New(autoscaling.Config{Store: s, Templates: compute})},
			{Name: "monitoring", API: cloudwatch.New(cloudwatch.Config{Metrics: &metric.Store{}, Store: s})},
			{Name: "ssm", API: ssm.New(ssm.Config{Store: s, EnsureRegion: compute.EnsureRegion})},
			{Name: "sts", API: sts.New()},
		},
	})
	ts.Check(err)
	server := httptest.NewServer(handler)
	ts.Defer(func() {
		server.Close()
		_ = s.Close()
	})
	lead(ts, server.URL)
}

// mute is a cloud that takes connections and never answers.
func mute(ts *testscript.TestScript, _ bool, _ []string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { _ = l.Close() })
	came := ts.Value(asking{}).(chan struct{})
	go func() { // ends with the listener
		for {
			connection, err := l.Accept()
			if err != nil {
				return
			}
			defer func() { _ = connection.Close() }()
			select {
			case came <- struct{}{}:
			default: // one is enough
			}
		}
	}()
	ts.Setenv("MUTE", l.Addr().String())
	lead(ts, "http://"+l.Addr().String())
}

// asking is the key of the channel that tells that a mute cloud was asked.
type asking struct{}

// asked waits until somebody has asked the mute cloud.
func asked(ts *testscript.TestScript, _ bool, _ []string) {
	select {
	case <-ts.Value(asking{}).(chan struct{}):
	case <-time.After(patience):
		ts.Fatalf("nobody asked")
	}
}

// patience is how long something may take that takes a moment.
const patience = 20 * time.Second

// eventually runs a program again until it succeeds.
func eventually(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: eventually PROGRAM [ARGUMENT]...")
	}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	late := time.After(patience)
	for ts.Exec(args[0], args[1:]...) != nil {
		select {
		case <-tick.C:
		case <-late:
			ts.Fatalf("%v does not succeed", args)
		}
	}
}

func lead(ts *testscript.TestScript, url string) {
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": url, "AWS_ACCESS_KEY_ID": "AKIATEST", "AWS_SECRET_ACCESS_KEY": "secret",
		"AWS_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true",
	} {
		ts.Setenv(name, value)
	}
}
