//go:build linux && !race

package engine

const raceDetector = false
