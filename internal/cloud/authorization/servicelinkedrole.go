package authorization

import "aloft.dev/aloft/internal/cloud/servicerole"

// newServiceRole returns the role that CreateServiceLinkedRole will create for a service.
func newServiceRole(s *subject, service string) []target {
	name := "*"
	if kind, ok := servicerole.Find(service); ok {
		name = kind.Name
		if suffix := s.value("CustomSuffix"); suffix != "" {
			name += "_" + suffix
		}
	}
	return []target{{
		arn:  globalARN(s, "role", "/aws-service-role/"+service+"/", name),
		keys: map[string][]string{"iam:AWSServiceName": {service}},
	}}
}

// createsRole describes an operation that creates the service-linked role of a service, if the
// account has none. Its caller then needs the permission for that too (IAM User Guide, "Create a
// service-linked role").
func createsRole(op operation, service string) operation {
	op.also = func(s *subject) []need { return roleCreation(s, service) }
	return op
}

func roleCreation(s *subject, service string) []need {
	if s.value("ServiceLinkedRoleARN") != "" || servicerole.Exists(s, s.region, service) {
		return nil
	}
	t := newServiceRole(s, service)[0]
	return []need{{action: "iam:CreateServiceLinkedRole", resource: t.arn, keys: t.keys}}
}
