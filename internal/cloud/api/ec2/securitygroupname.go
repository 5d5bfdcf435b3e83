package ec2

import (
	"strings"
)

const (
	maxGroupText   = 255
	groupTextChars = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789. _-:/()#,@[]+=&;{}!$*"
)

// validGroupText reports whether a text can be the name or the description of a
// security group, or the description of a rule (Amazon EC2 API Reference,
// CreateSecurityGroup).
func validGroupText(text string) bool {
	return len(text) <= maxGroupText && strings.Trim(text, groupTextChars) == ""
}
