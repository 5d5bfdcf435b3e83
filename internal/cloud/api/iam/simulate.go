package iam

import (
	"cmp"
	"context"
	"encoding/base64"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/policydocument"
	"aloft.dev/aloft/internal/cloud/wire"
)

// simulationInput holds the fields that the inputs of both simulations share.
type simulationInput struct {
	actions, resources            []string
	policies, boundaries          []string
	resourcePolicy, caller, owner *string
	entries                       []types.ContextEntry
	marker                        *string
	size                          *int32
}

// SimulateCustomPolicy decides what the policies of a request allow.
func (a *API) SimulateCustomPolicy(
	ctx context.Context, in *iam.SimulateCustomPolicyInput,
) (*iam.SimulateCustomPolicyOutput, error) {
	switch {
	case len(in.OrderedOrganizationPolicyInputList) > 0:
		return nil, wire.NotImplemented("policies of organizations: the parameter OrderedOrganizationPolicyInputList")
	case in.ResourceHandlingOption != nil:
		return nil, handlingNotImplemented()
	case in.PolicyInputList == nil:
		return nil, model.Null("policyInputList")
	case in.ResourcePolicy != nil && in.CallerArn == nil:
		return nil, invalidInput("CallerArn is required if the request has a ResourcePolicy.")
	}
	page, err := simulate(ctx, &principal{arn: aws.ToString(in.CallerArn)}, simulationInput{
		in.ActionNames, in.ResourceArns, in.PolicyInputList, in.PermissionsBoundaryPolicyInputList,
		in.ResourcePolicy, in.CallerArn, in.ResourceOwner, in.ContextEntries, in.Marker, in.MaxItems,
	})
	if err != nil {
		return nil, err
	}
	return &iam.SimulateCustomPolicyOutput{
		EvaluationResults: page.items, IsTruncated: page.more, Marker: page.marker,
	}, nil
}

// SimulatePrincipalPolicy decides what the policies of a user, a group or a role allow, together
// with those of the request.
func (a *API) SimulatePrincipalPolicy(
	ctx context.Context, in *iam.SimulatePrincipalPolicyInput,
) (*iam.SimulatePrincipalPolicyOutput, error) {
	switch {
	case len(in.PolicyExclusionList) > 0:
		return nil, wire.NotImplemented("simulations without some policies: the parameter PolicyExclusionList")
	case in.ResourceHandlingOption != nil:
		return nil, handlingNotImplemented()
	}
	p, err := findPrincipal(ctx, a.Store.Read(ctx), "policySourceArn", in.PolicySourceArn)
	if err != nil {
		return nil, err
	}
	if p.role && in.ResourcePolicy != nil {
		return nil, invalidInput("Simulation of resource-based policies isn't supported for IAM roles.")
	}
	page, err := simulate(ctx, p, simulationInput{
		in.ActionNames, in.ResourceArns, in.PolicyInputList, in.PermissionsBoundaryPolicyInputList,
		in.ResourcePolicy, in.CallerArn, in.ResourceOwner, in.ContextEntries, in.Marker, in.MaxItems,
	})
	if err != nil {
		return nil, err
	}
	return &iam.SimulatePrincipalPolicyOutput{
		EvaluationResults: page.items, IsTruncated: page.more, Marker: page.marker,
	}, nil
}

func handlingNotImplemented() error {
	return wire.NotImplemented("the parameter ResourceHandlingOption: name the resources of the operation")
}

// simulate runs a simulation with the policies of a principal and those of a request.
func simulate(ctx context.Context, p *principal, in simulationInput) (list[types.EvaluationResult], error) {
	s, err := newSimulation(ctx, p, in)
	if err != nil {
		return list[types.EvaluationResult]{}, err
	}
	resources := in.resources
	if len(resources) == 0 {
		resources = []string{"*"}
	}
	var rows []numbered
	for i, result := range s.results(in.actions, resources) {
		rows = append(rows, numbered{result, i})
	}
	page, err := paginate(rows, numbered.key, in.marker, in.size)
	if err != nil {
		return list[types.EvaluationResult]{}, err
	}
	results := convert(page.items, func(n numbered) types.EvaluationResult { return n.EvaluationResult })
	return list[types.EvaluationResult]{results, page.more, page.marker}, nil
}

// ownerForm is the form of the owner of resources: an account or the ARN of one.
var ownerForm = regexp.MustCompile(`^(arn:aws:iam::\d{12}:root|\d{12})$`)

// newSimulation returns the simulation that a request describes.
func newSimulation(ctx context.Context, p *principal, in simulationInput) (*simulation, error) {
	if err := checkSimulation(in); err != nil {
		return nil, err
	}
	s := &simulation{
		policies: p.sources, boundary: p.boundary,
		caller: cmp.Or(aws.ToString(in.caller), p.arn, wire.ARNFrom(ctx)),
	}
	s.owner = identity.RegionOfARN(s.caller).Account()
	if in.owner != nil {
		s.owner = strings.TrimSuffix(strings.TrimPrefix(*in.owner, "arn:aws:iam::"), ":root")
	}
	given, err := inputs(policyInputs, policydocument.Identity, in.policies...)
	if err != nil {
		return nil, err
	}
	s.policies = slices.Concat(s.policies, given)
	limits, err := inputs(boundaryInputs, policydocument.Identity, in.boundaries...)
	if err != nil {
		return nil, err
	}
	if len(limits) > 0 {
		s.boundary = &limits[0]
	}
	if in.resourcePolicy != nil {
		of, err := inputs(resourceInput, policydocument.Resource, *in.resourcePolicy)
		if err != nil {
			return nil, err
		}
		s.resource = &of[0]
	}
	s.context, err = contextOf(in.entries)
	return s, err
}

// The form of the names of actions in requests (IAM API Reference, SimulateCustomPolicy).
const (
	minAction = 3
	maxAction = 128
)

// checkSimulation refuses a malformed or unsupported request.
func checkSimulation(in simulationInput) error {
	if in.actions == nil {
		return model.Null("actionNames")
	}
	if len(in.boundaries) > 1 {
		return invalidInput("Only one permissions boundary policy can be simulated.")
	}
	if in.caller != nil && !entityARNForm.MatchString(*in.caller) {
		return invalidInput("Invalid Entity Arn: %s does not clearly define entity type and name.", *in.caller)
	}
	if in.owner != nil && !ownerForm.MatchString(*in.owner) {
		return invalidInput("Invalid resource owner: %s", *in.owner)
	}
	return cmp.Or(checkActions(in.actions), checkResources(in.resources))
}

func checkActions(actions []string) error {
	for _, action := range actions {
		switch {
		case len(action) < minAction || len(action) > maxAction:
			return model.Elements(
				"actionNames", "have length less than or equal to 128", "have length greater than or equal to 3")
		case strings.ContainsAny(action, "*?") || !strings.Contains(action, ":"):
			return invalidInput("Invalid action: %s. It must be a service and an operation, without wildcards.", action)
		}
	}
	return nil
}

func checkResources(resources []string) error {
	for _, name := range resources {
		if name != "*" && !strings.HasPrefix(name, "arn:") {
			return invalidInput("Invalid resource ARN: %s", name)
		}
	}
	return nil
}

// contextOf returns the condition keys of a request.
func contextOf(entries []types.ContextEntry) (map[string][]string, error) {
	out := map[string][]string{}
	for _, e := range entries {
		name, kind := aws.ToString(e.ContextKeyName), e.ContextKeyType
		if !slices.Contains(kind.Values(), kind) {
			return nil, checkEnum("contextKeyType", kind, kind.Values())
		}
		single, many := strings.CutSuffix(string(kind), "List")
		if !strings.Contains(name, ":") || len(e.ContextKeyValues) == 0 || !many && len(e.ContextKeyValues) > 1 {
			return nil, invalidInput("Invalid context entry: %s of type %s has %d values.",
				name, kind, len(e.ContextKeyValues))
		}
		for _, value := range e.ContextKeyValues {
			if !contextForm(single, value) {
				return nil, invalidInput("Invalid value for context key %s of type %s: %s", name, kind, value)
			}
		}
		out[name] = append(out[name], e.ContextKeyValues...)
	}
	return out, nil
}

// contextForm reports whether a value of a condition key has the form of its type.
func contextForm(kind, value string) bool {
	var err error
	switch kind {
	case "numeric":
		_, err = strconv.ParseFloat(value, 64)
	case "boolean":
		return strings.EqualFold(value, "true") || strings.EqualFold(value, "false")
	case "ip":
		if _, err = netip.ParseAddr(value); err != nil {
			_, err = netip.ParsePrefix(value)
		}
	case "binary":
		_, err = base64.StdEncoding.DecodeString(value)
	case "date":
		if _, err = time.Parse(time.RFC3339, value); err != nil {
			if _, err = time.Parse(time.DateOnly, value); err != nil {
				_, err = strconv.ParseInt(value, 10, 64)
			}
		}
	}
	return err == nil
}
