//go:build linux

package http1

// The limits of Application Load Balancers in bytes (Application Load Balancer guide,
// Quotas: HTTP headers).
const (
	MaxRequestLine  = 16 << 10
	MaxField        = 16 << 10
	MaxRequestHead  = 64 << 10
	MaxResponseHead = 32 << 10
)
