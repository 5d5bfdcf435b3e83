package cloudwatch

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// Clients ask about what the local cloud has none of, because no operation of it makes one.
// The truthful answer is an empty list.

// emptyList returns the error for a page of an empty list, or nil.
func emptyList(request any, token *string, size *int32) error {
	_, _, err := pageRows([]int{}, request, token, size, defaultAlarmPage)
	return err
}

// DescribeAnomalyDetectors lists the models of anomaly detection.
func (a *API) DescribeAnomalyDetectors(
	_ context.Context, in *cloudwatch.DescribeAnomalyDetectorsInput,
) (*cloudwatch.DescribeAnomalyDetectorsOutput, error) {
	return &cloudwatch.DescribeAnomalyDetectorsOutput{
		AnomalyDetectors: []types.AnomalyDetector{},
	}, emptyList(in, in.NextToken, in.MaxResults)
}

// DescribeInsightRules lists the rules of Contributor Insights.
func (a *API) DescribeInsightRules(
	_ context.Context, in *cloudwatch.DescribeInsightRulesInput,
) (*cloudwatch.DescribeInsightRulesOutput, error) {
	return &cloudwatch.DescribeInsightRulesOutput{
		InsightRules: []types.InsightRule{},
	}, emptyList(in, in.NextToken, in.MaxResults)
}

// ListMetricStreams lists the streams of metrics.
func (a *API) ListMetricStreams(
	_ context.Context, in *cloudwatch.ListMetricStreamsInput,
) (*cloudwatch.ListMetricStreamsOutput, error) {
	return &cloudwatch.ListMetricStreamsOutput{
		Entries: []types.MetricStreamEntry{},
	}, emptyList(in, in.NextToken, in.MaxResults)
}
