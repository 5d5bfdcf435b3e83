// Package cloudwatchlogs serves Amazon CloudWatch Logs for the local cloud. Limits, errors
// and the contents of responses are those of the CloudWatch Logs API Reference and of the
// Amazon CloudWatch Logs User Guide. Groups and streams are rows of the store, and events
// are in files (package eventlog).
//
// Queries of Logs Insights run in the daemon (package logquery). Their results are forgotten when it ends.
//
// The local cloud has no Live Tail, and no filters that deliver to others: the operations that make them are missing.
package cloudwatchlogs

import (
	"context"
	"log/slog"
	"time"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/eventlog"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/metric"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// Config configures an API.
type Config struct {
	Store  *store.Store
	Events *eventlog.Log
	Log    *slog.Logger
	Now    func() time.Time // nil: time.Now
	// Metrics receives what metric filters measure; nil: nobody does.
	Metrics interface {
		Add(region identity.Region, id metric.ID, when time.Time, unit string, measured metric.Summary)
	}
}

// API implements the operations of CloudWatch Logs.
type API struct {
	Config
	random  *identity.Source
	queries queries
}

// New returns an API.
func New(c Config) *API {
	if c.Now == nil {
		c.Now = time.Now
	}
	return &API{Config: c, random: identity.New(nil), queries: queries{wake: make(chan struct{}, 1)}}
}

// model returns the errors of requests that violate the API's model, and of parameters that
// are invalid beyond it.
const model = constraint.Model("InvalidParameterException")

// change runs an operation that writes to the store.
func (a *API) change(ctx context.Context, do func(tx *store.Tx, region identity.Region) error) error {
	return a.Store.Update(func(tx *store.Tx) error { return do(tx, wire.RegionFrom(ctx)) })
}

// milliseconds returns a time as the API has it.
func milliseconds(t time.Time) *int64 {
	ms := t.UnixMilli()
	return &ms
}

func invalidToken() error { return model.Errorf("The specified nextToken is invalid.") }
