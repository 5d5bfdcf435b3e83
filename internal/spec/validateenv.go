package spec

import (
	"regexp"
	"strings"
)

var (
	rolePattern   = regexp.MustCompile(`^[\w+=,.@-]{1,64}$`)
	actionPattern = regexp.MustCompile(`^(\*|[a-z0-9-]+:[A-Za-z0-9*?]+)$`)
	// A parameter's name (AWS Systems Manager API Reference, PutParameter), and that of a
	// secret or its ARN (AWS Secrets Manager API Reference, CreateSecret).
	parameterPattern = regexp.MustCompile(`^ssm:(/?[A-Za-z0-9_.-]+)(/[A-Za-z0-9_.-]+)*$`)
	secretPattern    = regexp.MustCompile(`^secretsmanager:[A-Za-z0-9/_+=.@:-]+(#[^#]+)?$`)
)

const variableHint = "use letters, digits and underscores"

// ValidVariable reports whether name is valid for an environment variable.
func ValidVariable(name string) bool { return envPattern.MatchString(name) }

func (s *Spec) validateEnvironment(d *decoder) {
	for name, value := range s.Env {
		s.validateVariable(d, "env."+name, name, value)
	}
	s.readEnvFile(d)
	_, taken := s.Processes["env"]
	d.require(!taken, "processes.env", "choose another name",
		"Aloft's own service, which fetches the environment, has this name")
	for name, reference := range s.Secrets {
		at := "secrets." + name
		_, inEnv := s.Env[name]
		_, inFile := s.fromFile[name]
		d.require(ValidVariable(name), at, variableHint, "%q is not the name of an environment variable", name)
		d.require(!inEnv, at, "keep one of them", "%s is in env as well", name)
		d.require(!inFile, at, "keep one of them", "%s is in env_file as well", name)
		d.require(parameterPattern.MatchString(reference) || secretPattern.MatchString(reference), at,
			"write ssm:/shop/prod/db, secretsmanager:stripe or secretsmanager:stripe#key",
			"%q does not refer to a parameter or a secret", reference)
	}
}

// validateVariable checks a variable. Messages do not contain its value.
func (s *Spec) validateVariable(d *decoder, at, name, value string) {
	d.require(ValidVariable(name), at, variableHint, "%q is not the name of an environment variable", name)
	d.require(!strings.ContainsRune(value, 0), at, "remove it", "the value of %s contains a null character", name)
}

func (s *Spec) validatePermissions(d *decoder) {
	for i, p := range s.Permissions {
		at := indexed("permissions", i)
		d.require(len(p.Actions) > 0, at+".actions", "for example: actions: [s3:GetObject]", "no actions are given")
		d.require(len(p.Resources) > 0, at+".resources",
			`for example: resources: ["arn:aws:s3:::my-bucket/*"]`, "no resources are given")
		for n, action := range p.Actions {
			d.require(actionPattern.MatchString(action), indexed(at+".actions", n),
				"for example: s3:GetObject", "%q is not an action", action)
		}
		for n, resource := range p.Resources {
			d.require(resource == "*" || strings.HasPrefix(resource, "arn:"), indexed(at+".resources", n),
				`write an ARN or "*"`, "%q is not an ARN", resource)
		}
	}
	role := s.Machines.Role
	d.require(role == "" || rolePattern.MatchString(role), "machines.role", "give the role's name, not its ARN",
		"%q is not the name of a role", role)
	d.require(role == "" || len(s.Permissions) == 0, "permissions",
		"add them to the role's own policy", "the role %s is not changed by Aloft", role)
}
