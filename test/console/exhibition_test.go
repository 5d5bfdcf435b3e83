//go:build linux

package console

import (
	"context"
	"math"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"aloft.dev/aloft/internal/apply"
	"aloft.dev/aloft/internal/cloud/metric"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/console"
	"aloft.dev/aloft/internal/drill"
	"aloft.dev/aloft/internal/drill/archive"
	"aloft.dev/aloft/internal/drill/report"
	"aloft.dev/aloft/internal/event"
	"aloft.dev/aloft/internal/load"
	"aloft.dev/aloft/internal/operator"
	"aloft.dev/aloft/test/simulation"
)

// exhibition is every page of a console over the simulated cloud, with traffic that a test makes
// up and a drill that lasts until the test ends it.
type exhibition struct {
	*simulation.Application
	link, base string
	calls      console.Calls
	sent       atomic.Int64 // requests per second to each target
	sick       atomic.Bool  // the last target answers nothing
	finish     chan struct{}
	kept       archive.Archive
	began      time.Time
}

// newExhibition starts the console.
func newExhibition(t *testing.T) *exhibition {
	t.Helper()
	e := &exhibition{
		Application: simulation.NewApplication(t), finish: make(chan struct{}),
		kept: archive.Archive{Dir: t.TempDir()}, began: time.Now(),
	}
	e.Release(t, "r2")
	endpoint := e.Serve(t)
	pages, err := console.New(console.Config{
		AWS: func(region string) aws.Config {
			return aws.Config{
				Region: region, BaseEndpoint: &endpoint, HTTPClient: http.DefaultClient,
				Credentials: credentials.NewStaticCredentialsProvider("AKIAALOFT", "secret", ""),
			}
		},
		Watch: func() func(context.Context) error {
			view := e.Store.View()
			return func(ctx context.Context) error { return view.Changed(ctx, store.Instances, store.Targets) }
		},
		User:  func(*http.Request) (string, bool) { return "0", true },
		Calls: &e.calls, Counts: e.counts, Now: time.Now,
		Pages: console.PagesConfig{Templates: operator.Templates(), Log: discard},
	})
	if err != nil {
		t.Fatal(err)
	}
	actions := operator.New(operator.Config{
		App: "tutorial", Region: simulation.Region, Actions: e.actions(t), Archive: e.kept,
	})
	t.Cleanup(actions.Close)
	actions.Register(pages.Pages)
	server := serve(t, pages)
	path, err := pages.Link(simulation.Region)
	if err != nil {
		t.Fatal(err)
	}
	e.link, e.base = server+path, server+console.Path+simulation.Region+"/"
	return e
}

// counts are the load balancer's counters: every target gets the same from every node.
func (e *exhibition) counts(context.Context) (all []console.Count, err error) {
	view := e.Store.View()
	passed := time.Since(e.began)
	for _, lb := range store.LoadBalancers.List(view) {
		for _, zone := range []string{"us-east-1a", "us-east-1b", "us-east-1c"} {
			for i, target := range store.Targets.List(view) {
				c := console.Count{Balancer: lb.ARN, Zone: zone, Target: target.ID, Port: uint16(target.Port)}
				c.Requests = uint64(passed.Seconds() * float64(e.sent.Load()))
				if e.sick.Load() && i == 0 {
					c.Failures = c.Requests
				}
				c.Times = console.Latency{{From: 3 * time.Millisecond, To: 4 * time.Millisecond, Count: c.Requests}}
				all = append(all, c)
			}
		}
	}
	return all, nil
}

// actions are those of the simulated application, with a load that is made up.
func (e *exhibition) actions(t *testing.T) operator.Actions {
	return exhibitionActions{Deployment: e.Deployment(t, &simulation.Builder{ReleaseName: "r2"}), exhibition: e,
		drills: drill.New(drill.Config{App: "tutorial", Client: e.Client(t, nil)})}
}

type exhibitionActions struct {
	*apply.Deployment
	*exhibition
	drills *drill.Drill
}

// Preview implements operator.Actions.
func (a exhibitionActions) Preview(ctx context.Context, o drill.Options) (drill.Preview, error) {
	status, err := a.Status(ctx)
	if err != nil {
		return drill.Preview{}, err
	}
	o.Settings = exhibitionSettings
	return a.drills.Preview(ctx, status, o)
}

// Drill implements operator.Actions.
func (a exhibitionActions) Drill(ctx context.Context, o drill.Options, events event.Sink) (drill.Result, error) {
	events(event.Event{Time: time.Now(), Kind: event.Note, Address: o.At, Message: "isolated"})
	o.Live(madeUp(time.Now().Add(-20*time.Second), 20))
	select {
	case <-a.finish:
		return drillOf(o.At, time.Now(), 52), nil
	case <-ctx.Done():
		return drill.Result{}, context.Cause(ctx)
	}
}

// Rollback implements operator.Actions.
func (a exhibitionActions) Rollback(ctx context.Context, _ int, _ event.Sink) error {
	_, _, err := a.Deployment.Rollback(ctx, "1")
	return err
}

var exhibitionSettings = report.Settings{
	Interval: 5 * time.Second, Timeout: 2 * time.Second, Unhealthy: 2, Healthy: 2, Zones: 3, Targets: 3,
}

// madeUp is the recording of a drill of a zone in its 10th second, as long as a number of seconds.
func madeUp(began time.Time, seconds int) load.Recording {
	r := load.Recording{Started: began}
	for i := range seconds * 30 {
		at := time.Duration(i) * time.Second / 30
		s := load.Sample{
			At: at, Kind: load.OK, Status: 200, Target: []string{"server-1", "server-2", "server-3"}[i%3],
			Latency: time.Duration(2000+500*math.Sin(float64(i)/9)) * time.Microsecond,
		}
		if at > 10*time.Second && at < 19*time.Second && i%3 == 2 {
			s = load.Sample{At: at, Kind: load.Timeout, Latency: time.Second}
		}
		r.Samples = append(r.Samples, s)
	}
	return r
}

// drillOf is the result of a drill.
func drillOf(victim string, began time.Time, seconds int) drill.Result {
	return drill.Result{Report: report.New(report.Facts{
		Experiment: "zone", Victim: victim, Recording: madeUp(began, seconds), Settings: exhibitionSettings,
		Bound: exhibitionSettings.Bound("zone"), Injected: 10 * time.Second, Detected: 18 * time.Second,
		OutOfRotation: 19 * time.Second, Restored: 33 * time.Second, Recovered: 41 * time.Second,
	})}
}

// furnish fills the pages: traffic of half an hour, calls, an alarm, and past drills.
func (e *exhibition) furnish(t *testing.T, now time.Time) {
	t.Helper()
	arn := store.LoadBalancers.List(e.Store.View())[0].ARN
	_, name, _ := strings.Cut(arn, "loadbalancer/")
	lb := metric.Dimension{Name: "LoadBalancer", Value: name}
	add := func(minute int, metricName string, value float64, dimensions ...metric.Dimension) {
		at := now.Truncate(time.Minute).Add(-time.Duration(minute) * time.Minute)
		e.Metrics.Add(simulation.Region, metric.NewID("AWS/ApplicationELB", metricName, dimensions...), at, "Count",
			metric.SummaryOf(value, 1))
	}
	for minute := 1; minute < 55; minute++ {
		requests := math.Round(5400 + 1800*math.Sin(float64(minute)/7))
		for _, zone := range []string{"us-east-1a", "us-east-1b", "us-east-1c"} {
			of := []metric.Dimension{{Name: "AvailabilityZone", Value: zone}, lb}
			add(minute, "RequestCount", requests/3, of...)
			add(minute, "TargetResponseTime", 0.002, of...)
		}
		add(minute, "RequestCount", requests, lb)
		add(minute, "TargetResponseTime", 0.002+0.001*float64(minute%5), lb)
		if minute > 18 && minute < 22 {
			add(minute, "HTTPCode_ELB_5XX_Count", requests/4, lb)
		}
	}
	operations := []string{"RunInstances", "CreateTags", "DescribeInstances", "RegisterTargets", "DeleteVpc"}
	for n := range 12 { // in the order of time, as calls arrive
		for i, operation := range operations {
			call := console.Call{
				At:      now.Add(-time.Duration(60-n*5)*time.Minute + time.Duration(i)*17*time.Second),
				Service: "ec2", Operation: operation, Region: simulation.Region, Code: "OK",
				Took: 2300 * time.Microsecond,
			}
			if operation == "DeleteVpc" {
				call.Code = "DependencyViolation"
			}
			e.calls.Add(call)
		}
	}
	putAlarm(t, e.Application)
	machine := store.Instances.List(e.Store.View())[0].ID
	measureMachine(e.Application, machine, now)
	writeLog(t, e.Application, machine, now, "listens on 3000", "GET / 200", "an error: the disk is full")
	for i, zone := range []string{"us-east-1a", "us-east-1c"} {
		if _, err := e.kept.Add(drillOf(zone, now.Add(-time.Duration(2-i)*time.Hour), 52)); err != nil {
			t.Fatal(err)
		}
	}
}

// pages are the addresses of all pages, by what they show.
func (e *exhibition) pages(t *testing.T) map[string]string {
	t.Helper()
	all, err := e.kept.List()
	if err != nil || len(all) < 2 {
		t.Fatal(len(all), err)
	}
	view := e.Store.View()
	id := url.QueryEscape(store.LoadBalancers.List(view)[0].ARN)
	lb := store.LoadBalancers.List(view)[0].Name
	return map[string]string{
		"topology": "topology", "timeline": "timeline?reads=1", "timeline-past": "timeline?back=20",
		"calls": "calls", "calls-none": "calls?filter=nothing",
		"machine": "resource?id=" + store.Instances.List(view)[0].ID, "balancer": "resource?id=" + id,
		"machine-log": "resource?id=" + store.Instances.List(view)[0].ID + "&contains=nothing",
		"group":       "resource?id=" + store.SecurityGroups.List(view)[0].ID,
		"nothing":     "resource?id=i-0", "why": "why", "why-can": "why?from=internet&to=" + lb + "&port=3000",
		"why-cannot": "why?from=internet&to=" + lb + "&port=22", "why-what": "why?from=x&to=y&port=z",
		"drills": "drills", "drill-preview": "drills/new?experiment=zone&at=us-east-1b",
		"drill-impossible": "drills/new?experiment=zone&at=nowhere",
		"report":           "drills/report?id=" + all[0].ID,
		"compare":          "drills/compare?a=" + all[0].ID + "&b=" + all[1].ID,
		"releases":         "releases", "releases-compare": "releases/compare?a=1&b=2",
		"rollback": "releases/rollback?to=1", "elsewhere": "../eu-west-1/drills",
	}
}
