package ec2

import (
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/instancetype"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// fleetCandidates returns the overrides of a fleet in the order in which it tries them for Spot
// Instances or for On-Demand Instances, with one
// for each type where an override has requirements instead of a type. It also returns why other
// overrides are none.
func (a *API) fleetCandidates(
	r store.Reader, region identity.Region, in *ec2.CreateFleetInput, spot bool,
) (candidates []fleetOverride, failures []store.FleetFailure, err error) {
	for _, o := range overridesOf(in) {
		o.spot = spot
		chosen, byRequirements, err := a.chosenTypes(r, region, o)
		refusal, refused := errors.AsType[*wire.Error](err)
		switch {
		case refused:
			failures = addFailure(failures, o, refusal)
		case err != nil:
			return nil, nil, err
		case !byRequirements:
			candidates = append(candidates, o)
		case len(chosen) == 0:
			failures = addFailure(failures, o, wire.Errorf(
				"InvalidParameterValue", "No instance type meets the specified instance requirements.",
			))
		}
		for _, t := range chosen {
			o.parameters.InstanceType, o.parameters.InstanceRequirements = types.InstanceType(t.Name), nil
			candidates = append(candidates, o)
		}
	}
	sortOverrides(
		isPrioritized(in, spot), candidates, func(o fleetOverride) string { return a.fleetType(r, region, o) },
	)
	return candidates, failures, nil
}

// chosenTypes returns the instance types that meet the requirements of an override, or of its
// launch template, and run its image. It also reports whether there are requirements.
func (a *API) chosenTypes(
	r store.Reader, region identity.Region, o fleetOverride,
) (chosen []instancetype.Type, byRequirements bool, err error) {
	in := o.launchInput(1, nil)
	_, v, err := findTemplateVersion(r, region, in.LaunchTemplate)
	if err != nil {
		return nil, false, err
	}
	data, err := decodeData(v)
	if err != nil {
		return nil, false, err
	}
	required := o.parameters.InstanceRequirements
	if required == nil && in.InstanceType == "" {
		required = data.InstanceRequirements
	}
	if required == nil {
		return nil, false, nil
	}
	q, err := parseRequirements(required)
	if err != nil {
		return nil, true, err
	}
	if in.ImageId == nil {
		in.ImageId = data.ImageId
	}
	id, err := resolveImageAlias(r, region, aws.ToString(in.ImageId))
	if err != nil {
		return nil, true, err
	}
	image, err := a.launchImage(r, region, id)
	if err != nil {
		return nil, true, err
	}
	return q.Matching(instancetype.Architecture(image.Architecture)), true, nil
}
