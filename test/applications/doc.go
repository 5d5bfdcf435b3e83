//go:build linux

// Package applications holds end-to-end tests of the kinds of application that Aloft
// builds and runs.
package applications
