package cloudwatch

import (
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"aloft.dev/aloft/internal/cloud/metric"
)

// maxDimensions is the largest number of dimensions of a metric.
const maxDimensions = 30

// maxName is the longest name of a namespace or metric, in characters.
const maxName = 255

// checkName checks the name of a namespace or metric.
func checkName(parameter string, value *string) error {
	switch name := aws.ToString(value); {
	case name == "":
		return missingParameter(parameter)
	case len(name) > maxName:
		return invalid("The value of the parameter %s has more than %d characters.", parameter, maxName)
	}
	return nil
}

// metricID returns the ID of the metric that a request names.
func metricID(namespace, name *string, dimensions []types.Dimension) (metric.ID, error) {
	if err := checkName("Namespace", namespace); err != nil {
		return metric.ID{}, err
	}
	if strings.HasPrefix(*namespace, ":") {
		return metric.ID{}, invalid("The value %s for parameter Namespace is invalid.", *namespace)
	}
	if err := checkName("MetricName", name); err != nil {
		return metric.ID{}, err
	}
	if len(dimensions) > maxDimensions {
		return metric.ID{}, invalid("The collection Dimensions must not have a size greater than %d.", maxDimensions)
	}
	converted := make([]metric.Dimension, 0, len(dimensions))
	for i, d := range dimensions {
		at := fmt.Sprintf("Dimensions.member.%d.", i+1)
		if err := checkDimension(at, aws.ToString(d.Name), aws.ToString(d.Value)); err != nil {
			return metric.ID{}, err
		}
		converted = append(converted, metric.Dimension{Name: *d.Name, Value: *d.Value})
	}
	return metric.NewID(*namespace, *name, converted...), nil
}

// checkDimension checks a dimension. at is the parameter's path in error
// messages.
func checkDimension(at, name, value string) error {
	switch {
	case name == "":
		return missingParameter(at + "Name")
	case value == "":
		return missingParameter(at + "Value")
	case strings.HasPrefix(name, ":") || len(name) > maxName || strings.Contains(name, "\x00"):
		return invalid("The value %q for parameter %sName is invalid.", name, at)
	case len(value) > 1024 || strings.Contains(value, "\x00"):
		return invalid("The value %q for parameter %sValue is invalid.", value, at)
	}
	return nil
}

func describeDimensions(id metric.ID) []types.Dimension {
	out := []types.Dimension{}
	for _, d := range id.Dimensions() {
		out = append(out, types.Dimension{Name: &d.Name, Value: &d.Value})
	}
	return out
}

func checkUnit(unit types.StandardUnit) error {
	for _, knids := range unit.Values() {
		if unit == knids {
			return nil
		}
	}
	if unit != "" {
		return invalid(
			"The parameter Unit must be a value in the set [ Seconds, Microseconds, Milliseconds, Bytes, ..., " +
				"Count/Second, None ].",
		)
	}
	return nil
}
