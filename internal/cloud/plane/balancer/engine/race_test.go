//go:build linux && race

package engine

// The race detector makes pools forget, so that they allocate.
const raceDetector = true
