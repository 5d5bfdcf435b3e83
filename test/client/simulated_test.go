//go:build linux

package client

import (
	"context"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud"
	"aloft.dev/aloft/internal/cloud/host"
)

// simulated is a simulated cloud in this process, as aloft local start --simulated runs it.
type simulated struct {
	layout   host.Layout
	daemon   host.Daemon
	key      host.Credentials
	endpoint string
}

// startSimulated starts a simulated cloud that ends with the test, after the changes of its
// configuration.
func startSimulated(t *testing.T, changes ...func(*cloud.Config)) simulated {
	t.Helper()
	layout, err := host.MarkSimulated(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	config := cloud.Config{
		Layout: layout, Address: "127.0.0.1:0", Version: "test", AnyImage: true, Log: slog.New(slog.DiscardHandler),
	}
	for _, change := range changes {
		change(&config)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- cloud.Run(ctx, config) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	s := simulated{layout: layout}
	for began := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		if s.daemon, err = host.FindDaemon(t.Context(), layout); err == nil {
			break
		}
		if time.Since(began) > 20*time.Second {
			t.Fatal(err)
		}
	}
	if s.key, err = host.ReadCredentials(layout); err != nil {
		t.Fatal(err)
	}
	s.endpoint = "http://" + s.daemon.Address
	return s
}

// ec2 returns a client of a region.
func (s simulated) ec2(region string) *ec2.Client {
	return ec2.New(ec2.Options{
		Region: region, BaseEndpoint: &s.endpoint,
		Credentials: credentials.NewStaticCredentialsProvider(s.key.AccessKeyID, s.key.SecretAccessKey, ""),
	})
}

// command returns a command with the environment that clients read.
func (s simulated) command(t *testing.T, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Env = append(os.Environ(), "AWS_ENDPOINT_URL="+s.endpoint, "AWS_REGION=us-east-1", "AWS_PAGER=",
		"AWS_DEFAULT_REGION=us-east-1", "AWS_EC2_METADATA_DISABLED=true",
		"AWS_ACCESS_KEY_ID="+s.key.AccessKeyID, "AWS_SECRET_ACCESS_KEY="+s.key.SecretAccessKey)
	return cmd
}

// fast makes the SDK's waiter ask often.
func fast(o *ec2.InstanceRunningWaiterOptions) {
	o.MinDelay, o.MaxDelay = 10*time.Millisecond, 10*time.Millisecond
}

func TestSimulatedInstancesRunAtOnceFromAnyImage(t *testing.T) {
	s := startSimulated(t)
	client := s.ec2("eu-central-1")
	run := must[*ec2.RunInstancesOutput](t)(client.RunInstances(t.Context(), &ec2.RunInstancesInput{
		ImageId: aws.String("ami-0123456789abcdef0"), MinCount: aws.Int32(3), MaxCount: aws.Int32(3),
	}))
	var ids []string
	for _, i := range run.Instances {
		ids = append(ids, *i.InstanceId)
	}
	in := &ec2.DescribeInstancesInput{InstanceIds: ids}
	if err := ec2.NewInstanceRunningWaiter(client, fast).Wait(t.Context(), in, time.Minute); err != nil {
		t.Fatal(err)
	}
	must[*ec2.TerminateInstancesOutput](t)(client.TerminateInstances(
		t.Context(), &ec2.TerminateInstancesInput{InstanceIds: ids},
	))
	elsewhere := must[*ec2.DescribeInstancesOutput](t)(s.ec2("us-east-1").DescribeInstances(
		t.Context(), &ec2.DescribeInstancesInput{},
	))
	if len(elsewhere.Reservations) != 0 {
		t.Errorf("another region has %d reservations", len(elsewhere.Reservations))
	}
	status, err := s.daemon.Status(t.Context(), s.layout)
	if err != nil || !status.Simulated {
		t.Errorf("status %+v, %v", status, err)
	}
}

func TestResetEmptiesASimulatedCloudBehindTheSameAddress(t *testing.T) {
	s := startSimulated(t)
	client := s.ec2("us-east-1")
	list := func() (ids []string) {
		for _, vpc := range must[*ec2.DescribeVpcsOutput](t)(client.DescribeVpcs(t.Context(), nil)).Vpcs {
			ids = append(ids, *vpc.VpcId)
		}
		return ids
	}
	before := list()
	for range 3 {
		must[*ec2.CreateVpcOutput](t)(client.CreateVpc(t.Context(), &ec2.CreateVpcInput{
			CidrBlock: aws.String("10.0.0.0/16"),
		}))
		if got := list(); len(got) != 2 {
			t.Fatalf("VPCs %v", got)
		}
		if err := s.daemon.Reset(t.Context(), s.layout); err != nil {
			t.Fatal(err)
		}
		after := list()
		if len(after) != 1 || after[0] == before[0] {
			t.Fatalf("VPCs %v after a reset, %v before", after, before)
		}
	}
	run := must[*ec2.RunInstancesOutput](t)(client.RunInstances(t.Context(), &ec2.RunInstancesInput{
		ImageId: aws.String("ami-0123456789abcdef0"), MinCount: aws.Int32(1), MaxCount: aws.Int32(1),
	}))
	in := &ec2.DescribeInstancesInput{InstanceIds: []string{*run.Instances[0].InstanceId}}
	if err := ec2.NewInstanceRunningWaiter(client, fast).Wait(t.Context(), in, time.Minute); err != nil {
		t.Errorf("the loops do not run after a reset: %v", err)
	}
}

func TestAFolderOfMachinesIsNotSimulated(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "aloft.db"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := host.MarkSimulated(dir); err == nil || !strings.Contains(err.Error(), "machines") {
		t.Errorf("got %v", err)
	}
	if layout, err := host.LayoutFor(dir); err != nil || layout.Simulated {
		t.Errorf("layout %+v, %v", layout, err)
	}
}

// documentedCommand matches the AWS CLI's commands in the page of clients.
var documentedCommand = regexp.MustCompile(`(?m)^aws .*$`)

func TestDocumentedCommandsOfTheAWSCLIWork(t *testing.T) {
	page, err := os.ReadFile("../../docs/clients.md")
	if err != nil {
		t.Fatal(err)
	}
	commands := documentedCommand.FindAllString(string(page), -1)
	if len(commands) < 4 {
		t.Fatalf("the page has %d commands", len(commands))
	}
	s := startSimulated(t)
	for _, c := range commands {
		if out, err := s.command(t, "bash", "-c", c).CombinedOutput(); err != nil || len(out) < 20 {
			t.Errorf("%s: %v\n%s", c, err, out)
		}
	}
	all := must[*ec2.DescribeInstancesOutput](t)(s.ec2("us-east-1").DescribeInstances(
		t.Context(), &ec2.DescribeInstancesInput{},
	))
	if len(all.Reservations) != 1 || all.Reservations[0].Instances[0].InstanceType != types.InstanceTypeM1Small {
		t.Errorf("instances %+v", all.Reservations)
	}
}
