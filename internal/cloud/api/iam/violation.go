package iam

import (
	"fmt"
	"strings"
)

// violations are the constraints of its model that a request violates. The API reports all of them
// in one error, and like most of IAM's operations without the values.
type violations []string

// add adds one. must completes the sentence "Member must".
func (v *violations) add(member, must string, args ...any) {
	*v = append(*v, "Value at '"+member+"' failed to satisfy constraint: Member must "+fmt.Sprintf(must, args...))
}

// err returns the error for the violations, or nil for none.
func (v *violations) err() error {
	if len(*v) == 0 {
		return nil
	}
	errors := "error"
	if len(*v) > 1 {
		errors = "errors"
	}
	return model.Errorf("%d validation %s detected: %s", len(*v), errors, strings.Join(*v, "; "))
}
