package stack

import (
	"maps"
	"slices"

	"aloft.dev/aloft/internal/environment"
	"aloft.dev/aloft/internal/spec"
)

// KindEnvironment is the kind of the parameter with the application's environment.
const KindEnvironment Kind = "environment"

var environmentKind = properties{kind: KindEnvironment, versioned: true, uniqueName: true}

// AddressEnvironment is the address of the application's environment.
const AddressEnvironment = "environment"

// Attributes of an environment. Each variable has one more, named after it, with a digest
// of its value.
const (
	AttrVariables AttributeKey = "variables"
	AttrSecrets   AttributeKey = "secrets"
)

// Environment is the parameter that holds the application's environment variables.
type Environment struct {
	ParameterName string
	Contents      environment.Environment // its Version, if it is not 0, is stored again
	Salt          string                  // of digests
}

// DesiredEnvironment returns the environment that a spec asks for, given the one that is
// stored, or nil if the application has none. An environment that exists stays until all
// is deleted, so that a rollback finds it. Permissions and logs need one, even without
// variables, because servers get their role with it.
func DesiredEnvironment(s *spec.Spec, stored *environment.Environment) *environment.Environment {
	e := &environment.Environment{Spec: s.Variables(), Secrets: s.Secrets}
	switch {
	case stored != nil:
		e.Set = stored.Set
	case len(e.Spec) == 0 && len(e.Secrets) == 0 && len(s.Permissions) == 0 && s.Logs == nil:
		return nil
	}
	return e
}

// EnvironmentResource returns the resource of an application's environment.
func EnvironmentResource(app string, e environment.Environment, salt string, tags map[string]string) Resource {
	return Resource{
		Address: AddressEnvironment, Name: app + "-" + AddressEnvironment, Tags: tags,
		Body: Environment{ParameterName: environment.ParameterName(app), Contents: e, Salt: salt},
	}
}

// Kind implements Body.
func (Environment) Kind() Kind { return KindEnvironment }

// Title implements Body.
func (e Environment) Title() string {
	return "parameter " + e.ParameterName + ": " + e.Contents.String()
}

// Attributes implements Body.
func (e Environment) Attributes() []Attribute { return EnvironmentAttributes(e.Contents, e.Salt) }

// Needs implements Body.
func (Environment) Needs() []Ref { return nil }

// EnvironmentAttributes returns the attributes of an environment. They do not contain
// values, but digests of them with a salt.
func EnvironmentAttributes(e environment.Environment, salt string) []Attribute {
	variables, secrets := Attribute{Key: AttrVariables}, Attribute{Key: AttrSecrets}
	var values []Attribute
	add := func(source string, of map[string]string) {
		for _, name := range slices.Sorted(maps.Keys(of)) {
			variables.Terms = append(variables.Terms, Term{Text: name + source})
			digest := text(AttributeKey("value of "+name+source), environment.Digest(salt, name+source, of[name]))
			digest.Hidden = true
			values = append(values, digest)
		}
	}
	add("", e.Spec)
	add(" (aloft env)", e.Set)
	for _, name := range slices.Sorted(maps.Keys(e.Secrets)) {
		secrets.Terms = append(secrets.Terms, Term{Text: name + " from " + e.Secrets[name]})
	}
	return append([]Attribute{variables, secrets}, values...)
}
