//go:build linux

// Package manners runs the whole life of a deployment on local clouds that behave as
// AWS does, in virtual time.
package manners

import "time"

// Result holds the measurements of a journey: the life of one deployment on one cloud.
type Result struct {
	Manners string        `json:"manners"` // of the cloud: "aws" for all
	Mode    string        `json:"mode"`    // "fixed" or "scaling"
	Seed    uint64        `json:"seed"`
	Stages  []StageResult `json:"stages"`
	Up      time.Duration `json:"up_ns"`
	Path    time.Duration `json:"critical_path_ns"` // of up's graphs
}

// StageResult is how a command of a journey ended. A command passes if it succeeds,
// a plan has nothing to do afterwards, and nothing exists twice; down passes if
// nothing is left.
type StageResult struct {
	Name   string        `json:"name"`
	Passed bool          `json:"passed"`
	Took   time.Duration `json:"took_ns"`
}
