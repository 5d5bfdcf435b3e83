package stack

import _ "embed"

// PushedKeysScript is a user data script that lets sshd accept the keys that EC2 Instance
// Connect pushes.
//
//go:embed pushedkeys.sh
var PushedKeysScript string
