package iam

// NotFound returns the error of a request that refers to a resource that does not exist,
// or that IAM does not know yet. field is the field of the SDK's input that holds its
// name or its ARN.
func NotFound(field, id string) error {
	switch field {
	case "UserName":
		return userNotFound(id)
	case "RoleName":
		return roleNotFound(id)
	case "InstanceProfileName":
		return profileNotFound(id)
	case "PolicyArn":
		return policyNotFound(id)
	}
	return nil
}

func userNotFound(name string) error {
	return noSuchEntity("The user with name %s cannot be found.", name)
}

func groupNotFound(name string) error {
	return noSuchEntity("The group with name %s cannot be found.", name)
}

func roleNotFound(name string) error {
	return noSuchEntity("The role with name %s cannot be found.", name)
}

func profileNotFound(name string) error {
	return noSuchEntity("Instance Profile %s cannot be found.", name)
}

func policyNotFound(arn string) error { return noSuchEntity("Policy %s was not found.", arn) }
