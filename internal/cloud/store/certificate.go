package store

import (
	"slices"
	"strings"
	"time"

	"aloft.dev/aloft/internal/cloud/identity"
)

// Certificates has ARNs as keys. Server certificates of IAM have names, like all rows of IAM.
var (
	Certificates       = newTable("certificates", func(r *Certificate) string { return r.ARN }, (*Certificate).region)
	ServerCertificates = newTable("server_certificates", (*ServerCertificate).Key, (*ServerCertificate).Region)
)

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

// CertificateRequest is a user's request, and its progress.
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

// ServerCertificate is a certificate that a user uploaded to IAM, in PEM.
type ServerCertificate struct {
	Name, Path, ID, ARN string
	Body                string
	Chain               string // issuers' certificates; may be empty
	PrivateKey          string // no API returns it
	Uploaded            time.Time
	Expires             time.Time
	Tags                Tags
}

// Key returns the server certificate's key.
func (r *ServerCertificate) Key() string { return NameKey(r.Region(), r.Name) }

// Region returns the region of what belongs to the server certificate's account.
func (r *ServerCertificate) Region() identity.Region { return identity.RegionOfARN(r.ARN) }

// ServerCertificateAt returns IAM's server certificate with the ARN.
func ServerCertificateAt(r Reader, arn string) (*ServerCertificate, bool) {
	row, ok := ServerCertificates.Get(r, NameKey(identity.RegionOfARN(arn), arn[strings.LastIndexByte(arn, '/')+1:]))
	if !ok || row.ARN != arn {
		return nil, false
	}
	return row, true
}

// CertificateUsers returns the ARNs of the load balancers whose listeners use the certificate
// with an ARN.
func CertificateUsers(r Reader, arn string) []string {
	var out []string
	for _, l := range Listeners.List(r) {
		if slices.Contains(l.Certificates, arn) {
			out = append(out, l.LoadBalancerARN)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
