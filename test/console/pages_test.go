//go:build linux

package console

import (
	"context"
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
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

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
