//go:build race

package balancer

// The race detector makes pools forget, so that they allocate.
const raceDetector = true
