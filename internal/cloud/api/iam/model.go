package iam

import (
	"strings"

	"aloft.dev/aloft/internal/cloud/api/constraint"
)

// model returns the errors of requests that violate the API's model.
const model = reticent("ValidationError")

// reticent is the model of an API whose errors never contain the values that violate it, as those of
// IAM.
type reticent constraint.Model

func (m reticent) Errorf(format string, args ...any) error {
	return constraint.Model(m).Errorf(format, args...)
}

// Refuse returns the error for a member whose value violates a constraint. must completes the
// sentence "Member must".
func (m reticent) Refuse(member, must string, args ...any) error {
	return constraint.Model(m).RefuseWithoutValue(member, must, args...)
}

// Null returns the error for a request without a required member.
func (m reticent) Null(member string) error { return m.Refuse(member, "not be null") }

// Required refuses a request without the member.
func (m reticent) Required(member string, given bool) error {
	if given {
		return nil
	}
	return m.Null(member)
}

// TooShort returns the error for a text that is shorter than least.
func (m reticent) TooShort(member string, least int) error {
	return m.Refuse(member, "have length greater than or equal to %d", least)
}

// TooLong returns the error for a text or a list that is longer than most.
func (m reticent) TooLong(member string, most int) error {
	return constraint.Model(m).TooLong(member, most)
}

// Pattern returns the error for a text that does not match a pattern.
func (m reticent) Pattern(member, pattern string) error {
	return m.Refuse(member, "satisfy regular expression pattern: %s", pattern)
}

// OutOfSet returns the error for a value that is not one of known.
func (m reticent) OutOfSet(member string, known ...string) error {
	return m.Refuse(member, "satisfy enum value set: [%s]", strings.Join(known, ", "))
}

// Elements returns the error for a list that has an element which violates one of the constraints.
// musts complete the sentence "Member must".
func (m reticent) Elements(member string, musts ...string) error {
	return m.Refuse(member, "satisfy constraint: [Member must %s]", strings.Join(musts, ", Member must "))
}

// Between refuses a number that is not between low and high. It accepts nil, which stands for the
// default.
func (m reticent) Between(member string, given *int32, low, high int32) error {
	switch {
	case given == nil:
		return nil
	case *given < low:
		return m.Refuse(member, "have value greater than or equal to %d", low)
	case *given > high:
		return m.Refuse(member, "have value less than or equal to %d", high)
	}
	return nil
}
