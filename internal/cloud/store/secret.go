package store

import "time"

// Secrets has "region/name" as key.
var Secrets = newTable("secrets", func(r *Secret) string { return regional(r.Region, r.Name) }, (*Secret).region)

// Secret is a secret of Secrets Manager.
type Secret struct {
	Region, Name, ARN string
	Description       string
	KMSKeyID          string
	Versions          []SecretVersion
	Created, Changed  time.Time
	Accessed          time.Time
	Deleted           time.Time // when deletion was requested; zero for a secret in use
	DeleteAfter       time.Time
	Tags              Tags
}

func (r *Secret) region() string { return r.Region }

// SecretVersion is a version of a secret's value. Values are sealed: they are encrypted
// at rest.
type SecretVersion struct {
	ID      string // the client's request token
	Stages  []string
	Text    []byte // sealed; nil for a binary value
	Binary  []byte // sealed; nil for a text
	Created time.Time
}
