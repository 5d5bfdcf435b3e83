// Package frontend carries out the manners of AWS's front ends, which stand between
// clients and the services: reads from copies that lag behind, throttling, server
// errors, and answers that are lost. It surrounds the operations of all services.
package frontend

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"aloft.dev/aloft/internal/cloud/manners"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// Config configures a front end.
type Config struct {
	Store   *store.Store // keeps a history from now on
	Manners *manners.Set
	// NotFound returns, by the name of a service, the service's error for an id, a
	// name or an ARN that does not exist, in a field of the SDK's input, or nil if the
	// service does not look it up.
	NotFound map[string]func(field, id string) error
	Log      *slog.Logger
}

// FrontEnd surrounds operations. Its methods are safe for concurrent use.
type FrontEnd struct{ Config }

// New returns a front end. The store must not be in use yet.
func New(c Config) *FrontEnd {
	c.Store.KeepHistory(func() time.Duration { return c.Manners.Scaled(manners.Consistency, longestLag) })
	return &FrontEnd{c}
}

// Around runs an operation as a front end of AWS does. It is meant for wire.Config.
func (f *FrontEnd) Around(
	ctx context.Context, call wire.Call, next func(context.Context) (any, error),
) (any, error) {
	if err := f.overload(ctx, call); err != nil {
		return nil, err
	}
	ctx, err := f.lag(ctx, call)
	if err != nil {
		return nil, err
	}
	out, err := next(ctx)
	if f.happens(call, rates(call).lost, "lose the response of") {
		f.log(ctx, call, "the response is lost")
		return nil, wire.ErrHangUp
	}
	return out, err
}

// reads reports whether an operation changes nothing.
func reads(operation string) bool {
	return strings.HasPrefix(operation, "Describe") || strings.HasPrefix(operation, "Get") ||
		strings.HasPrefix(operation, "List")
}

// log logs what a client will notice.
func (f *FrontEnd) log(ctx context.Context, call wire.Call, what string) {
	f.Log.LogAttrs(ctx, slog.LevelInfo, "manners: "+what, slog.String("request", wire.CallerFrom(ctx).RequestID),
		slog.String("service", call.Service), slog.String("operation", call.Operation))
}
