package cloudwatch

import (
	"context"
	"regexp"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"aloft.dev/aloft/internal/cloud/wire"
)

var (
	// dynamic matches what a label has a value in the place of (Amazon CloudWatch User Guide, "Use
	// dynamic labels").
	dynamic = regexp.MustCompile(`\$\{[^}]*\}`)
	// property matches a property of the metric in such a place.
	property = regexp.MustCompile(`^\$\{PROP\(['"]([^'"]*)['"]\)\}$`)
)

// labelOf returns the label of a checked query, with values in the places of properties. Of
// expressions, the default label alone is supported, and no label has values that follow from data
// points, whose format AWS does not document.
func labelOf(ctx context.Context, q query) (label string, err error) {
	usual := *q.Id
	if q.compute != nil {
		usual = *q.MetricStat.Metric.MetricName
	}
	if q.Label == nil {
		return usual, nil
	}
	return dynamic.ReplaceAllStringFunc(*q.Label, func(place string) string {
		if place == "${LABEL}" {
			return usual
		}
		if of := property.FindStringSubmatch(place); of != nil && q.compute != nil {
			if value, ok := propertyOf(ctx, q, of[1]); ok {
				return value
			}
		}
		err = wire.NotImplemented("the dynamic label %s of the query %s", place, *q.Id)
		return place
	}), err
}

// propertyOf returns a property of the metric of a query.
func propertyOf(ctx context.Context, q query, name string) (value string, ok bool) {
	switch name {
	case "AccountId":
		return wire.AccountFrom(ctx), true
	case "MetricName":
		return q.metric.Name, true
	case "Namespace":
		return q.metric.Namespace, true
	case "Period":
		return strconv.Itoa(int(*q.MetricStat.Period)), true
	case "Region":
		return wire.RegionFrom(ctx).Name(), true
	case "Stat":
		return aws.ToString(q.MetricStat.Stat), true
	}
	if dimension, ok := strings.CutPrefix(name, "Dim."); ok {
		for _, d := range q.metric.Dimensions() {
			if d.Name == dimension {
				return d.Value, true
			}
		}
	}
	return "", false
}
