//go:build linux

package console

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	asgtypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logs "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/metric"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/console"
	"aloft.dev/aloft/test/simulation"
)

// discard is the log of pages.
var discard = slog.New(slog.DiscardHandler)

// serve serves a console until the test ends, and returns the URL of its server.
func serve(t *testing.T, pages *console.Console) string {
	t.Helper()
	server := httptest.NewServer(pages)
	t.Cleanup(server.Close)
	t.Cleanup(pages.Close) // before the server, which waits for streams
	return server.URL
}

// reader is a browser without scripts.
type reader struct{ client *http.Client }

func newReader(t *testing.T) reader {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return reader{&http.Client{Jar: jar}}
}

// get requests a URL.
func (r reader) get(t *testing.T, url string) (status int, body string) {
	t.Helper()
	response, err := r.client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(response.Body)
	if closeErr := response.Body.Close(); err != nil || closeErr != nil {
		t.Fatal(err, closeErr)
	}
	return response.StatusCode, string(data)
}

// read returns a page that must exist.
func (r reader) read(t *testing.T, url string) string {
	t.Helper()
	status, body := r.get(t, url)
	if status != http.StatusOK {
		t.Fatalf("%s answers %d: %s", url, status, body)
	}
	return body
}

// desk is a reader that is signed in to a console of the simulated cloud.
type desk struct {
	*simulation.Application
	reader
	base string // URL of the pages
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	s := simulation.NewApplication(t)
	endpoint := s.Serve(t)
	pages, err := console.New(console.Config{
		AWS: func(region string) aws.Config {
			return aws.Config{
				Region: region, BaseEndpoint: &endpoint, HTTPClient: http.DefaultClient,
				Credentials: credentials.NewStaticCredentialsProvider("AKIAALOFT", "secret", ""),
			}
		},
		Watch: func() func(context.Context) error {
			view := s.Store.View()
			return func(ctx context.Context) error { return view.Changed(ctx, store.Instances, store.Targets) }
		},
		User:  func(*http.Request) (string, bool) { return "0", true },
		Calls: &console.Calls{}, Now: time.Now,
		Pages: console.PagesConfig{Log: discard},
	})
	if err != nil {
		t.Fatal(err)
	}
	pages.AddFallbacks()
	server := serve(t, pages)
	d := &desk{s, newReader(t), server + console.Path + simulation.Region + "/"}
	link, err := pages.Link(simulation.Region)
	if err != nil {
		t.Fatal(err)
	}
	d.read(t, server+link)
	return d
}

// page returns a page that must exist.
func (d *desk) page(t *testing.T, name string) string {
	t.Helper()
	return d.read(t, d.base+name)
}

func TestPagesShowWhatStands(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	topology := d.page(t, "topology")
	simulation.Contains(t, topology, "tutorial-server-1", "tutorial-server-2", "tutorial-server-3", "healthy",
		"tutorial-internet-gateway", "HTTP 3000", "load balancer node", "us-east-1a", "10.0.1.0/24",
		`role="img" aria-label="healthy"`, "There are no alarms.")
	simulation.Contains(t, d.page(t, "releases"), "tutorial", "r1", "tutorial-server-3", "image ami-")
	// Every link leads somewhere.
	links := regexp.MustCompile(`href="[^"]*/(resource\?id=[^"]+)"`)
	seen := map[string]bool{}
	for queue := links.FindAllStringSubmatch(topology, -1); len(queue) > 0; queue = queue[1:] {
		name := strings.ReplaceAll(queue[0][1], "&amp;", "&")
		if seen[name] {
			continue
		}
		seen[name] = true
		body := d.page(t, name)
		simulation.Contains(t, body, "As AWS describes it")
		queue = append(queue, links.FindAllStringSubmatch(body, -1)...)
	}
	if len(seen) < 20 {
		t.Errorf("links lead to %d resources alone", len(seen))
	}
	for name, want := range map[string]int{
		"resource?id=i-0": http.StatusNotFound, "resource": http.StatusNotFound, "nothing": http.StatusNotFound,
		"why/live": http.StatusNotFound,
	} {
		if status, _ := d.get(t, d.base+name); status != want {
			t.Errorf("%s answers %d, want %d", name, status, want)
		}
	}
}

func TestPageFollowsTheHealthOfAServer(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	response, err := d.client.Get(d.base + "topology/live")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	until := func(word string) {
		t.Helper()
		var seen strings.Builder
		for part := make([]byte, 1<<16); !strings.Contains(seen.String(), word); {
			n, err := response.Body.Read(part)
			seen.Write(part[:n])
			if err != nil {
				t.Fatalf("%v before %q", err, word)
			}
		}
	}
	until("tutorial-server-1")
	sick := func(i *store.Instance) bool { return i.Tags["aloft:address"] == "server-1" }
	d.Sick.Store(&sick)
	d.Balancer.RefreshHealth()
	until("unhealthy: Health checks failed with these codes: [500]")
	d.Sick.Store(nil)
	d.Balancer.RefreshHealth()
	until(`health good`)
}

func TestPageShowsTrafficAndAlarms(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	arn := store.LoadBalancers.List(d.Store.View())[0].ARN
	_, name, _ := strings.Cut(arn, "loadbalancer/")
	at := time.Now().Truncate(time.Minute).Add(-3 * time.Minute)
	for metricName, value := range map[string]float64{
		"RequestCount": 720, "HTTPCode_Target_5XX_Count": 60, "HTTPCode_ELB_5XX_Count": 30, "TargetResponseTime": 0.25,
	} {
		id := metric.NewID("AWS/ApplicationELB", metricName, metric.Dimension{Name: "LoadBalancer", Value: name})
		d.Metrics.Add(simulation.Region, id, at, "Count", metric.SummaryOf(value, 1))
	}
	putAlarm(t, d.Application)
	simulation.Contains(t, d.page(t, "topology"), "<td>12 <svg", "<td>1.5 <svg", "at most 12 in the last half hour",
		"too-slow", "p99 TargetResponseTime &gt; 0.5, 3 times in 3 of 60 s")
}

// putAlarm creates an alarm of slow answers.
func putAlarm(t *testing.T, a *simulation.Application) {
	t.Helper()
	client := a.Client(t, nil)
	if _, err := client.CW.PutMetricAlarm(t.Context(), &cloudwatch.PutMetricAlarmInput{
		AlarmName: aws.String("too-slow"), Namespace: aws.String("AWS/ApplicationELB"),
		MetricName: aws.String("TargetResponseTime"), ExtendedStatistic: aws.String("p99"),
		ComparisonOperator: types.ComparisonOperatorGreaterThanThreshold, Threshold: aws.Float64(0.5),
		EvaluationPeriods: aws.Int32(3), Period: aws.Int32(60),
	}); err != nil {
		t.Fatal(err)
	}
}

// measureMachine makes up metrics of a machine: of its network every five minutes, and the others
// every minute.
func measureMachine(a *simulation.Application, instance string, now time.Time) {
	add := func(minute int, name string, value float64) {
		id := metric.NewID("AWS/EC2", name, metric.Dimension{Name: "InstanceId", Value: instance})
		at := now.Truncate(time.Minute).Add(-time.Duration(minute) * time.Minute)
		a.Metrics.Add(simulation.Region, id, at, "None", metric.SummaryOf(value, 1))
	}
	for minute := 1; minute < 25; minute++ {
		add(minute, "CPUUtilization", 30+float64(minute%7))
		add(minute, "StatusCheckFailed_Instance", 0)
		add(minute, "StatusCheckFailed_System", 0)
		if minute%5 == 3 {
			add(minute, "NetworkIn", 3_000_000)
			add(minute, "NetworkOut", float64(6_000_000+minute*100_000))
		}
	}
}

// writeLog writes lines of the application on a machine to CloudWatch Logs, one a second until now.
func writeLog(t *testing.T, a *simulation.Application, instance string, now time.Time, lines ...string) {
	t.Helper()
	client := a.Client(t, nil).Logs
	group, stream := aws.String("/aloft/tutorial"), aws.String(instance+"/web")
	var exists *logs.ResourceAlreadyExistsException
	_, err := client.CreateLogGroup(t.Context(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: group})
	if err != nil && !errors.As(err, &exists) {
		t.Fatal(err)
	}
	if _, err := client.CreateLogStream(t.Context(), &cloudwatchlogs.CreateLogStreamInput{
		LogGroupName: group, LogStreamName: stream,
	}); err != nil {
		t.Fatal(err)
	}
	events := &cloudwatchlogs.PutLogEventsInput{LogGroupName: group, LogStreamName: stream}
	for i, line := range lines {
		at := now.Add(time.Duration(i-len(lines)) * time.Second)
		events.LogEvents = append(events.LogEvents, logs.InputLogEvent{
			Message: aws.String(line), Timestamp: aws.Int64(at.UnixMilli()),
		})
	}
	if _, err := client.PutLogEvents(t.Context(), events); err != nil {
		t.Fatal(err)
	}
}

func TestPageOfAMachineHasItsMetricsAndItsLog(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	instances := store.Instances.List(d.Store.View())
	id, other, now := instances[0].ID, instances[1].ID, time.Now()
	measureMachine(d.Application, id, now)
	simulation.Contains(t, d.page(t, "resource?id="+id), "does not go to CloudWatch Logs", ">31 <svg", ">10 <svg",
		"kB/s", "at most 36 in the last half hour", "failed status checks of the machine", "Console output")
	writeLog(t, d.Application, id, now, "listens <on> 3000", "an error of one")
	writeLog(t, d.Application, other, now, "an error of another")
	page := d.page(t, "resource?id="+id)
	simulation.Contains(t, page, "<b>web</b> listens &lt;on&gt; 3000", "an error of one", `name="id" value="`+id+`"`)
	if strings.Contains(page, "an error of another") {
		t.Error("the page has lines of another machine")
	}
	found := d.page(t, "resource?id="+id+"&contains=error")
	simulation.Contains(t, found, "an error of one", `name="contains" value="error"`, "resource/live?id="+id)
	if strings.Contains(found, "listens") {
		t.Error("the page has lines that do not contain what is looked for")
	}
	simulation.Contains(t, d.page(t, "resource?id="+id+"&contains=nowhere"), "No such line")
}

func TestPagesSayWhatFirewallsAllow(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	link := regexp.MustCompile(`<a href="[^"]*/(resource\?id=sg-[^"]+)">tcp 3000 from the load balancer</a>`)
	topology := d.page(t, "topology")
	groups := link.FindAllStringSubmatch(topology, -1)
	if len(groups) != 3 {
		t.Fatalf("%d machines say that the load balancer reaches them", len(groups))
	}
	simulation.Contains(t, topology, "tcp 3000 from anywhere", "ACL: all traffic in and out")
	simulation.Contains(t, d.page(t, groups[0][1]), "What it allows", "tcp 3000 from the load balancer</a>",
		"all traffic to anywhere</a>", "resource?id=sgr-")
}

func TestPagesShowInstanceRefreshes(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	client := d.Client(t, nil)
	if _, err := client.EC2.CreateLaunchTemplate(t.Context(), &ec2.CreateLaunchTemplateInput{
		LaunchTemplateName: aws.String("web"), LaunchTemplateData: &ec2types.RequestLaunchTemplateData{
			ImageId: &store.Instances.List(d.Store.View())[0].ImageID, InstanceType: ec2types.InstanceTypeT3Micro,
		},
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.ASG.CreateAutoScalingGroup(t.Context(), &autoscaling.CreateAutoScalingGroupInput{
		AutoScalingGroupName: aws.String("web"), MinSize: aws.Int32(0), MaxSize: aws.Int32(4),
		AvailabilityZones: []string{"us-east-1a"},
		LaunchTemplate:    &asgtypes.LaunchTemplateSpecification{LaunchTemplateName: aws.String("web")},
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.ASG.StartInstanceRefresh(t.Context(), &autoscaling.StartInstanceRefreshInput{
		AutoScalingGroupName: aws.String("web"),
		Preferences: &asgtypes.RefreshPreferences{
			CheckpointPercentages: []int32{50, 100}, CheckpointDelay: aws.Int32(60),
		},
	}); err != nil {
		t.Fatal(err)
	}
	simulation.Contains(t, d.page(t, "topology"), "<b>web</b> 0 of 0 machines in service", "instance refresh", "50 %",
		"it waits 60 s at each")
}

func TestWhyIsAForm(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	simulation.Contains(t, d.page(t, "why"), `<option value="internet">`, "tutorial-server-1")
	lb := store.LoadBalancers.List(d.Store.View())[0].Name
	simulation.Contains(t, d.page(t, "why?from=internet&to="+lb+"&port=3000"), "can be reached")
	simulation.Contains(t, d.page(t, "why?from=internet&to="+lb+"&port=22"), "cannot be reached",
		"no rule allows tcp 22 from any address", "aws ec2 authorize-security-group-ingress")
	simulation.Contains(t, d.page(t, "why?from=internet&to=<b>&port=1"), `role="alert"`, "&lt;b&gt;")
	simulation.Contains(t, d.page(t, "why?from=internet&to="+lb+"&port=0"), "the port is a number")
}
