package store

import (
	"time"

	"aloft.dev/aloft/internal/cloud/identity"
)

// OpenIDProviders are OpenID Connect identity providers. Their keys are their ARNs.
var OpenIDProviders = newTable(
	"openid_providers", func(r *OpenIDProvider) string { return r.ARN }, (*OpenIDProvider).Region,
)

// Region returns the region of what belongs to the provider's account.
func (r *OpenIDProvider) Region() identity.Region { return identity.RegionOfARN(r.ARN) }

// OpenIDProvider is an OpenID Connect identity provider.
type OpenIDProvider struct {
	ARN         string
	URL         string   // without the scheme
	ClientIDs   []string // audiences
	Thumbprints []string // SHA-1 of certificates, in hex
	Created     time.Time
	Tags        Tags
}
