// Package constraint holds requests against the models of AWS's services, as
// far as all services do it alike: which members are required, which values
// they take, what they have when they are not given, and which tags there may
// be. The words are those of AWS's answers; the codes differ by service.
package constraint

import (
	"fmt"
	"strings"

	"aloft.dev/aloft/internal/cloud/wire"
)

// Model is the model of a service, named by the code of the error with which
// the service refuses what breaks it: "ValidationError".
type Model string

// Errorf returns the service's error for a request that violates a rule beyond
// the constraints of its model.
func (m Model) Errorf(format string, args ...any) error {
	return wire.Errorf(string(m), format, args...)
}

// Refuse is the answer to a request that breaks a constraint by the value of a
// member. must goes on after "Member must".
func (m Model) Refuse(member string, value any, must string, args ...any) error {
	return m.refuse(fmt.Sprintf(" '%v'", value), member, fmt.Sprintf(must, args...))
}

// RefuseWithoutValue is Refuse for a value that the answer does not repeat: it is long,
// secret or a list.
func (m Model) RefuseWithoutValue(member, must string, args ...any) error {
	return m.refuse("", member, fmt.Sprintf(must, args...))
}

func (m Model) refuse(value, member, must string) error {
	return wire.Errorf(
		string(m),
		"1 validation error detected: Value%s at '%s' failed to satisfy constraint: Member must %s",
		value,
		member,
		must,
	)
}

// Null is the answer to a request without a required member.
func (m Model) Null(member string) error {
	return m.refuse(" null", member, "not be null")
}

// Empty is the answer to a text without a character.
func (m Model) Empty(member string) error {
	return m.Refuse(member, "", "have length greater than or equal to 1")
}

// TooLong is the answer to a text, or a list, with a length above the most.
func (m Model) TooLong(member string, most int) error {
	return m.RefuseWithoutValue(member, "have length less than or equal to %d", most)
}

// OutOfRange is the answer to a number that is not from low to high.
func (m Model) OutOfRange(member string, value any, low, high int) error {
	return m.Refuse(member, value, "have value between %d and %d", low, high)
}

// OutOfSet is the answer to a value that is not one of the known ones.
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

// Between refuses a number outside the range; nil is left to the default.
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

// Default is the given value or, when there is none, the member's default.
func Default[T any](given *T, otherwise T) T {
	if given == nil {
		return otherwise
	}
	return *given
}
