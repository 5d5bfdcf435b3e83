package cloudwatchlogs

import (
	"context"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/api/page"
	"aloft.dev/aloft/internal/cloud/filterpattern"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// Limits of metric filters (CloudWatch Logs API Reference, PutMetricFilter, MetricTransformation and
// TestMetricFilter; Amazon CloudWatch Logs User Guide, "CloudWatch Logs quotas").
const (
	maxMetricFilters = 100 // of a group
	maxMetricName    = 255
	maxMetricValue   = 100
	maxDimensions    = 3
	maxTested        = 50
)

var (
	filterNameForm = regexp.MustCompile(`^[^:*]*$`)
	metricForm     = regexp.MustCompile(`^[^:*$]*$`)
)

// PutMetricFilter makes a metric of the events that match a pattern. It replaces the filter of the same name.
func (a *API) PutMetricFilter(
	ctx context.Context, in *cloudwatchlogs.PutMetricFilterInput,
) (*cloudwatchlogs.PutMetricFilterOutput, error) {
	if err := checkFilterName(in.FilterName); err != nil {
		return nil, err
	}
	switch {
	case in.FilterPattern == nil:
		return nil, model.Null("filterPattern")
	case in.ApplyOnTransformedLogs:
		return nil, wire.NotImplemented("the parameter ApplyOnTransformedLogs of CloudWatch Logs")
	case aws.ToString(in.FieldSelectionCriteria) != "":
		return nil, wire.NotImplemented("the parameter FieldSelectionCriteria of CloudWatch Logs")
	case len(in.EmitSystemFieldDimensions) > 0:
		return nil, wire.NotImplemented("the parameter EmitSystemFieldDimensions of CloudWatch Logs")
	case len(in.MetricTransformations) == 0:
		return nil, model.Null("metricTransformations")
	case len(in.MetricTransformations) > 1:
		return nil, model.TooLong("metricTransformations", 1)
	}
	if _, err := parsePattern(in.FilterPattern); err != nil {
		return nil, err
	}
	filter, err := a.parseTransformation(in.MetricTransformations[0])
	if err != nil {
		return nil, err
	}
	filter.Name, filter.Pattern = *in.FilterName, *in.FilterPattern
	return &cloudwatchlogs.PutMetricFilterOutput{}, a.editGroup(ctx, in.LogGroupName, func(row *store.LogGroup) error {
		i, exists := filterNamed(row, filter.Name)
		if exists {
			row.MetricFilters = slices.Clone(row.MetricFilters)
			row.MetricFilters[i] = filter
			return nil
		}
		if len(row.MetricFilters) == maxMetricFilters {
			return wire.Errorf("LimitExceededException", "Resource limit exceeded.")
		}
		row.MetricFilters = slices.Insert(slices.Clone(row.MetricFilters), i, filter)
		return nil
	})
}

func checkFilterName(name *string) error {
	return checkText("filterName", name, filterNameForm, "[^:*]*")
}

// filterNamed returns where a group has the metric filter of a name, or would have it.
func filterNamed(row *store.LogGroup, name string) (i int, ok bool) {
	return slices.BinarySearchFunc(row.MetricFilters, name, func(f store.MetricFilter, name string) int {
		return strings.Compare(f.Name, name)
	})
}

// parseTransformation reads which metric a filter makes.
func (a *API) parseTransformation(t types.MetricTransformation) (store.MetricFilter, error) {
	f := store.MetricFilter{
		Metric: aws.ToString(t.MetricName), Namespace: aws.ToString(t.MetricNamespace),
		Value: aws.ToString(t.MetricValue), Unit: string(t.Unit), Default: t.DefaultValue, Dimensions: t.Dimensions,
		Created: a.Now(),
	}
	for member, text := range map[string]*string{"metricName": t.MetricName, "metricNamespace": t.MetricNamespace} {
		if err := checkMetricText("metricTransformations.1.member."+member, text); err != nil {
			return f, err
		}
	}
	if err := checkMetricValue(t.MetricValue); err != nil {
		return f, err
	}
	switch {
	case strings.HasPrefix(f.Namespace, "AWS/"):
		return f, model.Errorf("Invalid metric transformation: namespaces must not start with AWS/.")
	case t.Unit != "" && !slices.Contains(t.Unit.Values(), t.Unit):
		return f, model.OutOfSet("metricTransformations.1.member.unit", t.Unit, "Seconds", "Count", "None")
	case len(t.Dimensions) > maxDimensions:
		return f, model.TooLong("metricTransformations.1.member.dimensions", maxDimensions)
	case len(t.Dimensions) > 0 && t.DefaultValue != nil:
		return f, model.Errorf("Invalid metric transformation: dimensions and default value are mutually exclusive " +
			"properties.")
	}
	for name, selector := range t.Dimensions {
		if name == "" || len(name) > maxMetricName || !filterpattern.IsSelector(selector) {
			return f, model.Errorf("Invalid metric transformation: the dimension %s must have a selector.", name)
		}
	}
	return f, nil
}

// checkMetricValue refuses what is neither a number nor a selector.
func checkMetricValue(text *string) error {
	if text == nil {
		return model.Null("metricTransformations.1.member.metricValue")
	}
	_, numberErr := strconv.ParseFloat(*text, 64)
	switch {
	case len(*text) > maxMetricValue:
		return model.TextTooLong("metricTransformations.1.member.metricValue", *text, maxMetricValue)
	case numberErr != nil && !filterpattern.IsSelector(*text):
		return model.Errorf("Invalid metric transformation: the metric value must be a number or a selector.")
	}
	return nil
}

func checkMetricText(member string, text *string) error {
	switch {
	case text == nil:
		return model.Null(member)
	case len(*text) > maxMetricName:
		return model.TextTooLong(member, *text, maxMetricName)
	case !metricForm.MatchString(*text) || *text == "":
		return model.Refuse(member, *text, "satisfy regular expression pattern: [^:*$]*")
	}
	return nil
}

// DeleteMetricFilter deletes a metric filter. What it has measured stays.
func (a *API) DeleteMetricFilter(
	ctx context.Context, in *cloudwatchlogs.DeleteMetricFilterInput,
) (*cloudwatchlogs.DeleteMetricFilterOutput, error) {
	if err := checkFilterName(in.FilterName); err != nil {
		return nil, err
	}
	return &cloudwatchlogs.DeleteMetricFilterOutput{}, a.editGroup(
		ctx, in.LogGroupName, func(row *store.LogGroup) error {
			i, ok := filterNamed(row, *in.FilterName)
			if !ok {
				return wire.Errorf("ResourceNotFoundException", "The specified metric filter does not exist.")
			}
			row.MetricFilters = slices.Delete(slices.Clone(row.MetricFilters), i, i+1)
			return nil
		})
}

const filterTokens page.Prefix = "metric-filters-after:"

// DescribeMetricFilters lists metric filters by name, of a group or of all.
func (a *API) DescribeMetricFilters(
	ctx context.Context, in *cloudwatchlogs.DescribeMetricFiltersInput,
) (*cloudwatchlogs.DescribeMetricFiltersOutput, error) {
	if err := checkDescribeFilters(in); err != nil {
		return nil, err
	}
	last, ok := filterTokens.Last(in.NextToken)
	if !ok {
		return nil, invalidToken()
	}
	view, region := a.Store.Read(ctx), wire.RegionFrom(ctx)
	groups := store.LogGroups.InRegion(view, region)
	if in.LogGroupName != nil {
		group, err := findGroup(view, region, *in.LogGroupName)
		if err != nil {
			return nil, err
		}
		groups = []*store.LogGroup{group}
	}
	var found []types.MetricFilter
	for _, group := range groups {
		for _, f := range group.MetricFilters {
			if strings.HasPrefix(f.Name, aws.ToString(in.FilterNamePrefix)) &&
				(in.MetricName == nil || f.Metric == *in.MetricName && f.Namespace == *in.MetricNamespace) {
				found = append(found, describeFilter(group.Name, f))
			}
		}
	}
	key := func(f types.MetricFilter) string { return *f.FilterName + ":" + *f.LogGroupName }
	slices.SortFunc(found, func(x, y types.MetricFilter) int { return strings.Compare(key(x), key(y)) })
	size := int(constraint.Default(in.Limit, maxDescribed))
	found, next := page.First(filterTokens, page.After(found, last, key), size, key)
	return &cloudwatchlogs.DescribeMetricFiltersOutput{
		MetricFilters: append([]types.MetricFilter{}, found...), NextToken: next,
	}, nil
}

func checkDescribeFilters(in *cloudwatchlogs.DescribeMetricFiltersInput) error {
	if (in.MetricName == nil) != (in.MetricNamespace == nil) {
		return model.Errorf("Both metricName and metricNamespace must be provided if either is provided.")
	}
	for member, text := range map[string]*string{"metricName": in.MetricName, "metricNamespace": in.MetricNamespace} {
		if text == nil {
			continue
		}
		if err := checkMetricText(member, text); err != nil {
			return err
		}
	}
	if in.FilterNamePrefix != nil {
		if err := checkText("filterNamePrefix", in.FilterNamePrefix, filterNameForm, "[^:*]*"); err != nil {
			return err
		}
	}
	if in.LogGroupName != nil {
		if err := checkGroupName(in.LogGroupName); err != nil {
			return err
		}
	}
	return model.Between("limit", in.Limit, 1, maxDescribed)
}

func describeFilter(group string, f store.MetricFilter) types.MetricFilter {
	return types.MetricFilter{
		FilterName: &f.Name, FilterPattern: &f.Pattern, LogGroupName: &group, CreationTime: milliseconds(f.Created),
		ApplyOnTransformedLogs: false,
		MetricTransformations: []types.MetricTransformation{{
			MetricName: &f.Metric, MetricNamespace: &f.Namespace, MetricValue: &f.Value, DefaultValue: f.Default,
			Dimensions: f.Dimensions, Unit: types.StandardUnit(f.Unit),
		}},
	}
}

// TestMetricFilter returns which of up to 50 messages match a pattern, with the values that it names.
func (a *API) TestMetricFilter(
	_ context.Context, in *cloudwatchlogs.TestMetricFilterInput,
) (*cloudwatchlogs.TestMetricFilterOutput, error) {
	switch {
	case in.FilterPattern == nil:
		return nil, model.Null("filterPattern")
	case len(in.LogEventMessages) == 0:
		return nil, model.Null("logEventMessages")
	case len(in.LogEventMessages) > maxTested:
		return nil, model.TooLong("logEventMessages", maxTested)
	}
	pattern, err := parsePattern(in.FilterPattern)
	if err != nil {
		return nil, err
	}
	out := &cloudwatchlogs.TestMetricFilterOutput{Matches: []types.MetricFilterMatchRecord{}}
	for i, message := range in.LogEventMessages {
		if pattern.Match(message) {
			out.Matches = append(out.Matches, types.MetricFilterMatchRecord{
				EventNumber: int64(i + 1), EventMessage: &message, ExtractedValues: pattern.Values(message),
			})
		}
	}
	return out, nil
}
