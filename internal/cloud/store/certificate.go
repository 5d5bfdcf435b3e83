package store

import "time"

// Tables of this file.
var (
	Certificates = newTable("certificates", func(r *Certificate) string { return r.ARN }, (*Certificate).region)
)

// Certificate is a server's certificate that a user has imported, as PEM.
type Certificate struct {
	ARN, Region string
	Body        string // the certificate itself
	Chain       string // of its issuers; may be empty
	Key         string // secret: no API tells it
	Created     time.Time
	Imported    time.Time
	Tags        Tags
}

func (r *Certificate) region() string { return r.Region }
