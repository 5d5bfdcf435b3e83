package store

import (
	"time"

	"aloft.dev/aloft/internal/cloud/identity"
)

// Certificates has ARNs as keys.
var Certificates = newTable("certificates", func(r *Certificate) string { return r.ARN }, (*Certificate).region)

// Certificate is a server certificate that a user imported or requested, in PEM.
type Certificate struct {
	ARN      string
	Region   identity.Region
	Body     string // the certificate itself; empty while a requested one is not issued
	Chain    string // issuers' certificates; may be empty
	Key      string // private key: no API returns it
	Created  time.Time
	Imported time.Time
	Tags     Tags

	Request *CertificateRequest // nil: imported
}

func (r *Certificate) region() identity.Region { return r.Region }

// CertificateRequest is what a user requested, and how far it is.
type CertificateRequest struct {
	Names          []string // the first is the domain name; the others are alternatives
	KeyAlgorithm   string
	Token          string // of the client, for an hour
	NoTransparency bool
	OfferedAt      time.Time // when the records to create are known; zero: at once
	CheckedAt      time.Time // when they are first looked for; zero: at once
	Validations    []DomainValidation
	TimedOut       bool
	Issued         time.Time // zero: not issued
	Renewal        CertificateRenewal
}

// DomainValidation is the validation of one name.
type DomainValidation struct {
	Domain        string
	Record, Value string // the CNAME that proves the control of the domain
	Valid         bool
}

// CertificateRenewal is the last renewal of a certificate.
type CertificateRenewal struct {
	Status  string // as in ACM's RenewalStatus; empty: none has begun
	Updated time.Time
}
