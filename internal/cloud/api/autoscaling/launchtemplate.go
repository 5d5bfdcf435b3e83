package autoscaling

import (
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// resolveTemplate returns a reference with both the ID and the name of a
// specification's launch template. It keeps the version as the request has it:
// $Latest stays $Latest.
func (a *API) resolveTemplate(region identity.Region, s *types.LaunchTemplateSpecification) (store.TemplateRef, error) {
	id, name := aws.ToString(s.LaunchTemplateId), aws.ToString(s.LaunchTemplateName)
	if (id == "") == (name == "") {
		return store.TemplateRef{}, invalid("Valid requests must contain either launchTemplateId or LaunchTemplateName")
	}
	ref := store.TemplateRef{ID: id, Name: name, Version: aws.ToString(s.Version)}
	found, err := a.Templates.ResolveTemplate(region, ref)
	if err != nil {
		return ref, launchTemplateError(err)
	}
	ref.ID, ref.Name = found.ID, found.Name
	return ref, nil
}

// resolveSpecification is resolveTemplate for specifications within a mixed
// instances policy.
func (a *API) resolveSpecification(
	region identity.Region, s *types.LaunchTemplateSpecification,
) (*types.LaunchTemplateSpecification, error) {
	ref, err := a.resolveTemplate(region, s)
	if err != nil {
		return nil, err
	}
	return describeTemplateRef(ref), nil
}

// describeTemplateRef describes a reference. The version is absent if the request
// had none.
func describeTemplateRef(ref store.TemplateRef) *types.LaunchTemplateSpecification {
	s := &types.LaunchTemplateSpecification{
		LaunchTemplateId: aws.String(ref.ID), LaunchTemplateName: aws.String(ref.Name),
	}
	setNonEmpty(&s.Version, ref.Version)
	return s
}

func asWireError(err error) (*wire.Error, bool) { return errors.AsType[*wire.Error](err) }

// launchTemplateError turns EC2's error about a launch template into that of Auto
// Scaling.
func launchTemplateError(err error) error {
	refusal, ok := asWireError(err)
	switch {
	case !ok:
		return err
	case strings.Contains(refusal.Message, "belong to different networks"):
		return invalid("One or more security groups in the launch template are not linked to the VPCs configured in " +
			"the Auto Scaling group")
	}
	return invalid("You must use a valid fully-formed launch template. %s", refusal.Message)
}
