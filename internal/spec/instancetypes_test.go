package spec_test

import (
	"slices"
	"strings"
	"testing"

	"aloft.dev/aloft/internal/spec"
)

func TestInstanceTypesAreATextOrAList(t *testing.T) {
	for written, want := range map[string][]string{
		"t3.small":              {"t3.small"},
		"[t3.small]":            {"t3.small"},
		"[t3.micro, t3a.micro]": {"t3.micro", "t3a.micro"},
	} {
		s, err := parse("start: x\nmachines: {type: " + written + "}\n")
		if err != nil || !slices.Equal(s.Machines.Types, want) {
			t.Errorf("%s: %v, %v", written, s, err)
		}
	}
	s, err := parse("start: x\n")
	if err != nil || s.Machines.Types.String() != "t3.micro" || s.Machines.Fallback != "" {
		t.Errorf("by default: %+v, %v", s, err)
	}
}

func TestMistakesInInstanceTypes(t *testing.T) {
	for machines, want := range map[string]string{
		"{type: huge}":                        `machines.type: "huge" is not an instance type`,
		"{type: [t3.micro, huge]}":            `machines.type[1]: "huge" is not an instance type`,
		"{type: [t3.micro, t3.micro]}":        "machines.type[1]: t3.micro is listed twice",
		"{type: []}":                          "machines.type: expected 1 to 10 types, got 0",
		"{type: {a: b}}":                      "machines.type: expected a text or a list, got a mapping",
		"{builder: huge}":                     `machines.builder: "huge" is not an instance type`,
		"{builder: []}":                       "machines.builder: expected 1 to 10 types, got 0",
		"{builder: [t3.large, t3.large]}":     "machines.builder[1]: t3.large is listed twice",
		"{fallback: region}":                  `machines.fallback: expected zone, got "region"`,
		"{fallback: zone}\nscaling: {max: 6}": "machines.fallback: is not used together with scaling",
	} {
		_, err := parse("start: x\nmachines: " + machines + "\n")
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "aloft.yaml:2:") {
			t.Errorf("%s: got %v, want %q", machines, err, want)
		}
	}
}

func parse(text string) (*spec.Spec, error) {
	return spec.Parse([]byte(text), spec.FileName, "testdata")
}
