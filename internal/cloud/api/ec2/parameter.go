package ec2

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/wire"
)

// parameter is a parameter of a request. Errors call it name.
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

// list converts rows to the items of a response. It never returns nil, because EC2's
// responses contain empty lists.
func list[R, T any](rows []R, item func(R) T) []T {
	out := make([]T, 0, len(rows))
	for _, row := range rows {
		out = append(out, item(row))
	}
	return out
}

// setBoolean sets a field to an attribute's value if the request has the attribute.
func setBoolean(field *bool, attribute *types.AttributeBooleanValue) {
	if attribute != nil {
		*field = aws.ToBool(attribute.Value)
	}
}

func isTrue(attribute *types.AttributeBooleanValue) bool {
	return attribute != nil && aws.ToBool(attribute.Value)
}

// optionalString returns nil for an empty text: EC2's responses omit such members.
func optionalString(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// checkEnum refuses a value that is not one of its type's. It accepts the empty value.
func checkEnum[E interface {
	~string
	Values() []E
}](name string, value E) error {
	if value == "" || slices.Contains(value.Values(), value) {
		return nil
	}
	return invalidValue(name, string(value), "It is not one of the values that the parameter can have.")
}
