package source

import (
	"os/exec"
	"syscall"

	"golang.org/x/sys/windows"
)

// withoutTerminal runs a command without the user's console, so that it cannot ask for
// something there (Microsoft, "Process Creation Flags"). The credential helper of Git
// for Windows would open a window instead (Git Credential Manager, "Environment
// variables").
func withoutTerminal(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: windows.CREATE_NO_WINDOW}
	cmd.Env = append(cmd.Environ(), "GCM_INTERACTIVE=never")
}
