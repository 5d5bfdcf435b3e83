package stack

import "aloft.dev/aloft/internal/spec"

// TagEnvironment tags instances with the environment that they run with. While another
// one is being put on an instance, it is EnvironmentChanges.
const (
	TagEnvironment     = "aloft:environment"
	EnvironmentChanges = "changes"
)

// Attributes of instances and of what launches them.
const (
	AttrProfile     AttributeKey = "instance profile"
	AttrEnvironment AttributeKey = "environment"
)

// Identity gives servers their role and their variables.
type Identity struct {
	Profile     Term   // an instance profile's name; zero for none
	Environment Ref    // zero for none
	UserData    string // names the deployment to the programs on an instance; "" if the image does
}

// userData returns a script that does nothing and names a deployment: the image of a stage
// knows only the application. What fetches the environment reads it.
func userData(s *spec.Spec) string {
	if s.Program() == s.App {
		return ""
	}
	return "#!/bin/sh\n: aloft-app " + s.App + "\n"
}

// attributes returns the attributes of what has the identity. An instance profile that
// the stack does not want is nobody's business: something else may have attached it.
func (i Identity) attributes() []Attribute {
	var all []Attribute
	if i.Profile != (Term{}) {
		all = append(all, Attribute{Key: AttrProfile, Terms: []Term{i.Profile}})
	}
	if i.Environment != (Ref{}) {
		all = append(all, ref(AttrEnvironment, i.Environment))
	}
	return all
}
