package ec2

import (
	"maps"
	"net/netip"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"

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
			return missing(p.name)
		}
	}
	return nil
}

func missing(name string) error {
	return wire.Errorf("MissingParameter", "The request must contain the parameter %s", name)
}

func invalidValue(name, value, why string) error {
	return wire.Errorf("InvalidParameterValue", "Value (%s) for parameter %s is invalid. %s", value, name, why)
}

// unsupported refuses parameters of AWS's API that the local cloud knows but
// has nothing behind, so that nobody takes silence for consent.
func unsupported(set map[string]bool) error {
	for _, name := range slices.Sorted(maps.Keys(set)) {
		if set[name] {
			return wire.Errorf("UnsupportedOperation", "aloft's local cloud does not support the parameter %s", name)
		}
	}
	return nil
}

// cidr reads an IPv4 range and clears its host bits, as EC2 does.
func cidr(name, value string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(value)
	if err != nil || !p.Addr().Is4() {
		return netip.Prefix{}, invalidValue(name, value, "This is not a valid CIDR block.")
	}
	return p.Masked(), nil
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
