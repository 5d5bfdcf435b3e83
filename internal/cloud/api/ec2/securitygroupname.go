package ec2

import (
	"strings"
)

const (
	maxGroupText   = 255
	groupTextChars = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789. _-:/()#,@[]+=&;{}!$*"
)

// validGroupText tells whether a text may be a name or a description of a group or
// of a rule (Amazon EC2 API Reference, CreateSecurityGroup).
func validGroupText(text string) bool {
	return len(text) <= maxGroupText && strings.Trim(text, groupTextChars) == ""
}
