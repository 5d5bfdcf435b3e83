package cloudwatchlogs_test

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"aloft.dev/aloft/internal/cloud/eventlog"
	"aloft.dev/aloft/internal/cloud/metric"
)

func (w *world) putFilter(name, pattern string, t types.MetricTransformation) error {
	if t.MetricName == nil {
		t.MetricName, t.MetricNamespace = aws.String(name), aws.String("Shop")
	}
	_, err := w.PutMetricFilter(w.ctx, &client.PutMetricFilterInput{
		LogGroupName: aws.String(group), FilterName: &name, FilterPattern: &pattern,
		MetricTransformations: []types.MetricTransformation{t},
	})
	return err
}

func TestMetricFiltersMeasureEvents(t *testing.T) {
	w := newWorld(t)
	metrics := &metric.Store{}
	w.API.Metrics = metrics
	w.must(w.CreateLogStream(w.ctx, &client.CreateLogStreamInput{
		LogGroupName: aws.String(group), LogStreamName: aws.String(stream),
	}))
	w.must(nil, w.putFilter("errors", "ERROR", types.MetricTransformation{
		MetricValue: aws.String("1"), DefaultValue: aws.Float64(0), Unit: types.StandardUnitCount,
	}))
	w.must(nil, w.putFilter("latency", "{ $.ms = * }", types.MetricTransformation{
		MetricValue: aws.String("$.ms"), Dimensions: map[string]string{"Path": "$.path"},
	}))
	w.must(nil, w.putFilter("bytes", "[..., status=2*, size]", types.MetricTransformation{
		MetricValue: aws.String("$size"),
	}))
	put := func(at time.Time, messages ...string) {
		var events []types.InputLogEvent
		for _, m := range messages {
			events = append(events, types.InputLogEvent{Message: &m, Timestamp: aws.Int64(at.UnixMilli())})
		}
		w.must(w.PutLogEvents(w.ctx, &client.PutLogEventsInput{
			LogGroupName: aws.String(group), LogStreamName: aws.String(stream), LogEvents: events,
		}))
	}
	put(w.now, "ERROR one", "ERROR two", `{"ms":12.5,"path":"/a"}`, `{"ms":7}`, "GET /x 200 512", "GET /y 404 9")
	put(w.now.Add(time.Minute), "all is well")
	sums := func(name, unit string, dimensions ...metric.Dimension) (all []float64) {
		id := metric.NewID("Shop", name, dimensions...)
		for _, p := range metrics.Points("us-east-1", id, w.now.Add(-time.Hour), w.now.Add(time.Hour), unit) {
			all = append(all, p.Sum)
		}
		return all
	}
	for name, got := range map[string][]float64{
		"errors":  sums("errors", "Count"),
		"latency": sums("latency", "None", metric.Dimension{Name: "Path", Value: "/a"}),
		"bytes":   sums("bytes", "None"),
	} {
		want := map[string][]float64{"errors": {2, 0}, "latency": {12.5}, "bytes": {512}}[name]
		if len(got) != len(want) || got[0] != want[0] || got[len(got)-1] != want[len(want)-1] {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
	if got := sums("latency", "None"); got != nil { // an event without the dimension is not measured
		t.Errorf("latency without a path: %v", got)
	}
	if err := w.Deliver("us-east-1", group, stream, []eventlog.Event{
		{Time: w.now.UnixMilli(), Message: "ERROR of a service"},
	}); err != nil {
		t.Fatal(err)
	}
	if got := sums("errors", "Count"); got[0] != 3 {
		t.Errorf("with an event of a service: %v", got)
	}
	w.must(w.DeleteMetricFilter(w.ctx, &client.DeleteMetricFilterInput{
		LogGroupName: aws.String(group), FilterName: aws.String("errors"),
	}))
	put(w.now, "ERROR three")
	if got := sums("errors", "Count"); got[0] != 3 {
		t.Errorf("a deleted filter measures: %v", got)
	}
}

func TestMetricFiltersAreListed(t *testing.T) {
	w := newWorld(t)
	one := types.MetricTransformation{MetricValue: aws.String("1")}
	w.must(nil, w.putFilter("a", " ", one))
	w.must(nil, w.putFilter("ab", "x", one))
	w.must(nil, w.putFilter("ab", "y", one)) // in place of the other
	list := func(in *client.DescribeMetricFiltersInput) string {
		t.Helper()
		out, err := w.DescribeMetricFilters(w.ctx, in)
		w.must(out, err)
		var names []string
		for _, f := range out.MetricFilters {
			names = append(names, *f.FilterName+"="+*f.FilterPattern)
		}
		return strings.Join(names, ",")
	}
	for want, in := range map[string]*client.DescribeMetricFiltersInput{
		"a= ,ab=y": {}, "ab=y": {MetricName: aws.String("ab"), MetricNamespace: aws.String("Shop")},
		"a= ": {Limit: aws.Int32(1), LogGroupName: aws.String(group), FilterNamePrefix: aws.String("a")},
	} {
		if got := list(in); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	groups, err := w.DescribeLogGroups(w.ctx, &client.DescribeLogGroupsInput{})
	w.must(groups, err)
	if n := *groups.LogGroups[0].MetricFilterCount; n != 2 {
		t.Errorf("%d filters", n)
	}
	for what, err := range map[string]error{
		"a name":    w.putFilter("a:b", "x", one),
		"a pattern": w.putFilter("c", "[", one),
		"a value":   w.putFilter("c", "x", types.MetricTransformation{MetricValue: aws.String("many")}),
		"a default": w.putFilter("c", "x", types.MetricTransformation{
			MetricValue: aws.String("1"), DefaultValue: aws.Float64(1), Dimensions: map[string]string{"a": "$.a"},
		}),
	} {
		if err == nil || !strings.Contains(err.Error(), "InvalidParameterException") {
			t.Errorf("%s: %v", what, err)
		}
	}
	_, err = w.DeleteMetricFilter(w.ctx, &client.DeleteMetricFilterInput{
		LogGroupName: aws.String(group), FilterName: aws.String("none"),
	})
	if err == nil || !strings.Contains(err.Error(), "ResourceNotFoundException") {
		t.Errorf("got %v", err)
	}
}

func TestPatternsCanBeTried(t *testing.T) {
	w := newWorld(t)
	out, err := w.TestMetricFilter(w.ctx, &client.TestMetricFilterInput{
		FilterPattern:    aws.String("[ip, ..., status=4*]"),
		LogEventMessages: []string{"127.0.0.1 GET 200", "127.0.0.1 GET 404"},
	})
	w.must(out, err)
	if len(out.Matches) != 1 || out.Matches[0].EventNumber != 2 ||
		!maps.Equal(out.Matches[0].ExtractedValues, map[string]string{"$ip": "127.0.0.1", "$status": "404"}) {
		t.Errorf("got %+v", out.Matches)
	}
}

func TestServicesMayHavePolicies(t *testing.T) {
	w := newWorld(t)
	putFor := func(name, principal, resource string) error {
		_, err := w.PutResourcePolicy(w.ctx, &client.PutResourcePolicyInput{
			PolicyName: &name, PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow",` +
				`"Principal":` + principal + `,"Action":"logs:PutLogEvents","Resource":"` + resource + `"}]}`),
		})
		return err
	}
	put := func(name, principal string) error { return putFor(name, principal, "*") }
	const service = `{"Service":"route53.amazonaws.com"}`
	w.must(nil, put("a", service))
	w.must(nil, putFor("a", service, "log_arn")) // as on AWS, it need not be an ARN
	if err := put("b", `{"AWS":"000000000000"}`); err == nil || !strings.Contains(err.Error(), "NotImplemented") {
		t.Errorf("got %v", err)
	}
	out, err := w.DescribeResourcePolicies(w.ctx, &client.DescribeResourcePoliciesInput{})
	w.must(out, err)
	if len(out.ResourcePolicies) != 1 || out.ResourcePolicies[0].PolicyScope != types.PolicyScopeAccount {
		t.Errorf("got %+v", out)
	}
	for _, name := range "bcdefghij" {
		w.must(nil, put(string(name), service))
	}
	if err := put("k", service); err == nil || !strings.Contains(err.Error(), "LimitExceededException") {
		t.Errorf("got %v", err)
	}
	remove := &client.DeleteResourcePolicyInput{PolicyName: aws.String("a")}
	w.must(w.DeleteResourcePolicy(w.ctx, remove))
	if _, err := w.DeleteResourcePolicy(w.ctx, remove); err == nil ||
		!strings.Contains(err.Error(), "Policy with name [a] does not exist.") {
		t.Errorf("got %v", err)
	}
}
