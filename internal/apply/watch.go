package apply

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/event"
	"aloft.dev/aloft/internal/history"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

// A release fails when the load balancer has answered at least fewestErrors
// requests with 5xx since the first machine was replaced, and these are more of
// all than mostErrors above twice what they were before.
const (
	fewestErrors = 10
	mostErrors   = 0.01
	compared     = 15 * time.Minute // before the release, which it is compared with
)

// watched does the work of bringing a release into service while it looks at
// the release: at the health of its machines and at the errors that users see.
// It ends the work when they are not well, and looks once more in the end.
func (d *Deployment) watched(
	ctx context.Context,
	s *survey,
	r *history.Record,
	work func(context.Context) error,
) error {
	under, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	w := &watch{deployment: d, record: r, found: s.found, well: map[string]bool{}}
	var watching sync.WaitGroup
	watching.Go(func() {
		tick := time.NewTicker(d.cfg.Poll)
		defer tick.Stop()
		for {
			select {
			case <-under.Done():
				return
			case <-tick.C:
			}
			if verdict := w.look(under); verdict != nil {
				cancel(verdict)
				return
			}
		}
	})
	err := work(under)
	if verdict, ok := context.Cause(under).(*diag.Diagnostic); ok &&
		ctx.Err() == nil { //nolint:errorlint // the cause is the verdict itself
		err = verdict
	}
	cancel(nil)
	watching.Wait()
	if err == nil {
		if verdict := w.look(ctx); verdict != nil {
			err = verdict
		}
	}
	return err
}

// watch is the watching of one release.
type watch struct {
	deployment *Deployment
	record     *history.Record
	found      []plan.Found
	well       map[string]bool // machines that were healthy once
	blind      bool            // that errors cannot be seen was told
}

// look gives a verdict when the release is not well. What cannot be asked at the
// moment is asked again.
func (w *watch) look(ctx context.Context) *diag.Diagnostic {
	found, err := w.deployment.cloud.Discover(ctx)
	if err != nil {
		return nil
	}
	w.found = found
	if verdict := w.health(); verdict != nil {
		return verdict
	}
	return w.errors(ctx)
}

// health finds a machine of the release that served and is not well any more.
func (w *watch) health() *diag.Diagnostic {
	for _, f := range w.found {
		if !isMachine(f) || f.Get("release") != w.record.Release {
			continue
		}
		sick := f.Status["health"] == "unhealthy"
		w.well[f.ID] = w.well[f.ID] || f.Status["health"] == "healthy"
		var why []string
		if sick && (f.Broken != "" || w.well[f.ID]) {
			why = append(why, "it is unhealthy, "+f.Status["health reason"])
		}
		if f.Broken != "" {
			why = append(why, f.Broken)
		}
		if len(why) > 0 {
			return &diag.Diagnostic{Where: f.Name, Summary: "does not stay well: " + strings.Join(why, "; ")}
		}
	}
	return nil
}

// errors compares the share of requests that ended with 5xx, by the load
// balancer's doing or a target's, with that before the release.
func (w *watch) errors(ctx context.Context) *diag.Diagnostic {
	balancer := ""
	for _, f := range w.found {
		if f.Kind == stack.KindLoadBalancer {
			_, balancer, _ = strings.Cut(f.ID, ":loadbalancer/")
		}
	}
	if balancer == "" {
		return nil
	}
	before, since, err := w.count(ctx, balancer)
	if err != nil {
		if !w.blind && ctx.Err() == nil {
			w.blind = true
			w.deployment.cfg.Events(
				event.Event{Time: time.Now(), Kind: event.Note, Address: "release " + w.record.Release,
					Message: "the errors that users see are not watched: " + explain("", err)[0].Summary},
			)
		}
		return nil
	}
	if !since.tooMany(before) {
		return nil
	}
	return &diag.Diagnostic{
		Where:   stack.AddressLoadBalancer,
		Summary: fmt.Sprintf("%s since the first machine was replaced, %s before", since, before),
	}
}

// tally is what became of requests.
type tally struct{ requests, target, balancer float64 }

func (t tally) errors() float64 { return t.target + t.balancer }

// share is that of requests that ended with 5xx. A request that the balancer
// itself answered is not in its count of requests (Elastic Load Balancing User
// Guide, "CloudWatch metrics for your Application Load Balancer").
func (t tally) share() float64 {
	if t.errors() == 0 {
		return 0
	}
	return t.errors() / max(t.requests, t.errors())
}

func (t tally) tooMany(before tally) bool {
	return t.errors() >= fewestErrors && t.share() > mostErrors+2*before.share()
}

// String tells the tally to a person.
func (t tally) String() string {
	return fmt.Sprintf(
		"%.1f %% of requests ended with 5xx (%.0f of %.0f; %.0f by targets, %.0f by the load balancer)",
		100*t.share(),
		t.errors(),
		max(t.requests, t.errors()),
		t.target,
		t.balancer,
	)
}

// count counts requests and errors, before the minute in which the first machine
// was replaced and since. Load balancers are measured by the minute.
func (w *watch) count(ctx context.Context, balancer string) (before, since tally, err error) {
	from := w.record.Touched.Truncate(time.Minute)
	metrics := []string{"RequestCount", "HTTPCode_Target_5XX_Count", "HTTPCode_ELB_5XX_Count"}
	in := &cloudwatch.GetMetricDataInput{
		StartTime: aws.Time(from.Add(-compared)),
		EndTime:   aws.Time(time.Now().Truncate(time.Minute).Add(time.Minute)),
	}
	for i, name := range metrics {
		in.MetricDataQueries = append(
			in.MetricDataQueries,
			types.MetricDataQuery{Id: aws.String(fmt.Sprintf("m%d", i)), MetricStat: &types.MetricStat{
				Stat: aws.String("Sum"), Period: aws.Int32(60), Metric: &types.Metric{
					Namespace: aws.String("AWS/ApplicationELB"), MetricName: &name,
					Dimensions: []types.Dimension{{Name: aws.String("LoadBalancer"), Value: &balancer}},
				},
			}},
		)
	}
	pages := cloudwatch.NewGetMetricDataPaginator(w.deployment.cfg.Client.CW, in)
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return before, since, fmt.Errorf("read the load balancer's metrics: %w", err)
		}
		for _, result := range page.MetricDataResults {
			for i, at := range result.Timestamps {
				t := &since
				if at.Before(from) {
					t = &before
				}
				*t.of(aws.ToString(result.Id)) += result.Values[i]
			}
		}
	}
	return before, since, nil
}

func (t *tally) of(query string) *float64 {
	switch query {
	case "m0":
		return &t.requests
	case "m1":
		return &t.target
	}
	return &t.balancer
}
