package cloudwatch

import (
	"context"
	"math"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"aloft.dev/aloft/internal/cloud/metric"
	"aloft.dev/aloft/internal/cloud/wire"
)

// Limits of PutMetricData.
const (
	maxData   = 1000
	maxValues = 150
	maxPast   = 14 * 24 * time.Hour
	maxFuture = 2 * time.Hour
)

// maxMagnitude is the largest absolute value that CloudWatch accepts.
var maxMagnitude = math.Ldexp(1, 360)

// measurement is a validated datum of a request.
type measurement struct {
	id   metric.ID
	at   time.Time
	unit string
	fine bool // of high resolution
	metric.Summary
}

// PutMetricData adds all data of a request to the caller's own metrics, or none.
func (a *API) PutMetricData(
	ctx context.Context, in *cloudwatch.PutMetricDataInput,
) (*cloudwatch.PutMetricDataOutput, error) {
	if err := checkName("Namespace", in.Namespace); err != nil {
		return nil, err
	}
	switch {
	case strings.HasPrefix(*in.Namespace, "AWS/"):
		return nil, invalid("The value AWS/ for parameter Namespace is invalid.")
	case len(in.EntityMetricData) > 0:
		return nil, wire.NotImplemented("metrics of entities (EntityMetricData)")
	case len(in.MetricData) == 0:
		return nil, missingParameter("MetricData")
	case len(in.MetricData) > maxData:
		return nil, invalid("The collection MetricData must not have a size greater than %d.", maxData)
	}
	measured := make([]measurement, 0, len(in.MetricData))
	for i := range in.MetricData {
		m, err := a.readDatum(in.Namespace, &in.MetricData[i])
		if err != nil {
			return nil, err
		}
		measured = append(measured, m)
	}
	for _, m := range measured {
		add := a.Metrics.Add
		if m.fine {
			add = a.Metrics.AddHighResolution
		}
		add(wire.RegionFrom(ctx), m.id, m.at, m.unit, m.Summary)
	}
	return &cloudwatch.PutMetricDataOutput{}, nil
}

func (a *API) readDatum(namespace *string, d *types.MetricDatum) (m measurement, err error) {
	if m.id, err = metricID(namespace, d.MetricName, d.Dimensions); err != nil {
		return m, err
	}
	if err := checkUnit(d.Unit); err != nil {
		return m, err
	}
	if m.unit = string(d.Unit); m.unit == "" {
		m.unit = string(types.StandardUnitNone)
	}
	now := a.Now()
	m.at = now
	if d.Timestamp != nil {
		m.at = *d.Timestamp
	}
	if m.at.Before(now.Add(-maxPast)) || m.at.After(now.Add(maxFuture)) {
		return m, invalid(
			"The parameter MetricData.member.Timestamp must be within the past two weeks and the next two hours.",
		)
	}
	switch aws.ToInt32(d.StorageResolution) {
	case 0, 60:
	case 1:
		m.fine = true
	default:
		return m, invalid("The parameter StorageResolution must be 1 or 60.")
	}
	m.Summary, err = readSummary(d)
	return m, err
}

// readSummary reads a datum's values, which can have one of three forms.
func readSummary(d *types.MetricDatum) (metric.Summary, error) {
	var out metric.Summary
	switch {
	case d.Value != nil && d.StatisticValues != nil, len(d.Values) > 0 && (d.Value != nil || d.StatisticValues != nil):
		return out, invalidCombination(
			"The parameters MetricData.member.Value, MetricData.member.Values and " +
				"MetricData.member.StatisticValues are mutually exclusive and you have specified more than one.",
		)
	case d.Value != nil:
		return metric.SummaryOf(*d.Value, 1), checkValues(*d.Value)
	case d.StatisticValues != nil:
		return readStatisticSet(d.StatisticValues)
	case len(d.Values) > 0:
		return readValuesAndCounts(d.Values, d.Counts)
	}
	return out, missingParameter("MetricData.member.Value")
}

func readStatisticSet(s *types.StatisticSet) (metric.Summary, error) {
	for name, v := range map[string]*float64{
		"SampleCount": s.SampleCount, "Sum": s.Sum, "Minimum": s.Minimum, "Maximum": s.Maximum,
	} {
		if v == nil {
			return metric.Summary{}, missingParameter("MetricData.member.StatisticValues." + name)
		}
		if err := checkValues(*v); err != nil {
			return metric.Summary{}, err
		}
	}
	switch {
	case *s.SampleCount <= 0:
		return metric.Summary{}, invalid(
			"The parameter MetricData.member.StatisticValues.SampleCount must be greater than 0.",
		)
	case *s.Minimum > *s.Maximum:
		return metric.Summary{}, invalidCombination(
			"MetricData.member.StatisticValues.Maximum must be greater than or equal to Minimum.",
		)
	}
	return metric.SummaryOfSet(*s.SampleCount, *s.Sum, *s.Minimum, *s.Maximum), nil
}

func readValuesAndCounts(values, counts []float64) (metric.Summary, error) {
	var out metric.Summary
	switch {
	case len(values) > maxValues:
		return out, invalid("The collection MetricData.member.Values must not have a size greater than %d.", maxValues)
	case len(counts) > 0 && len(counts) != len(values):
		return out, invalidCombination(
			"The parameters MetricData.member.Values and MetricData.member.Counts must be of the same size.",
		)
	}
	if err := checkValues(append(values, counts...)...); err != nil {
		return out, err
	}
	for i, v := range values {
		times := 1.0
		if len(counts) > 0 {
			times = counts[i]
		}
		if times <= 0 {
			return out, invalid("The values in MetricData.member.Counts must be greater than 0.")
		}
		out.Merge(metric.SummaryOf(v, times))
	}
	return out, nil
}

func checkValues(values ...float64) error {
	for _, v := range values {
		if math.IsNaN(v) || math.Abs(v) > maxMagnitude {
			return invalid("The value %v is not supported: values must be between -2^360 and 2^360.", v)
		}
	}
	return nil
}
