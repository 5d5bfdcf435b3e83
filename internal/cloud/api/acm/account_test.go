package acm_test

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/acm/types"
)

func TestTheConfigurationOfAnAccount(t *testing.T) {
	c, _, _ := newClient(t)
	ctx := context.Background()
	days := func() int32 {
		out := must(c.GetAccountConfiguration(ctx, &client.GetAccountConfigurationInput{}))(t)
		return *out.ExpiryEvents.DaysBeforeExpiry
	}
	put := func(token string, days int32) error {
		_, err := c.PutAccountConfiguration(ctx, &client.PutAccountConfigurationInput{
			IdempotencyToken: &token, ExpiryEvents: &types.ExpiryEventsConfiguration{DaysBeforeExpiry: &days},
		})
		return err
	}
	if days() != 45 {
		t.Errorf("by default %d days", days())
	}
	for range 2 {
		if err := put("one", 10); err != nil || days() != 10 {
			t.Errorf("got %v, %d days", err, days())
		}
	}
	wantError(t, put("one", 11), "ConflictException", "one")
	wantError(t, put("two", 46), "ValidationException", "daysBeforeExpiry")
}

func TestOptionsOfCertificates(t *testing.T) {
	c, _, _ := newClient(t)
	ctx := context.Background()
	arn := must(c.RequestCertificate(ctx, request(nil)))(t).CertificateArn
	set := func(arn *string, o types.CertificateOptions) error {
		_, err := c.UpdateCertificateOptions(ctx, &client.UpdateCertificateOptionsInput{
			CertificateArn: arn, Options: &o,
		})
		return err
	}
	disabled := types.CertificateOptions{
		//nolint:staticcheck // clients set it
		CertificateTransparencyLoggingPreference: types.CertificateTransparencyLoggingPreferenceDisabled,
	}
	if err := set(arn, disabled); err != nil {
		t.Fatal(err)
	}
	d := must(c.DescribeCertificate(ctx, &client.DescribeCertificateInput{CertificateArn: arn}))(t).Certificate
	got := d.Options.CertificateTransparencyLoggingPreference //nolint:staticcheck // clients read it
	if got != types.CertificateTransparencyLoggingPreferenceDisabled {
		t.Errorf("got %s", got)
	}
	imported := must(c.ImportCertificate(ctx, issue(t, nil, rsaKey(t), nil)))(t).CertificateArn
	wantError(t, set(imported, disabled), "InvalidStateException", *imported)
	wantError(t, set(arn, types.CertificateOptions{Export: types.CertificateExportEnabled}), "NotImplemented", "export")
	_, err := c.ExportCertificate(ctx, &client.ExportCertificateInput{
		CertificateArn: imported, Passphrase: []byte("passphrase"),
	})
	wantError(t, err, "ValidationException", "is not a private certificate")
	_, err = c.ExportCertificate(ctx, &client.ExportCertificateInput{
		CertificateArn: aws.String("arn:aws:acm:us-east-1:000000000000:certificate/none"), Passphrase: []byte("pass"),
	})
	wantError(t, err, "ResourceNotFoundException", "none")
}
