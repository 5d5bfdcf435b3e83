//go:build linux && root

package failure

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cloudwatchtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/load"
	"aloft.dev/aloft/test/program"
)

// listenerPort is the port of this test's load balancer.
const listenerPort = 8099

// httpServer answers requests on port 80 of a machine, with what its base image has.
const httpServer = `#!/usr/bin/perl
use IO::Socket::INET;
my $l = IO::Socket::INET->new(LocalPort => 80, Listen => 1024, ReuseAddr => 1) or die;
$SIG{CHLD} = 'IGNORE';
while (1) {
	my $c = $l->accept or next;
	if (fork) { close $c; next }
	while (my $line = <$c>) {
		syswrite $c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok" if $line eq "\r\n";
	}
	exit;
}
`

// TestRealTrafficOutlivesTheProcesses kills and replaces the local cloud's processes while
// clients send requests through a load balancer to a machine.
func TestRealTrafficOutlivesTheProcesses(t *testing.T) {
	c := program.Start(t)
	url, another := serveHTTP(t, c), copyOf(t, c.Binary)
	t.Run("killed daemon", func(t *testing.T) {
		traffic := startTraffic(t, url)
		killed(t, daemonPID(t, c))
		traffic.continues(t)
		c.Must(t, "local", "start", "--address", program.LocalAddress)
		traffic.continues(t)
		traffic.lost(t, 0)
	})
	t.Run("another version", func(t *testing.T) {
		before := processes(t, c)
		traffic := startTraffic(t, url)
		measured := putMetric(t, c)
		c.Binary = another
		c.Must(t, "local", "restart")
		measured.isThere(t, c)
		traffic.continues(t)
		traffic.lost(t, 0)
		if after := processes(t, c); after.PID == before.PID || after.Keeper != before.Keeper {
			t.Errorf("the balancer's processes are %+v, were %+v", after, before)
		}
	})
	t.Run("killed balancer process", func(t *testing.T) {
		before := processes(t, c)
		traffic := startTraffic(t, url)
		killed(t, before.PID)
		traffic.continues(t)
		traffic.lost(t, 50) // those in flight
		if after := processes(t, c); after.PID == before.PID || after.Keeper != before.Keeper {
			t.Errorf("the balancer's processes are %+v, were %+v", after, before)
		}
	})
}

// datum is a data point of a metric.
type datum struct {
	name string
	at   time.Time
}

// putMetric measures something.
func putMetric(t *testing.T, c *program.LocalCloud) datum {
	t.Helper()
	d := datum{"outlives", time.Now().Truncate(time.Minute)}
	if _, err := c.API.CW.PutMetricData(t.Context(), &cloudwatch.PutMetricDataInput{
		Namespace: aws.String("Own"),
		MetricData: []cloudwatchtypes.MetricDatum{{
			MetricName: &d.name, Timestamp: &d.at, Value: aws.Float64(7),
		}},
	}); err != nil {
		t.Fatal(err)
	}
	return d
}

// isThere checks that the data point can be read.
func (d datum) isThere(t *testing.T, c *program.LocalCloud) {
	t.Helper()
	got, err := c.API.CW.GetMetricStatistics(t.Context(), &cloudwatch.GetMetricStatisticsInput{
		Namespace: aws.String("Own"), MetricName: &d.name, StartTime: &d.at, EndTime: aws.Time(d.at.Add(time.Minute)),
		Period: aws.Int32(60), Statistics: []cloudwatchtypes.Statistic{"Sum"},
	})
	if err != nil || len(got.Datapoints) != 1 || *got.Datapoints[0].Sum != 7 {
		t.Errorf("a metric of before the restart: %+v, %v", got, err)
	}
}

// serveHTTP starts a machine with an HTTP server behind a load balancer, and returns its URL
// on this host.
func serveHTTP(t *testing.T, c *program.LocalCloud) (url string) {
	t.Helper()
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	images, err := c.API.EC2.DescribeImages(ctx, &ec2.DescribeImagesInput{
		Filters: []ec2types.Filter{{Name: aws.String("name"), Values: []string{"debian-12*"}}},
	})
	must(err)
	subnets, err := c.API.EC2.DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{})
	must(err)
	groups, err := c.API.EC2.DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{})
	must(err)
	_, err = c.API.EC2.AuthorizeSecurityGroupIngress(ctx, &ec2.AuthorizeSecurityGroupIngressInput{
		GroupId: groups.SecurityGroups[0].GroupId, IpProtocol: aws.String("tcp"),
		FromPort: aws.Int32(1), ToPort: aws.Int32(65535), CidrIp: aws.String("0.0.0.0/0"),
	})
	must(err)
	run, err := c.API.EC2.RunInstances(ctx, &ec2.RunInstancesInput{
		ImageId: images.Images[0].ImageId, InstanceType: ec2types.InstanceTypeT3Micro,
		MinCount: aws.Int32(1), MaxCount: aws.Int32(1),
		UserData: aws.String(base64.StdEncoding.EncodeToString([]byte(httpServer))),
	})
	must(err)
	group, err := c.API.ELB.CreateTargetGroup(ctx, &elb.CreateTargetGroupInput{
		Name: aws.String("web"), VpcId: subnets.Subnets[0].VpcId, Protocol: types.ProtocolEnumHttp, Port: aws.Int32(80),
		HealthCheckIntervalSeconds: aws.Int32(5), HealthCheckTimeoutSeconds: aws.Int32(2),
	})
	must(err)
	web := group.TargetGroups[0].TargetGroupArn
	program.Eventually(t, program.Patience, "the instance can be registered", func() bool {
		_, err := c.API.ELB.RegisterTargets(ctx, &elb.RegisterTargetsInput{
			TargetGroupArn: web, Targets: []types.TargetDescription{{Id: run.Instances[0].InstanceId}},
		})
		return err == nil // AWS refuses instances that do not run yet
	})
	made, err := c.API.ELB.CreateLoadBalancer(ctx, &elb.CreateLoadBalancerInput{
		Name: aws.String("web"), Subnets: []string{*subnets.Subnets[0].SubnetId, *subnets.Subnets[1].SubnetId},
		SecurityGroups: []string{*groups.SecurityGroups[0].GroupId},
	})
	must(err)
	_, err = c.API.ELB.CreateListener(ctx, &elb.CreateListenerInput{
		LoadBalancerArn: made.LoadBalancers[0].LoadBalancerArn, Protocol: types.ProtocolEnumHttp,
		Port:           aws.Int32(listenerPort),
		DefaultActions: []types.Action{{Type: types.ActionTypeEnumForward, TargetGroupArn: web}},
	})
	must(err)
	url = fmt.Sprintf("http://%s:%d/", *made.LoadBalancers[0].DNSName, listenerPort)
	client := &http.Client{Transport: &http.Transport{DialContext: toLoopback, DisableKeepAlives: true}}
	program.Eventually(t, program.Patience, "the machine serves", func() bool {
		resp, err := client.Get(url)
		if err != nil {
			return false
		}
		text, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		return string(text) == "ok"
	})
	return url
}

// toLoopback connects to the port on this host, as the names of load balancers resolve.
func toLoopback(ctx context.Context, network, address string) (net.Conn, error) {
	_, port, _ := net.SplitHostPort(address)
	return (&net.Dialer{}).DialContext(ctx, network, net.JoinHostPort("127.0.0.1", port))
}

// traffic is a load of 300 requests a second.
type traffic struct {
	generator *load.Generator
	stop      context.CancelFunc
	ended     chan load.Recording
}

func startTraffic(t *testing.T, url string) *traffic {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	tr := &traffic{
		generator: load.New(load.Config{URL: url, Rate: 300, Dial: toLoopback}), stop: stop,
		ended: make(chan load.Recording, 1),
	}
	go func() { tr.ended <- tr.generator.Run(ctx) }()
	tr.continues(t)
	return tr
}

// continues waits for 300 more good responses.
func (tr *traffic) continues(t *testing.T) {
	t.Helper()
	good := func() (n int) {
		for _, s := range tr.generator.Snapshot().Samples {
			if s.Kind == load.OK {
				n++
			}
		}
		return n
	}
	before := good()
	program.Eventually(t, program.Patience, "requests succeed", func() bool { return good() >= before+300 })
}

// lost ends the traffic and checks that no more than so many requests failed, none of them
// because nothing listened or answered.
func (tr *traffic) lost(t *testing.T, most int) {
	t.Helper()
	tr.stop()
	failed, slowest := map[load.Kind]int{}, time.Duration(0)
	n := 0
	for _, s := range (<-tr.ended).Samples {
		slowest = max(slowest, s.Latency)
		if s.Kind != load.OK {
			failed[s.Kind]++
			n++
		}
	}
	t.Logf("failed: %v; the slowest request took %v", failed, slowest)
	if n > most || failed[load.Refused]+failed[load.Timeout] > 0 {
		t.Errorf("%v failed", failed)
	}
}

// killed kills the process and waits until it is gone.
func killed(t *testing.T, pid int) {
	t.Helper()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	program.Eventually(t, program.Patience, "the process has ended", func() bool { return syscall.Kill(pid, 0) != nil })
}

func daemonPID(t *testing.T, c *program.LocalCloud) int {
	t.Helper()
	var daemon struct{ PID int }
	running := c.Must(t, "local", "start", "--address", program.LocalAddress, "--json")
	if err := json.Unmarshal([]byte(running), &daemon); err != nil {
		t.Fatal(err)
	}
	return daemon.PID
}

// processes returns the balancer's processes.
func processes(t *testing.T, c *program.LocalCloud) balancer.About {
	t.Helper()
	sockets, err := filepath.Glob("/run/aloft*/balancer/keeper.sock")
	if err != nil || len(sockets) != 1 {
		t.Fatalf("%q, %v", sockets, err)
	}
	client := &balancer.Client{Dir: filepath.Dir(sockets[0]), Log: slog.New(slog.DiscardHandler)}
	defer client.Close()
	about, err := client.About(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return about
}

// copyOf returns the path of another file with the program.
func copyOf(t *testing.T, binary string) string {
	t.Helper()
	text, err := os.ReadFile(binary)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "aloft")
	if err := os.WriteFile(path, text, 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}
