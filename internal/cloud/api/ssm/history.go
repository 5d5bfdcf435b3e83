package ssm

import (
	"context"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/api/page"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// maxVersions limits the versions that a parameter keeps: another one replaces the
// oldest (AWS Systems Manager User Guide, Working with parameter versions).
const maxVersions = 100

// maxHistory is both the largest page of GetParameterHistory and the default.
const maxHistory = 50

// withHistory returns a copy of a parameter with its version among the older ones.
//
// A version with a label is not the one that is replaced (AWS Systems Manager User Guide, Working with parameter
// labels).
func withHistory(row *store.Parameter) (store.Parameter, error) {
	next := *row
	next.Older = append(slices.Clip(row.Older), store.ParameterVersion{
		Version: row.Version, Type: row.Type, Value: row.Value, KeyID: row.KeyID, DataType: row.DataType,
		Description: row.Description, Tier: row.Tier, AllowedPattern: row.AllowedPattern, Modified: row.Modified,
		ModifiedBy: row.ModifiedBy, Labels: row.Labels,
	})
	next.Labels = nil
	if extra := len(next.Older) + 1 - maxVersions; extra > 0 {
		if oldest := next.Older[0]; len(oldest.Labels) > 0 {
			return store.Parameter{}, wire.Errorf("ParameterMaxVersionLimitExceeded",
				"You attempted to create a new version of %s by calling the PutParameter API with the overwrite flag. "+
					"Version %d, the oldest version, can't be overwritten because it has a label associated with it. "+
					"Move the label to another version of the parameter, and try again.", row.Name, oldest.Version)
		}
		next.Older = next.Older[extra:]
	}
	return next, nil
}

// versions returns a parameter's versions as parameters, the latest last.
func versions(row *store.Parameter) []*store.Parameter {
	all := make([]*store.Parameter, 0, len(row.Older)+1)
	for _, v := range row.Older {
		all = append(all, &store.Parameter{
			Region: row.Region, Name: row.Name, Version: v.Version, Type: v.Type, Value: v.Value, KeyID: v.KeyID,
			DataType: v.DataType, Description: v.Description, Tier: v.Tier, AllowedPattern: v.AllowedPattern,
			Modified: v.Modified, ModifiedBy: v.ModifiedBy, Labels: v.Labels,
		})
	}
	return append(all, row)
}

// historyTokens starts the tokens of GetParameterHistory's pages.
const historyTokens page.Prefix = "ssm-version-after:"

// GetParameterHistory returns a parameter's versions, oldest first.
func (a *API) GetParameterHistory(
	ctx context.Context, in *ssm.GetParameterHistoryInput,
) (*ssm.GetParameterHistoryOutput, error) {
	if aws.ToString(in.Name) == "" {
		return nil, model.Empty("name")
	}
	if err := model.Between("maxResults", in.MaxResults, 1, maxHistory); err != nil {
		return nil, err
	}
	last, ok := historyTokens.Last(in.NextToken)
	after, err := strconv.ParseInt("0"+last, 10, 64)
	if !ok || err != nil {
		return nil, invalidToken()
	}
	view, region, err := a.read(ctx)
	if err != nil {
		return nil, err
	}
	row, ok := findParameter(view, region, *in.Name)
	if !ok {
		return nil, notFound()
	}
	left := slices.DeleteFunc(versions(row), func(v *store.Parameter) bool { return v.Version <= after })
	size := int(constraint.Default(in.MaxResults, maxHistory))
	number := func(v *store.Parameter) string { return strconv.FormatInt(v.Version, 10) }
	left, next := page.First(historyTokens, left, size, number)
	out := &ssm.GetParameterHistoryOutput{Parameters: []types.ParameterHistory{}, NextToken: next}
	for _, v := range left {
		value, err := a.value(v, in.WithDecryption)
		if err != nil {
			return nil, err
		}
		out.Parameters = append(out.Parameters, types.ParameterHistory{
			Name: &row.Name, Version: v.Version, Type: types.ParameterType(v.Type), Value: &value,
			DataType: &v.DataType, Tier: types.ParameterTier(v.Tier), KeyId: optional(v.KeyID),
			Description: optional(v.Description), AllowedPattern: optional(v.AllowedPattern),
			LastModifiedDate: &v.Modified, LastModifiedUser: optional(v.ModifiedBy),
			Labels: append([]string{}, v.Labels...), Policies: []types.ParameterInlinePolicy{},
		})
	}
	return out, nil
}

// optional returns nil for an empty text, which AWS leaves out.
func optional(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
