package ssm

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
)

// DeleteParameter deletes a parameter.
func (a *API) DeleteParameter(ctx context.Context, in *ssm.DeleteParameterInput) (*ssm.DeleteParameterOutput, error) {
	if aws.ToString(in.Name) == "" {
		return nil, model.Empty("name")
	}
	return &ssm.DeleteParameterOutput{}, a.change(ctx, func(tx *store.Tx, region identity.Region) error {
		row, ok := findParameter(tx, region, *in.Name)
		if !ok || store.IsPublicParameter(row.Name) {
			return notFound()
		}
		store.Parameters.Delete(tx, row.Key())
		return nil
	})
}

// DeleteParameters deletes the parameters with the names and lists the names that it
// does not find.
func (a *API) DeleteParameters(
	ctx context.Context, in *ssm.DeleteParametersInput,
) (*ssm.DeleteParametersOutput, error) {
	if err := checkNames(in.Names); err != nil {
		return nil, err
	}
	out := &ssm.DeleteParametersOutput{DeletedParameters: []string{}, InvalidParameters: []string{}}
	return out, a.change(ctx, func(tx *store.Tx, region identity.Region) error {
		for _, name := range unique(in.Names) {
			row, ok := findParameter(tx, region, name)
			if !ok || store.IsPublicParameter(row.Name) {
				out.InvalidParameters = append(out.InvalidParameters, name)
				continue
			}
			store.Parameters.Delete(tx, row.Key())
			out.DeletedParameters = append(out.DeletedParameters, name)
		}
		return nil
	})
}
