package inventory

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// Analysis is the latest analysis that Reachability Analyzer made of a path.
type Analysis struct {
	types.NetworkInsightsAnalysis

	Path types.NetworkInsightsPath
}

// ReadAnalyses reads the analyses of paths from one of some resources to one of others, by their
// ids. It starts none: an analysis costs money, and reading it does not (Amazon VPC Pricing).
func ReadAnalyses(ctx context.Context, c *ec2.Client, from, to []string) (found []Analysis, err error) {
	filter := func(name string, values []string) types.Filter { return types.Filter{Name: &name, Values: values} }
	paths, err := all(ctx, ec2.NewDescribeNetworkInsightsPathsPaginator(c, &ec2.DescribeNetworkInsightsPathsInput{
		Filters: []types.Filter{filter("source", from), filter("destination", to)},
	}), func(o *ec2.DescribeNetworkInsightsPathsOutput) []types.NetworkInsightsPath {
		return o.NetworkInsightsPaths
	})
	if err != nil {
		return nil, fmt.Errorf("read the paths of Reachability Analyzer: %w", err)
	}
	status := filter("status", []string{string(types.AnalysisStatusSucceeded)})
	for _, path := range paths {
		analyses, err := all(ctx,
			ec2.NewDescribeNetworkInsightsAnalysesPaginator(c, &ec2.DescribeNetworkInsightsAnalysesInput{
				NetworkInsightsPathId: path.NetworkInsightsPathId, Filters: []types.Filter{status},
			}), func(o *ec2.DescribeNetworkInsightsAnalysesOutput) []types.NetworkInsightsAnalysis {
				return o.NetworkInsightsAnalyses
			})
		if err != nil {
			return nil, fmt.Errorf("read the analyses of %s: %w", aws.ToString(path.NetworkInsightsPathId), err)
		}
		var latest *types.NetworkInsightsAnalysis
		for i := range analyses {
			if latest == nil || aws.ToTime(analyses[i].StartDate).After(aws.ToTime(latest.StartDate)) {
				latest = &analyses[i]
			}
		}
		if latest != nil {
			found = append(found, Analysis{*latest, path})
		}
	}
	return found, nil
}
