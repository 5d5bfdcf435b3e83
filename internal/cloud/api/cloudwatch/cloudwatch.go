// Package cloudwatch answers the metrics and alarms of Amazon CloudWatch for the
// local cloud. Facts about answers, limits and errors: Amazon CloudWatch API
// Reference and User Guide. Composite alarms, dashboards, streams and metric math
// are not there.
package cloudwatch

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/metric"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// Config is what the API works with.
type Config struct {
	Metrics *metric.Store
	Store   *store.Store     // of alarms
	Now     func() time.Time // time.Now if nil
}

// API serves the operations on metrics and alarms.
type API struct{ Config }

// New makes the API.
func New(cfg Config) *API {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &API{cfg}
}

func region(ctx context.Context) string { return wire.CallerFrom(ctx).Region }

// model refuses what breaks the API's model.
const model = constraint.Model("ValidationError")

func missing(name string) error {
	return wire.Errorf("MissingParameter", "The parameter %s is required.", name)
}

func invalid(format string, args ...any) error {
	return wire.Errorf("InvalidParameterValue", format, args...)
}

func combination(format string, args ...any) error {
	return wire.Errorf("InvalidParameterCombination", format, args...)
}

// maxDimensions is how many a metric may have.
const maxDimensions = 30

// maxName is the length of the longest name of a namespace or metric.
const maxName = 255

// checkName checks a namespace or metric's name.
func checkName(parameter string, value *string) error {
	switch name := aws.ToString(value); {
	case name == "":
		return missing(parameter)
	case len(name) > maxName:
		return invalid("The value of the parameter %s has more than %d characters.", parameter, maxName)
	}
	return nil
}

// identity is the metric that a request names.
func identity(namespace, name *string, dimensions []types.Dimension) (metric.ID, error) {
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
	own := make([]metric.Dimension, 0, len(dimensions))
	for i, d := range dimensions {
		at := fmt.Sprintf("Dimensions.member.%d.", i+1)
		if err := checkDimension(at, aws.ToString(d.Name), aws.ToString(d.Value)); err != nil {
			return metric.ID{}, err
		}
		own = append(own, metric.Dimension{Name: *d.Name, Value: *d.Value})
	}
	return metric.NewID(*namespace, *name, own...), nil
}

func checkDimension(at, name, value string) error {
	switch {
	case name == "":
		return missing(at + "Name")
	case value == "":
		return missing(at + "Value")
	case strings.HasPrefix(name, ":") || len(name) > maxName || strings.Contains(name, "\x00"):
		return invalid("The value %q for parameter %sName is invalid.", name, at)
	case len(value) > 1024 || strings.Contains(value, "\x00"):
		return invalid("The value %q for parameter %sValue is invalid.", value, at)
	}
	return nil
}

func dimensionsOf(id metric.ID) []types.Dimension {
	out := []types.Dimension{}
	for _, d := range id.Dimensions() {
		out = append(out, types.Dimension{Name: &d.Name, Value: &d.Value})
	}
	return out
}

func checkUnit(unit types.StandardUnit) error {
	for _, known := range unit.Values() {
		if unit == known {
			return nil
		}
	}
	if unit != "" {
		return invalid(
			"The parameter Unit must be a value in the set [ Seconds, Microseconds, Milliseconds, Bytes, ..., Count/Second, None ].",
		)
	}
	return nil
}

// token marks where the next page of the answer to a request begins.
type token struct {
	Request string `json:"r"` // what was asked for, so that it cannot be used elsewhere
	Offset  int    `json:"o"`
}

// newToken is the token for the request without its own token.
func newToken(request any, offset int) token {
	text, _ := json.Marshal(request) // the SDK's inputs have a JSON form
	sum := sha256.Sum256(text)
	return token{base64.RawURLEncoding.EncodeToString(sum[:12]), offset}
}

func (t token) String() string {
	text, _ := json.Marshal(t) // it has a JSON form
	return base64.RawURLEncoding.EncodeToString(text)
}

// offset reads where a page begins: given is the request's token, if any.
func (t token) offset(given *string) (int, error) {
	if aws.ToString(given) == "" {
		return 0, nil
	}
	var said token
	text, err := base64.RawURLEncoding.DecodeString(*given)
	if err == nil {
		err = json.Unmarshal(text, &said)
	}
	if err != nil || said.Request != t.Request || said.Offset < 0 {
		return 0, wire.Errorf("InvalidNextToken", "The next token specified is invalid.")
	}
	return said.Offset, nil
}
