package ec2

import (
	"slices"
	"strings"

	"aloft.dev/aloft/internal/cloud/wire"
)

// NotFound returns the error of a request that refers to a resource that does not
// exist. field is the field of the SDK's input that holds its id or its name. A version
// of a launch template has the id of its store.TemplateVersionKey.
func NotFound(field, id string) error {
	template, number, isVersion := strings.Cut(id, "/")
	switch {
	case launchTemplates.ownsID(id) && isVersion:
		return versionNotFound(template, strings.TrimLeft(number, "0"))
	case field == "LaunchTemplateName":
		return templateNameNotFound(id)
	case strings.HasPrefix(field, "iamInstanceProfile."):
		return instanceProfileNotFound(field, id)
	case field == "KeyName":
		return keyPairNotFound(id)
	case launchTemplates.ownsID(id):
		return templateIDNotFound(id)
	case images.ownsID(id):
		return imagesNotFound([]string{id})
	}
	kinds := taggableTypes()
	if i := slices.IndexFunc(kinds, func(kind taggableType) bool { return kind.ownsID(id) }); i >= 0 {
		return kinds[i].notFound(id)
	}
	return nil
}

func templateIDNotFound(id string) error {
	return wire.Errorf(
		"InvalidLaunchTemplateId.NotFound", "The specified launch template, with template ID %s, does not exist.", id,
	)
}

func versionNotFound(template, name string) error {
	return wire.Errorf(
		"InvalidLaunchTemplateId.VersionNotFound",
		"Could not find the specified version %s for the launch template with ID %s.", name, template,
	)
}

func templateNameNotFound(name string) error {
	return wire.Errorf(
		"InvalidLaunchTemplateName.NotFoundException",
		"The specified launch template, with template name %s, does not exist.", name,
	)
}

func keyPairNotFound(name string) error {
	return wire.Errorf("InvalidKeyPair.NotFound", "The key pair '%s' does not exist", name)
}

// instanceProfileNotFound returns the error for an unknown instance profile. field is
// iamInstanceProfile.name or iamInstanceProfile.arn. Clients look for the words "Invalid
// IAM Instance Profile" to try again.
func instanceProfileNotFound(field, id string) error {
	kind := "name"
	if strings.HasSuffix(field, ".arn") {
		kind = "ARN"
	}
	return wire.Errorf(
		"InvalidParameterValue", "Value (%s) for parameter %s is invalid. Invalid IAM Instance Profile %s", id, field,
		kind,
	)
}
