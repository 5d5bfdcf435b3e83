package acm

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/acm"

	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// DeleteCertificate deletes a certificate that no listener uses.
func (a *API) DeleteCertificate(
	ctx context.Context, in *acm.DeleteCertificateInput,
) (*acm.DeleteCertificateOutput, error) {
	return &acm.DeleteCertificateOutput{}, a.Store.Update(func(tx *store.Tx) error {
		row, err := findCertificate(tx, wire.RegionFrom(ctx), in.CertificateArn)
		if err != nil {
			return err
		}
		if len(store.CertificateUsers(tx, row.ARN)) > 0 {
			return wire.Errorf("ResourceInUseException", "Certificate %s is in use.", row.ARN)
		}
		store.Certificates.Delete(tx, row.ARN)
		return nil
	})
}
