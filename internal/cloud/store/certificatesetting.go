package store

import "aloft.dev/aloft/internal/cloud/identity"

// CertificateSettings contains what accounts have set for AWS Certificate Manager in a region, by region.
var CertificateSettings = newTable("certificate_settings", func(r *CertificateSetting) string {
	return string(r.Region)
}, func(r *CertificateSetting) identity.Region { return r.Region })

// CertificateSetting holds an account's settings for AWS Certificate Manager in a region.
type CertificateSetting struct {
	Region     identity.Region
	ExpiryDays int32  // days before the expiry of a certificate at which Amazon EventBridge is notified
	Token      string // of the request
}
