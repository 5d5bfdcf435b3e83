package ssm

import (
	"fmt"
	"regexp"
	"strings"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// Limits of names (AWS Systems Manager User Guide, Parameter names).
const (
	maxName   = 1011
	maxLevels = 15
)

var nameForm = regexp.MustCompile(`^[a-zA-Z0-9_.\-/]+$`)

// checkNewName refuses names that users cannot give to a parameter.
func checkNewName(name string) error {
	first := strings.ToLower(strings.TrimPrefix(name, "/"))
	aws, ssm := strings.HasPrefix(first, "aws"), strings.HasPrefix(first, "ssm")
	path := strings.Count(name, "/") > 1
	switch {
	case name == "":
		return model.Empty("name")
	case aws && path:
		return wire.Errorf("AccessDeniedException", "No access to reserved parameter name: %s.", name)
	case aws, ssm && !path:
		return model.Errorf(`Parameter name: can't be prefixed with "aws" or "ssm" (case-insensitive).`)
	case ssm || !nameForm.MatchString(name) || strings.Contains(name, "//") || strings.HasSuffix(name, "/"):
		return badName()
	case strings.Contains(name, "/") && !strings.HasPrefix(name, "/"):
		return model.Errorf("Parameter name must be a fully qualified name.")
	case len(name) > maxName:
		return model.Errorf("Parameter name is longer than %d characters.", maxName)
	case strings.Count(name, "/") > maxLevels:
		return wire.Errorf("HierarchyLevelLimitExceededException", "Hierarchies can have at most %d levels.", maxLevels)
	}
	return nil
}

func badName() error {
	return model.Errorf(
		`Parameter name: can't be prefixed with "ssm" (case-insensitive). If formed as a path, it can consist of ` +
			"sub-paths divided by slash symbol; each sub-path can be formed as a mix of letters, numbers and the " +
			"following 3 symbols .-_",
	)
}

// checkPathForm refuses names that look like paths and are none. A version or label may follow the name.
func checkPathForm(text string) error {
	name, _, _ := strings.Cut(text, ":")
	relative := strings.Contains(name, "/") && !strings.HasPrefix(name, "/")
	if relative || strings.Contains(name, "//") {
		return badName()
	}
	return nil
}

// findParameter returns the parameter with a name or an ARN. A name without a path
// matches with and without a leading slash.
func findParameter(r store.Reader, region identity.Region, name string) (*store.Parameter, bool) {
	if arn, ok := strings.CutPrefix(name, fmt.Sprintf("arn:aws:ssm:%s:", region.Name())); ok {
		_, path, _ := strings.Cut(arn, ":parameter")
		name = path
	}
	names := []string{name}
	switch strings.Count(name, "/") {
	case 0:
		names = append(names, "/"+name)
	case 1:
		names = append(names, strings.TrimPrefix(name, "/"))
	}
	for _, n := range names {
		if row, ok := store.Parameters.Get(r, store.ParameterKey(region, n)); ok {
			return row, true
		}
	}
	return nil, false
}

func arnOf(row *store.Parameter) string {
	resource := "parameter/" + strings.TrimPrefix(row.Name, "/")
	if store.IsPublicParameter(row.Name) {
		return fmt.Sprintf("arn:aws:ssm:%s::%s", row.Region.Name(), resource)
	}
	return identity.ARN("ssm", row.Region, resource)
}

// notFound returns AWS's error, which has no message.
func notFound() error { return &wire.Error{Code: "ParameterNotFound"} }
