// Package constraint implements the validation that AWS's services share: required
// members, ranges, enumerations, defaults and tags. The messages are AWS's. The error
// codes differ by service.
package constraint

import (
	"errors"
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

const oneViolation = "1 validation error detected: "

func (m Model) refuse(value, member, must string) error {
	return wire.Errorf(
		string(m), oneViolation+"Value%s at '%s' failed to satisfy constraint: Member must %s", value, member, must,
	)
}

// All returns one error for all violations of a request's constraints, or nil if it has none.
func (m Model) All(violations ...error) error {
	var texts []string
	for _, v := range violations {
		if refusal, ok := errors.AsType[*wire.Error](v); ok {
			texts = append(texts, strings.TrimPrefix(refusal.Message, oneViolation))
		}
	}
	switch len(texts) {
	case 0:
		return nil
	case 1:
		return wire.Errorf(string(m), oneViolation+"%s", texts[0])
	}
	return wire.Errorf(string(m), "%d validation errors detected: %s", len(texts), strings.Join(texts, "; "))
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

// OutOfRange returns the error for a number that is not between low and high. It names the bound that the number
// violates, as AWS does.
func (m Model) OutOfRange(member string, value, low, high int64) error {
	if value < low {
		return m.Refuse(member, value, "have value greater than or equal to %d", low)
	}
	return m.Refuse(member, value, "have value less than or equal to %d", high)
}

// ListSize refuses a list that has no elements, or more than most. The error contains the elements.
func (m Model) ListSize(member string, list []string, most int) error {
	if must := sizeOutOfRange(len(list), most); must != "" {
		return m.Refuse(member, "["+strings.Join(list, ", ")+"]", "%s", must)
	}
	return nil
}

// Size is like ListSize for anything whose elements the error does not contain: size is the number of them.
func (m Model) Size(member string, size, most int) error {
	if must := sizeOutOfRange(size, most); must != "" {
		return m.RefuseWithoutValue(member, "%s", must)
	}
	return nil
}

func sizeOutOfRange(size, most int) (must string) {
	switch {
	case size == 0:
		return "have length greater than or equal to 1"
	case size > most:
		return fmt.Sprintf("have length less than or equal to %d", most)
	}
	return ""
}

// TextTooLong is like TooLong for a text that is no secret. The error contains it.
func (m Model) TextTooLong(member, text string, most int) error {
	return m.Refuse(member, text, "have length less than or equal to %d", most)
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
	if given == nil || low <= *given && *given <= high {
		return nil
	}
	return m.OutOfRange(member, int64(*given), int64(low), int64(high))
}

// Default returns the given value or, if it is nil, the member's default.
func Default[T any](given *T, otherwise T) T {
	if given == nil {
		return otherwise
	}
	return *given
}
