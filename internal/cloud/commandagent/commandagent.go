// Package commandagent has the program that runs the commands of Systems Manager Run Command
// in machines. As on AWS, it fetches commands with the credentials of the instance's role, and
// does nothing without one that allows it.
package commandagent

import (
	_ "embed"

	"aloft.dev/aloft/internal/rolescript"
)

// Unit is the name of the program's unit of systemd.
const Unit = "aloft-agent.service"

var (
	//go:embed agent.sh
	program string
	//go:embed aloft-agent.service
	unit string
)

// Files returns the program and its unit, by path below /run.
func Files() map[string]string {
	return map[string]string{
		"aloft/agent/agent.sh":   program,
		"aloft/agent/aws.sh":     rolescript.AWS,
		"systemd/system/" + Unit: unit,
	}
}
