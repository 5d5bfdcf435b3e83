package acm

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/acm/types"

	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// expiryDays is from how many days before an expiry on ACM tells Amazon EventBridge of it, and at most (AWS
// Certificate Manager API Reference, ExpiryEventsConfiguration). There is no EventBridge here, so nobody is notified.
const expiryDays = 45

// GetAccountConfiguration returns how many days before their expiry the account is notified of certificates.
func (a *API) GetAccountConfiguration(
	ctx context.Context, _ *acm.GetAccountConfigurationInput,
) (*acm.GetAccountConfigurationOutput, error) {
	days := int32(expiryDays)
	if row, ok := store.CertificateSettings.Get(a.Store.Read(ctx), string(wire.RegionFrom(ctx))); ok {
		days = row.ExpiryDays
	}
	return &acm.GetAccountConfigurationOutput{
		ExpiryEvents: &types.ExpiryEventsConfiguration{DaysBeforeExpiry: &days},
	}, nil
}

// PutAccountConfiguration sets how many days before their expiry the account is notified of certificates. A token
// repeats an earlier request, which must be the same.
func (a *API) PutAccountConfiguration(
	ctx context.Context, in *acm.PutAccountConfigurationInput,
) (*acm.PutAccountConfigurationOutput, error) {
	switch {
	case in.IdempotencyToken == nil:
		return nil, model.Null("idempotencyToken")
	case !tokenPattern.MatchString(*in.IdempotencyToken):
		return nil, model.Refuse("idempotencyToken", *in.IdempotencyToken,
			`satisfy regular expression pattern: \w+`)
	}
	days := int32(expiryDays)
	if in.ExpiryEvents != nil && in.ExpiryEvents.DaysBeforeExpiry != nil {
		days = *in.ExpiryEvents.DaysBeforeExpiry
	}
	if days < 1 || days > expiryDays {
		return nil, model.OutOfRange("expiryEvents.daysBeforeExpiry", int64(days), 1, expiryDays)
	}
	row := &store.CertificateSetting{Region: wire.RegionFrom(ctx), ExpiryDays: days, Token: *in.IdempotencyToken}
	return &acm.PutAccountConfigurationOutput{}, a.Store.Update(func(tx *store.Tx) error {
		old, ok := store.CertificateSettings.Get(tx, string(row.Region))
		if ok && old.Token == row.Token && old.ExpiryDays != row.ExpiryDays {
			return wire.Errorf("ConflictException", "The idempotency token %s was used for another configuration.",
				row.Token)
		}
		store.CertificateSettings.Put(tx, row)
		return nil
	})
}

// UpdateCertificateOptions sets whether a certificate that was requested is logged publicly, which no
// certificate of the local cloud is.
func (a *API) UpdateCertificateOptions(
	ctx context.Context, in *acm.UpdateCertificateOptionsInput,
) (*acm.UpdateCertificateOptionsOutput, error) {
	if in.Options == nil {
		return nil, model.Null("options")
	}
	preference := in.Options.CertificateTransparencyLoggingPreference //nolint:staticcheck // clients set it
	err := checkEnum("options.certificateTransparencyLoggingPreference", nonEmpty(preference), preference.Values())
	if err != nil {
		return nil, err
	}
	if in.Options.Export == types.CertificateExportEnabled {
		return nil, wire.NotImplemented("certificates that can be exported")
	}
	return &acm.UpdateCertificateOptionsOutput{}, a.Store.Update(func(tx *store.Tx) error {
		row, err := findCertificate(tx, wire.RegionFrom(ctx), in.CertificateArn)
		if err != nil {
			return err
		}
		if row.Request == nil {
			return wire.Errorf("InvalidStateException", "Certificate %s is imported: it has no options.", row.ARN)
		}
		if preference != "" {
			edited, request := *row, *row.Request
			request.NoTransparency = optsOut(*in.Options)
			edited.Request = &request
			store.Certificates.Put(tx, &edited)
		}
		return nil
	})
}

// ExportCertificate refuses to export a certificate. ACM exports private ones, and public ones that were requested
// for it: there is neither here.
func (a *API) ExportCertificate(
	ctx context.Context, in *acm.ExportCertificateInput,
) (*acm.ExportCertificateOutput, error) {
	if len(in.Passphrase) == 0 {
		return nil, model.Null("passphrase")
	}
	row, err := findCertificate(a.Store.Read(ctx), wire.RegionFrom(ctx), in.CertificateArn)
	if err != nil {
		return nil, err
	}
	return nil, wire.Errorf("ValidationException", "Certificate ARN: %s is not a private certificate",
		row.ARN)
}
