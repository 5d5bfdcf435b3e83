package store

import "time"

// Certificates has ARNs as keys.
var Certificates = newTable("certificates", func(r *Certificate) string { return r.ARN }, (*Certificate).region)

// Certificate is a server certificate that a user imported, in PEM.
type Certificate struct {
	ARN, Region string
	Body        string // the certificate itself
	Chain       string // issuers' certificates; may be empty
	Key         string // private key: no API returns it
	Created     time.Time
	Imported    time.Time
	Tags        Tags
}

func (r *Certificate) region() string { return r.Region }
