//go:build linux

// Package access tests that machines can be reached without an open port and without a key
// that is stored anywhere.
package access
