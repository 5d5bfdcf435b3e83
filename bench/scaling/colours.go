//go:build linux

package main

import "aloft.dev/aloft/internal/picture"

const (
	metricColour  = "#1d4ed8"
	desiredColour = "#c2410c"
	serversColour = "#b7dcc3"
	targetColour  = "#e0a800"
	momentColour  = "#57606a"
)

// stateColours are the colours of alarm states.
var stateColours = map[string]string{"ALARM": "#e03131", "OK": serversColour, "INSUFFICIENT_DATA": picture.Hairline}
