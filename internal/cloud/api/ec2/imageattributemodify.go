package ec2

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// ModifyImageAttribute changes the description or the launch permissions of an image of the account,
// or makes its instances require version 2 of the metadata service.
func (a *API) ModifyImageAttribute(
	ctx context.Context, in *ec2.ModifyImageAttributeInput,
) (*ec2.ModifyImageAttributeOutput, error) {
	if err := required(parameter{"imageId", in.ImageId}); err != nil {
		return nil, err
	}
	const permissions = "LaunchPermission."
	if err := supportOnly(
		in, "DryRun", "ImageId", "Attribute", "Value", "Description", "OperationType", "UserGroups", "UserIds",
		"ImdsSupport", permissions+"Add.Group", permissions+"Add.UserId", permissions+"Remove.Group",
		permissions+"Remove.UserId",
	); err != nil {
		return nil, err
	}
	edit, err := imageEdit(in)
	if err != nil {
		return nil, err
	}
	return &ec2.ModifyImageAttributeOutput{}, a.editImage(ctx, in.DryRun, *in.ImageId, edit)
}

// imageEdit returns the change that a request makes.
func imageEdit(in *ec2.ModifyImageAttributeInput) (func(row *store.Image), error) {
	description, permission, metadata := in.Description != nil, in.LaunchPermission != nil, in.ImdsSupport != nil
	var given []string
	for _, field := range []struct {
		name string
		set  bool
	}{{"description", description}, {"launchPermission", permission}, {"imdsSupport", metadata}} {
		if field.set {
			given = append(given, field.name)
		}
	}
	switch attribute := aws.ToString(in.Attribute); {
	case len(given) > 1:
		return nil, wire.Errorf("InvalidParameterCombination",
			"Fields for multiple attribute types specified: %s", strings.Join(given, ", "))
	case metadata:
		return metadataEdit(aws.ToString(in.ImdsSupport.Value))
	case !description && !permission && attribute == "imdsSupport":
		return metadataEdit(aws.ToString(in.Value))
	case description, attribute == "description":
		text := aws.ToString(in.Value)
		if description {
			text = aws.ToString(in.Description.Value)
		}
		return func(row *store.Image) { row.Description = text }, nil
	case permission:
		return launchEdit(sharingChange{
			list(in.LaunchPermission.Add, launchGrantee), list(in.LaunchPermission.Remove, launchGrantee),
		})
	case attribute == "launchPermission":
		change, err := listedChange(in.OperationType, in.UserIds, in.UserGroups)
		if err != nil {
			return nil, err
		}
		return launchEdit(change)
	case attribute == "":
		return nil, wire.Errorf("InvalidParameterCombination", "No attributes specified.")
	default:
		return nil, unknownAttribute(attribute)
	}
}

// metadataEdit returns a change that makes an image's instances require version 2 of the metadata
// service. It cannot be taken back (Amazon EC2 API Reference, ModifyImageAttribute).
func metadataEdit(value string) (func(row *store.Image), error) {
	if value != string(types.ImdsSupportValuesV20) {
		return nil, invalidValue("imdsSupport", value, "It is not v2.0.")
	}
	return func(row *store.Image) { row.Traits.IMDS = value }, nil
}

// launchEdit returns a change of who may launch instances of an image.
func launchEdit(change sharingChange) (func(row *store.Image), error) {
	return func(row *store.Image) {
		after := change.apply(sharing{row.Public, row.Users})
		row.Public, row.Users = after.public, after.users
	}, change.check()
}

// ResetImageAttribute withdraws the permissions to launch instances of an image.
func (a *API) ResetImageAttribute(
	ctx context.Context, in *ec2.ResetImageAttributeInput,
) (*ec2.ResetImageAttributeOutput, error) {
	if err := required(
		parameter{"imageId", in.ImageId}, parameter{"attribute", aws.String(string(in.Attribute))},
	); err != nil {
		return nil, err
	}
	if in.Attribute != types.ResetImageAttributeNameLaunchPermission {
		return nil, unknownAttribute(string(in.Attribute))
	}
	return &ec2.ResetImageAttributeOutput{}, a.editImage(ctx, in.DryRun, *in.ImageId, func(row *store.Image) {
		row.Public, row.Users = false, nil
	})
}

// editImage changes who may launch instances of an image of the account, or describes it.
func (a *API) editImage(ctx context.Context, dryRun *bool, id string, edit func(row *store.Image)) error {
	return a.changeImage(ctx, dryRun, id, func(tx *store.Tx, row *store.Image) error {
		before := row.Public
		edit(row)
		return checkPublic(store.SettingOf(tx, row.Region).BlockImages, before, row.Public)
	})
}
