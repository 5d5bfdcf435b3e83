package ssm

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// Limits of values and descriptions, in bytes and characters (AWS Systems Manager User
// Guide, Parameter tiers).
const (
	maxStandard    = 4096
	maxAdvanced    = 8192
	maxDescription = 1024
)

// PutParameter creates a parameter or, if Overwrite is set, its next version. Without
// Overwrite it is atomic: of several concurrent callers one creates the parameter, and
// the others get ParameterAlreadyExists.
func (a *API) PutParameter(ctx context.Context, in *ssm.PutParameterInput) (*ssm.PutParameterOutput, error) {
	if err := checkPut(in); err != nil {
		return nil, err
	}
	tags, err := mergeTags(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	var row store.Parameter
	if err := a.change(ctx, func(tx *store.Tx, region identity.Region) error {
		row = store.Parameter{
			Region: region, Name: *in.Name, Tags: tags, DataType: "text", Tier: string(types.ParameterTierStandard),
		}
		old, exists := findParameter(tx, region, *in.Name)
		switch {
		case exists && !aws.ToBool(in.Overwrite):
			return wire.Errorf(
				"ParameterAlreadyExists",
				"The parameter already exists. To overwrite this value, set the overwrite option in the request "+
					"to true.",
			)
		case !exists && in.Type == "":
			return model.Errorf("A parameter type is required when you create a parameter.")
		case exists:
			if row, err = withHistory(old); err != nil {
				return err
			}
		}
		if err := applyPut(&row, in); err != nil {
			return err
		}
		row.Version, row.Modified, row.ModifiedBy = row.Version+1, a.Now(), wire.ARNFrom(ctx)
		if row.Type == string(types.ParameterTypeSecureString) {
			a.seal(&row)
		}
		store.Parameters.Put(tx, &row)
		return nil
	}); err != nil {
		return nil, err
	}
	return &ssm.PutParameterOutput{Version: row.Version, Tier: types.ParameterTier(row.Tier)}, nil
}

// checkPut refuses requests that are invalid whatever the store contains.
func checkPut(in *ssm.PutParameterInput) error {
	if err := checkNewName(aws.ToString(in.Name)); err != nil {
		return err
	}
	switch {
	case aws.ToString(in.Value) == "":
		return model.Empty("value")
	case in.Type != "" && !slices.Contains(in.Type.Values(), in.Type):
		return model.OutOfSet("type", in.Type, "SecureString", "StringList", "String")
	case in.Tier != "" && !slices.Contains(in.Tier.Values(), in.Tier):
		return model.OutOfSet("tier", in.Tier, "Standard", "Advanced", "Intelligent-Tiering")
	case len(in.Tags) > 0 && aws.ToBool(in.Overwrite):
		return model.Errorf(
			"Invalid request: tags and overwrite can't be used together. To create a parameter with tags, please " +
				"remove overwrite flag. To update tags for an existing parameter, please use AddTagsToResource or " +
				"RemoveTagsFromResource.",
		)
	case aws.ToString(in.Policies) != "" && *in.Policies != "[]":
		return unsupported("parameter policies")
	case utf8.RuneCountInString(aws.ToString(in.Description)) > maxDescription:
		return model.TooLong("description", maxDescription)
	}
	switch aws.ToString(in.DataType) {
	case "", "text", "aws:ec2:image":
		return nil
	}
	return model.Errorf(
		"The following data type is not supported: %s (Data type names are all lowercase.)", *in.DataType,
	)
}

var imageIDForm = regexp.MustCompile(`^ami-([0-9a-f]{8}|[0-9a-f]{17})$`)

// applyPut sets the value and the attributes of a request in a parameter's row.
// Attributes that the request omits keep their values.
func applyPut(row *store.Parameter, in *ssm.PutParameterInput) error {
	row.Value = *in.Value
	if in.Type != "" {
		row.Type = string(in.Type)
	}
	if err := setKeyID(row, in.KeyId); err != nil {
		return err
	}
	if in.Description != nil {
		row.Description = *in.Description
	}
	if in.DataType != nil {
		row.DataType = *in.DataType
	}
	if in.AllowedPattern != nil {
		row.AllowedPattern = *in.AllowedPattern
	}
	if row.DataType == "aws:ec2:image" && !imageIDForm.MatchString(row.Value) {
		return model.Errorf("Invalid image id: %s", row.Value)
	}
	if row.AllowedPattern != "" {
		// AWS uses Java's patterns. Patterns that Go does not support are refused.
		pattern, err := regexp.Compile(row.AllowedPattern)
		if err != nil {
			return wire.Errorf(
				"InvalidAllowedPatternException",
				"The allowed pattern %s is not a valid regular expression.", row.AllowedPattern,
			)
		}
		if !pattern.MatchString(row.Value) {
			return wire.Errorf(
				"ParameterPatternMismatchException",
				"Parameter value, cannot be validated against allowedPattern: %s", row.AllowedPattern,
			)
		}
	}
	if row.Type == string(types.ParameterTypeStringList) && slices.Contains(strings.Split(row.Value, ","), "") {
		return model.Errorf("Parameter value of the type StringList has an empty item.")
	}
	return setTier(row, in.Tier)
}

// setTier sets a parameter's tier: the requested one, for Intelligent-Tiering the
// smallest that can hold the value, or else the tier that the parameter has.
func setTier(row *store.Parameter, requested types.ParameterTier) error {
	size := len(row.Value)
	switch {
	case requested == types.ParameterTierStandard && row.Tier == string(types.ParameterTierAdvanced):
		return model.Errorf(
			"This parameter uses the advanced-parameter tier. You can't downgrade a parameter from the " +
				"advanced-parameter tier to the standard-parameter tier. If necessary, you can delete the advanced " +
				"parameter and recreate it as a standard parameter.",
		)
	case requested == types.ParameterTierAdvanced,
		requested == types.ParameterTierIntelligentTiering && size > maxStandard:
		row.Tier = string(types.ParameterTierAdvanced)
	}
	if size > maxAdvanced {
		return model.Errorf("Advanced tier parameters support a maximum parameter value of %d characters.", maxAdvanced)
	}
	if size > maxStandard && row.Tier == string(types.ParameterTierStandard) {
		return model.Errorf(
			"Standard tier parameters support a maximum parameter value of %d characters. To create a larger "+
				"parameter value, upgrade the parameter to use the advanced-parameter tier. For more information, "+
				"see https://docs.aws.amazon.com/systems-manager/latest/userguide/"+
				"parameter-store-advanced-parameters.html",
			maxStandard,
		)
	}
	return nil
}
