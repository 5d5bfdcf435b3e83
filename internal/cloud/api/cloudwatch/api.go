// Package cloudwatch serves the metrics and alarms of Amazon CloudWatch for the
// local cloud. Its facts about responses, limits and errors are from the Amazon
// CloudWatch API Reference and User Guide. Dashboards are kept and not drawn.
// Metric streams, anomaly detection and Contributor Insights are not supported.
package cloudwatch

import (
	"time"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/manners"
	"aloft.dev/aloft/internal/cloud/metric"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// Config holds an API's dependencies.
type Config struct {
	Metrics *metric.Store
	Store   *store.Store     // holds the alarms
	Now     func() time.Time // time.Now if nil
	Manners *manners.Set     // nil: a kind cloud
}

// API implements the operations on metrics and alarms.
type API struct{ Config }

// New returns the API.
func New(cfg Config) *API {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &API{cfg}
}

// model builds the errors for requests that violate the API's model.
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

// validationError returns an error in the parameters of alarms and queries.
func validationError(format string, args ...any) error {
	return wire.Errorf("ValidationError", format, args...)
}
