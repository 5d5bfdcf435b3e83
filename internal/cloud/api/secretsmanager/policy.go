package secretsmanager

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"aloft.dev/aloft/internal/cloud/policydocument"
	"aloft.dev/aloft/internal/cloud/resourcepolicy"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// maxPolicy is the size of the largest policy, in bytes (AWS Secrets Manager API Reference, PutResourcePolicy).
const maxPolicy = 20480

// parsePolicy reads the policy of a secret.
func parsePolicy(text *string) (*policydocument.Document, error) {
	switch {
	case aws.ToString(text) == "":
		return nil, model.Null("resourcePolicy")
	case len(*text) > maxPolicy:
		return nil, model.TooLong("resourcePolicy", maxPolicy)
	case !json.Valid([]byte(*text)):
		return nil, malformedPolicy("This policy contains invalid Json")
	}
	policy, err := policydocument.Parse(policydocument.Resource, *text)
	if err != nil {
		return nil, malformedPolicy("This policy has invalid syntax. " + err.Error())
	}
	for _, s := range policy.Statements {
		for _, action := range slices.Concat(s.Actions, s.NotActions) {
			if action != "*" && !strings.HasPrefix(strings.ToLower(action), "secretsmanager:") {
				return nil, malformedPolicy("This policy contains an action of another service: " + action)
			}
		}
	}
	return policy, resourcepolicy.Check(policy)
}

func malformedPolicy(why string) error {
	return wire.Errorf("MalformedPolicyDocumentException", "%s", why)
}

// PutResourcePolicy sets the policy of a secret. Package authorization carries it out.
func (a *API) PutResourcePolicy(
	ctx context.Context, in *secretsmanager.PutResourcePolicyInput,
) (*secretsmanager.PutResourcePolicyOutput, error) {
	policy, err := parsePolicy(in.ResourcePolicy)
	if err != nil {
		return nil, err
	}
	if aws.ToBool(in.BlockPublicPolicy) && resourcepolicy.IsPublic(policy) {
		return nil, wire.Errorf("PublicPolicyException", "The BlockPublicPolicy parameter is set to true, and the "+
			"resource policy did not prevent broad access to the secret.")
	}
	out := &secretsmanager.PutResourcePolicyOutput{}
	return out, a.edit(ctx, in.SecretId, func(row *store.Secret) error {
		out.ARN, out.Name = aws.String(row.ARN), aws.String(row.Name)
		row.Policy = *in.ResourcePolicy
		return nil
	})
}

// GetResourcePolicy returns the policy of a secret, nothing if it has none.
func (a *API) GetResourcePolicy(
	ctx context.Context, in *secretsmanager.GetResourcePolicyInput,
) (*secretsmanager.GetResourcePolicyOutput, error) {
	row, err := a.findInUse(a.Store.Read(ctx), regionFor(ctx, in.SecretId), in.SecretId)
	if err != nil {
		return nil, err
	}
	return &secretsmanager.GetResourcePolicyOutput{
		ARN: aws.String(row.ARN), Name: aws.String(row.Name), ResourcePolicy: optional(row.Policy),
	}, nil
}

// DeleteResourcePolicy removes the policy of a secret.
func (a *API) DeleteResourcePolicy(
	ctx context.Context, in *secretsmanager.DeleteResourcePolicyInput,
) (*secretsmanager.DeleteResourcePolicyOutput, error) {
	out := &secretsmanager.DeleteResourcePolicyOutput{}
	return out, a.edit(ctx, in.SecretId, func(row *store.Secret) error {
		out.ARN, out.Name = aws.String(row.ARN), aws.String(row.Name)
		row.Policy = ""
		return nil
	})
}

// ValidateResourcePolicy reports whether PutResourcePolicy would accept a policy that is not public.
func (a *API) ValidateResourcePolicy(
	ctx context.Context, in *secretsmanager.ValidateResourcePolicyInput,
) (*secretsmanager.ValidateResourcePolicyOutput, error) {
	if in.SecretId != nil {
		if _, err := a.findInUse(a.Store.Read(ctx), regionFor(ctx, in.SecretId), in.SecretId); err != nil {
			return nil, err
		}
	}
	out := &secretsmanager.ValidateResourcePolicyOutput{ValidationErrors: []types.ValidationErrorsEntry{}}
	policy, err := parsePolicy(in.ResourcePolicy)
	refusal, ok := errors.AsType[*wire.Error](err)
	switch {
	case ok && refusal.Code == "MalformedPolicyDocumentException":
		out.ValidationErrors = append(out.ValidationErrors, types.ValidationErrorsEntry{
			CheckName: aws.String("SYNTAX_CHECK"), ErrorMessage: aws.String(refusal.Message),
		})
	case err != nil:
		return nil, err
	case resourcepolicy.IsPublic(policy):
		out.ValidationErrors = append(out.ValidationErrors, types.ValidationErrorsEntry{
			CheckName:    aws.String("PUBLIC_ACCESS_CHECK"),
			ErrorMessage: aws.String("This resource policy grants broad access to the secret."),
		})
	}
	out.PolicyValidationPassed = len(out.ValidationErrors) == 0
	return out, nil
}
