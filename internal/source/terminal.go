//go:build !windows

package source

import (
	"os/exec"
	"syscall"
)

// withoutTerminal runs a command in a session of its own, where it cannot open the
// user's terminal to ask for something (setsid(2)).
func withoutTerminal(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }
