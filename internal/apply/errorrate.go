package apply

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

// A release fails if the load balancer has answered at least minErrors requests with
// 5xx since the first server was replaced, and their share of all requests exceeds
// twice the share before by more than maxErrorShare.
const (
	minErrors     = 10
	maxErrorShare = 0.01
	// baseline is the time before the release that it is compared with.
	baseline = 15 * time.Minute
)

// Metrics of a load balancer that are compared, and one of a target group that is
// reported also while there are no requests (Elastic Load Balancing User Guide,
// "CloudWatch metrics for your Application Load Balancer"). Their ids in queries are
// their positions: "m0".
var requestMetrics = []string{
	"RequestCount", "HTTPCode_Target_5XX_Count", "HTTPCode_ELB_5XX_Count", "HealthyHostCount",
}

// checkErrors returns a problem if the share of requests that ended with 5xx, from
// the load balancer or a target, has risen since the release began.
func (w *releaseWatch) checkErrors(ctx context.Context, found []plan.Found) *diag.Diagnostic {
	m, err := w.readMetrics(ctx, found)
	if err != nil {
		if !w.blind && ctx.Err() == nil {
			w.blind = true
			w.note("the errors that users see are not watched: " + explain("", err)[0].Summary)
		}
		return nil
	}
	if !m.since.tooManyErrors(m.before) {
		return nil
	}
	return &diag.Diagnostic{
		Where:   stack.AddressLoadBalancer,
		Summary: fmt.Sprintf("%s since the first server was replaced, %s before", m.since, m.before),
	}
}

// requestCounts counts requests: all that targets answered, and those that ended with
// 5xx from a target or from the load balancer.
type requestCounts struct{ requests, target, balancer float64 }

func (c requestCounts) errors() float64 { return c.target + c.balancer }

// total returns the number of requests. RequestCount does not include requests that
// the load balancer answered itself (Elastic Load Balancing User Guide, "CloudWatch
// metrics for your Application Load Balancer").
func (c requestCounts) total() float64 { return max(c.requests, c.errors()) }

// errorShare returns the share of requests that ended with 5xx.
func (c requestCounts) errorShare() float64 {
	if c.errors() == 0 {
		return 0
	}
	return c.errors() / c.total()
}

func (c requestCounts) tooManyErrors(before requestCounts) bool {
	return c.errors() >= minErrors && c.errorShare() > maxErrorShare+2*before.errorShare()
}

// String describes the counts to people.
func (c requestCounts) String() string {
	return fmt.Sprintf("%.1f %% of requests ended with 5xx (%.0f of %.0f; %.0f by targets, %.0f by the load balancer)",
		100*c.errorShare(), c.errors(), c.total(), c.target, c.balancer)
}

// add adds a value of the query with the given id.
func (c *requestCounts) add(query string, value float64) {
	switch query {
	case "m0":
		c.requests += value
	case "m1":
		c.target += value
	case "m2":
		c.balancer += value
	}
}

// measurement summarizes the metrics so far.
type measurement struct {
	before, since requestCounts // the minute in which the first server was replaced
	newest        time.Time     // start of the newest minute that is measured; zero if none is
}

// readMetrics reads the metrics of the load balancer and the target group among the
// found resources. Load balancers report metrics by the minute.
func (w *releaseWatch) readMetrics(ctx context.Context, found []plan.Found) (m measurement, err error) {
	balancer, group := "", ""
	for _, f := range found {
		switch f.Kind {
		case stack.KindLoadBalancer:
			_, balancer, _ = strings.Cut(f.ID, ":loadbalancer/")
		case stack.KindTargetGroup:
			group = f.ID[strings.LastIndex(f.ID, ":")+1:]
		}
	}
	if balancer == "" || group == "" {
		return m, nil
	}
	from := w.record.Touched.Truncate(time.Minute)
	in := &cloudwatch.GetMetricDataInput{
		StartTime: aws.Time(from.Add(-baseline)),
		EndTime:   aws.Time(time.Now().Truncate(time.Minute).Add(time.Minute)),
	}
	for i, name := range requestMetrics {
		metric := &types.Metric{
			Namespace:  aws.String("AWS/ApplicationELB"),
			MetricName: &name,
			Dimensions: []types.Dimension{{Name: aws.String("LoadBalancer"), Value: &balancer}},
		}
		if name == "HealthyHostCount" {
			metric.Dimensions = append(metric.Dimensions, types.Dimension{
				Name: aws.String("TargetGroup"), Value: &group,
			})
		}
		in.MetricDataQueries = append(in.MetricDataQueries, types.MetricDataQuery{
			Id:         aws.String(fmt.Sprintf("m%d", i)),
			MetricStat: &types.MetricStat{Stat: aws.String("Sum"), Period: aws.Int32(60), Metric: metric},
		})
	}
	pages := cloudwatch.NewGetMetricDataPaginator(w.metrics, in)
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return m, fmt.Errorf("read the load balancer's metrics: %w", err)
		}
		for _, result := range page.MetricDataResults {
			for i, at := range result.Timestamps {
				counts := &m.since
				if at.Before(from) {
					counts = &m.before
				}
				counts.add(aws.ToString(result.Id), result.Values[i])
				if at.After(m.newest) {
					m.newest = at
				}
			}
		}
	}
	w.observeAge(m.newest)
	return m, nil
}
