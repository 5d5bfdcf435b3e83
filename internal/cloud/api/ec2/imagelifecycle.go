package ec2

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

const (
	// deprecationYears is how many years ahead an image can be deprecated (Amazon EC2 API
	// Reference, EnableImageDeprecation).
	deprecationYears = 10
	// publicDeprecationYears is how many years after its creation a public image is deprecated at
	// the latest.
	publicDeprecationYears = 2
	// protectionCooldown is how long an image stays protected after its protection is disabled, if
	// it has a cooldown (Amazon EC2 API Reference, EnableImageDeregistrationProtection).
	protectionCooldown = 24 * time.Hour
)

// EnableImageDeprecation sets the time, to the minute, from which on an image is deprecated: it can
// be used, but DescribeImages lists it to others than its owner only if they ask.
func (a *API) EnableImageDeprecation(
	ctx context.Context, in *ec2.EnableImageDeprecationInput,
) (*ec2.EnableImageDeprecationOutput, error) {
	if err := required(parameter{"imageId", in.ImageId}); err != nil {
		return nil, err
	}
	if in.DeprecateAt == nil {
		return nil, missingParameter("deprecateAt")
	}
	at := in.DeprecateAt.UTC().Round(time.Minute)
	text := at.Format(timeFormat)
	return &ec2.EnableImageDeprecationOutput{Return: aws.Bool(true)},
		a.changeImage(ctx, in.DryRun, *in.ImageId, func(_ *store.Tx, row *store.Image) error {
			latest := a.Now().AddDate(deprecationYears, 0, 0)
			if row.Public {
				latest = row.Created.AddDate(publicDeprecationYears, 0, 0)
			}
			switch {
			case at.Before(a.Now().Truncate(time.Minute)):
				return invalidValue("deprecateAt", text, "The time is in the past.")
			case at.After(latest):
				return invalidValue("deprecateAt", text, "The time is after "+latest.UTC().Format(timeFormat)+".")
			}
			row.DeprecateAt = at
			return nil
		})
}

// DisableImageDeprecation cancels the deprecation of an image.
func (a *API) DisableImageDeprecation(
	ctx context.Context, in *ec2.DisableImageDeprecationInput,
) (*ec2.DisableImageDeprecationOutput, error) {
	if err := required(parameter{"imageId", in.ImageId}); err != nil {
		return nil, err
	}
	return &ec2.DisableImageDeprecationOutput{Return: aws.Bool(true)},
		a.changeImage(ctx, in.DryRun, *in.ImageId, func(_ *store.Tx, row *store.Image) error {
			row.DeprecateAt = time.Time{}
			return nil
		})
}

// EnableImageDeregistrationProtection refuses to deregister an image from now on.
func (a *API) EnableImageDeregistrationProtection(
	ctx context.Context, in *ec2.EnableImageDeregistrationProtectionInput,
) (*ec2.EnableImageDeregistrationProtectionOutput, error) {
	if err := required(parameter{"imageId", in.ImageId}); err != nil {
		return nil, err
	}
	out := &ec2.EnableImageDeregistrationProtectionOutput{}
	return out, a.changeImage(ctx, in.DryRun, *in.ImageId, func(_ *store.Tx, row *store.Image) error {
		row.Protection = store.ImageProtection{Enabled: true, Cooldown: aws.ToBool(in.WithCooldown)}
		out.Return = aws.String(a.protection(row))
		return nil
	})
}

// DisableImageDeregistrationProtection lets the account deregister an image: at once, or a day
// later if the protection has a cooldown.
func (a *API) DisableImageDeregistrationProtection(
	ctx context.Context, in *ec2.DisableImageDeregistrationProtectionInput,
) (*ec2.DisableImageDeregistrationProtectionOutput, error) {
	if err := required(parameter{"imageId", in.ImageId}); err != nil {
		return nil, err
	}
	out := &ec2.DisableImageDeregistrationProtectionOutput{}
	return out, a.changeImage(ctx, in.DryRun, *in.ImageId, func(_ *store.Tx, row *store.Image) error {
		if p := row.Protection; p.Enabled {
			row.Protection = store.ImageProtection{}
			if p.Cooldown {
				row.Protection.Until = a.Now().UTC().Add(protectionCooldown)
			}
		}
		out.Return = aws.String(a.protection(row))
		return nil
	})
}

// The states of an image's protection from deregistration (Amazon EC2 API Reference, Image).
const (
	protectionDisabled     = "disabled"
	protectionEnabled      = "enabled-without-cooldown"
	protectionWithCooldown = "enabled-with-cooldown"
)

// protection returns the state of an image's protection from deregistration. In its cooldown, an
// image is protected until the time in it.
func (a *API) protection(row ami) string {
	switch p := row.Protection; {
	case p.Enabled && p.Cooldown:
		return protectionWithCooldown
	case p.Enabled:
		return protectionEnabled
	case p.Until.After(a.Now()):
		return "disabled-until-" + p.Until.UTC().Format(time.RFC3339)
	}
	return protectionDisabled
}

// DisableImage withdraws an image: nobody can launch instances of it, and nobody else sees it or
// may launch any once it is enabled again.
func (a *API) DisableImage(ctx context.Context, in *ec2.DisableImageInput) (*ec2.DisableImageOutput, error) {
	if err := required(parameter{"imageId", in.ImageId}); err != nil {
		return nil, err
	}
	return &ec2.DisableImageOutput{Return: aws.Bool(true)},
		a.changeImage(ctx, in.DryRun, *in.ImageId, func(_ *store.Tx, row *store.Image) error {
			if row.State != string(types.ImageStateAvailable) {
				return wire.Errorf("IncorrectState", "The image %s is not available.", row.ID)
			}
			row.Disabled, row.Public, row.Users = true, false, nil
			return nil
		})
}

// EnableImage makes a disabled image available to the account.
func (a *API) EnableImage(ctx context.Context, in *ec2.EnableImageInput) (*ec2.EnableImageOutput, error) {
	if err := required(parameter{"imageId", in.ImageId}); err != nil {
		return nil, err
	}
	return &ec2.EnableImageOutput{Return: aws.Bool(true)},
		a.changeImage(ctx, in.DryRun, *in.ImageId, func(_ *store.Tx, row *store.Image) error {
			row.Disabled = false
			return nil
		})
}

// changeImage changes an image of the account.
func (a *API) changeImage(
	ctx context.Context, dryRun *bool, id string, change func(tx *store.Tx, row *store.Image) error,
) error {
	return a.change(ctx, dryRun, func(tx *store.Tx, region identity.Region) error {
		row, err := findOwnImage(tx, region, id)
		if err != nil {
			return err
		}
		after := *row
		if err := change(tx, &after); err != nil {
			return err
		}
		store.Images.Put(tx, &after)
		return nil
	})
}

// imageState returns the state of an image.
func imageState(row ami) string {
	if row.Disabled {
		return string(types.ImageStateDisabled)
	}
	return row.State
}

// deprecated reports whether an image is deprecated at a time.
func deprecated(row ami, at time.Time) bool {
	return !row.DeprecateAt.IsZero() && !at.Before(row.DeprecateAt)
}

// listed reports whether DescribeImages lists an image to an account that does not name it by its
// ID. Images that are disabled, or deprecated and another account's, are listed on request
// (Amazon EC2 API Reference, DescribeImages).
func listed(row ami, region identity.Region, in *ec2.DescribeImagesInput, at time.Time) bool {
	own := row.Owner == region.Account()
	switch {
	case len(in.ImageIds) > 0:
		return true
	case row.Disabled:
		return own && aws.ToBool(in.IncludeDisabled)
	}
	return own || !deprecated(row, at) || aws.ToBool(in.IncludeDeprecated)
}
