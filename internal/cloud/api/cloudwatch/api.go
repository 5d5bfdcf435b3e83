// Package cloudwatch answers the metrics and alarms of Amazon CloudWatch for the
// local cloud. Facts about answers, limits and errors: Amazon CloudWatch API
// Reference and User Guide. Composite alarms, dashboards, streams and metric math
// are not there.
package cloudwatch

import (
	"context"
	"time"

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

func missingParameter(name string) error {
	return wire.Errorf("MissingParameter", "The parameter %s is required.", name)
}

func invalid(format string, args ...any) error {
	return wire.Errorf("InvalidParameterValue", format, args...)
}

func invalidCombination(format string, args ...any) error {
	return wire.Errorf("InvalidParameterCombination", format, args...)
}
