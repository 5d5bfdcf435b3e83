package wire

import "context"

// Caller identifies the client that made a request.
type Caller struct {
	AccountID   string
	AccessKeyID string
	Region      string // of the signature's scope
	RequestID   string
}

type callerKey struct{}

// WithCaller returns a context that carries the caller of a request.
func WithCaller(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// CallerFrom returns the caller of the request that ctx belongs to, or the zero
// Caller outside of a request.
func CallerFrom(ctx context.Context) Caller {
	c, _ := ctx.Value(callerKey{}).(Caller)
	return c
}

// RegionFrom returns the region of the request that ctx belongs to.
func RegionFrom(ctx context.Context) string { return CallerFrom(ctx).Region }
