//go:build linux

package http1

// The limits of Application Load Balancers in bytes (Application Load Balancer guide,
// Quotas: HTTP headers).
const (
	maxRequestLine = 16 << 10
	maxField       = 16 << 10
	MaxRequestHead = 64 << 10
)
