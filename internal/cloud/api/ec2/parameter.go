package ec2

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/wire"
)

// parameter is a request's parameter under the name that errors give it.
type parameter struct {
	name  string
	value *string
}

// required refuses a request that lacks one of the parameters.
func required(parameters ...parameter) error {
	for _, p := range parameters {
		if aws.ToString(p.value) == "" {
			return missingParameter(p.name)
		}
	}
	return nil
}

func missingParameter(name string) error {
	return wire.Errorf("MissingParameter", "The request must contain the parameter %s", name)
}

func invalidValue(name, value, why string) error {
	return wire.Errorf("InvalidParameterValue", "Value (%s) for parameter %s is invalid. %s", value, name, why)
}

// list turns rows into the items of an answer. It is never nil: an empty list
// is present in EC2's answers.
func list[R, T any](rows []R, item func(R) T) []T {
	out := make([]T, 0, len(rows))
	for _, row := range rows {
		out = append(out, item(row))
	}
	return out
}

// setBoolean gives a field the value of an attribute, if the request has it.
func setBoolean(field *bool, attribute *types.AttributeBooleanValue) {
	if attribute != nil {
		*field = aws.ToBool(attribute.Value)
	}
}

func isTrue(attribute *types.AttributeBooleanValue) bool {
	return attribute != nil && aws.ToBool(attribute.Value)
}

// optionalString is nil for an empty text: EC2 leaves such members out.
func optionalString(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// checkEnum refuses a word that is not one of the values of its kind; none is fine.
func checkEnum[E interface {
	~string
	Values() []E
}](name string, value E) error {
	if value == "" || slices.Contains(value.Values(), value) {
		return nil
	}
	return invalidValue(name, string(value), "It is not one of the values that the parameter can have.")
}
