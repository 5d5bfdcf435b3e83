package cloudwatch

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"aloft.dev/aloft/internal/cloud/metric"
	"aloft.dev/aloft/internal/cloud/wire"
)

// maxListed is the size of a page of metrics. A metric is listed for listedPeriod
// after its latest data, or recentPeriod if the request sets RecentlyActive.
const (
	maxListed    = 500
	listedPeriod = 14 * 24 * time.Hour
	recentPeriod = 3 * time.Hour
)

// ListMetrics lists the metrics that have data.
func (a *API) ListMetrics(ctx context.Context, in *cloudwatch.ListMetricsInput) (*cloudwatch.ListMetricsOutput, error) {
	since := a.Now().Add(-listedPeriod)
	switch in.RecentlyActive {
	case "":
	case types.RecentlyActivePt3h:
		since = a.Now().Add(-recentPeriod)
	default:
		return nil, invalid("The parameter RecentlyActive must be PT3H.")
	}
	if len(in.Dimensions) > 10 {
		return nil, invalid("The collection Dimensions must not have a size greater than 10.")
	}
	for i, d := range in.Dimensions {
		if aws.ToString(d.Name) == "" {
			return nil, missingParameter("Dimensions.member." + strconv.Itoa(i+1) + ".Name")
		}
	}
	request := *in
	request.NextToken = nil
	start, err := newToken(request, 0).offset(in.NextToken)
	if err != nil {
		return nil, invalid("Request parameter NextToken is invalid")
	}
	out := &cloudwatch.ListMetricsOutput{Metrics: []types.Metric{}}
	if account := aws.ToString(in.OwningAccount); account != "" && account != wire.AccountFrom(ctx) {
		return out, nil
	}
	found := a.Metrics.List(wire.RegionFrom(ctx), since)
	found = slices.DeleteFunc(found, func(id metric.ID) bool { return !matches(in, id) })
	for i, id := range found[min(start, len(found)):] {
		if i == maxListed {
			out.NextToken = aws.String(newToken(request, start+i).String())
			break
		}
		out.Metrics = append(
			out.Metrics,
			types.Metric{Namespace: &id.Namespace, MetricName: &id.Name, Dimensions: describeDimensions(id)},
		)
		if aws.ToBool(in.IncludeLinkedAccounts) {
			out.OwningAccounts = append(out.OwningAccounts, wire.AccountFrom(ctx))
		}
	}
	return out, nil
}

// matches reports whether the request selects the metric. A metric may have more
// dimensions than the request names.
func matches(in *cloudwatch.ListMetricsInput, id metric.ID) bool {
	if in.Namespace != nil && *in.Namespace != id.Namespace || in.MetricName != nil && *in.MetricName != id.Name {
		return false
	}
	has := id.Dimensions()
	for _, filter := range in.Dimensions {
		if !slices.ContainsFunc(has, func(d metric.Dimension) bool {
			return d.Name == *filter.Name && (filter.Value == nil || *filter.Value == d.Value)
		}) {
			return false
		}
	}
	return true
}
