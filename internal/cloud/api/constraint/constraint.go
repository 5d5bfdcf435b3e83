// Package constraint implements the validation that AWS's services share: required
// members, ranges, enumerations, defaults and tags. The messages are AWS's. The error
// codes differ by service.
package constraint

import (
	"fmt"
	"strings"

	"aloft.dev/aloft/internal/cloud/wire"
)

// Model is the model of a service. Its value is the code of the service's error for a
// request that violates the model: "ValidationError".
type Model string

// Errorf returns the service's error for a request that violates a rule beyond
// the constraints of its model.
func (m Model) Errorf(format string, args ...any) error {
	return wire.Errorf(string(m), format, args...)
}

// Refuse returns the error for a member whose value violates a constraint. must
// completes the sentence "Member must".
func (m Model) Refuse(member string, value any, must string, args ...any) error {
	return m.refuse(fmt.Sprintf(" '%v'", value), member, fmt.Sprintf(must, args...))
}

// RefuseWithoutValue is like Refuse, but the error does not contain the value: for
// values that are long, secret or lists.
func (m Model) RefuseWithoutValue(member, must string, args ...any) error {
	return m.refuse("", member, fmt.Sprintf(must, args...))
}

func (m Model) refuse(value, member, must string) error {
	return wire.Errorf(
		string(m),
		"1 validation error detected: Value%s at '%s' failed to satisfy constraint: Member must %s",
		value, member, must,
	)
}

// Null returns the error for a request without a required member.
func (m Model) Null(member string) error {
	return m.refuse(" null", member, "not be null")
}

// Empty returns the error for an empty text.
func (m Model) Empty(member string) error {
	return m.Refuse(member, "", "have length greater than or equal to 1")
}

// TooLong returns the error for a text or a list that is longer than most.
func (m Model) TooLong(member string, most int) error {
	return m.RefuseWithoutValue(member, "have length less than or equal to %d", most)
}

// OutOfRange returns the error for a number that is not between low and high.
func (m Model) OutOfRange(member string, value any, low, high int) error {
	return m.Refuse(member, value, "have value between %d and %d", low, high)
}

// OutOfSet returns the error for a value that is not one of known.
func (m Model) OutOfSet(member string, value any, known ...string) error {
	return m.Refuse(member, value, "satisfy enum value set: [%s]", strings.Join(known, ", "))
}

// Required refuses a request without the member.
func (m Model) Required(member string, given bool) error {
	if given {
		return nil
	}
	return m.Null(member)
}

// Between refuses a number that is not between low and high. It accepts nil, which
// stands for the default.
func (m Model) Between(member string, given *int32, low, high int32) error {
	switch {
	case given == nil:
		return nil
	case *given < low:
		return m.Refuse(member, *given, "have value greater than or equal to %d", low)
	case *given > high:
		return m.Refuse(member, *given, "have value less than or equal to %d", high)
	}
	return nil
}

// Default returns the given value or, if it is nil, the member's default.
func Default[T any](given *T, otherwise T) T {
	if given == nil {
		return otherwise
	}
	return *given
}
