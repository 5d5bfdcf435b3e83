package store

import (
	"time"

	"aloft.dev/aloft/internal/cloud/identity"
)

// Secrets has "region/name" as key.
var Secrets = newTable("secrets", func(r *Secret) string { return SecretKey(r.Region, r.Name) }, (*Secret).region)

// SecretKey returns the key of a secret.
func SecretKey(region identity.Region, name string) string { return region.Key(name) }

// Secret is a secret of Secrets Manager.
type Secret struct {
	Name, ARN        string
	Region           identity.Region
	Description      string
	KMSKeyID         string          // as the user gave it; empty: the default key
	Versions         []SecretVersion // oldest first
	Created, Changed time.Time
	Accessed         time.Time // the day; zero: never
	Deleted          time.Time // when deletion was requested; zero for a secret in use
	DeleteAfter      time.Time // after this time the secret does not exist
	Tags             Tags
	Policy           string // JSON; "": none
}

func (r *Secret) region() identity.Region { return r.Region }

// SecretVersion is a version of a secret's value. Values are sealed: they are encrypted
// at rest.
type SecretVersion struct {
	ID       string   // the client's request token
	Stages   []string // sorted
	Text     []byte   // sealed; nil for a binary value
	Binary   []byte   // sealed; nil for a text
	Created  time.Time
	Accessed time.Time // the day; zero: never
}
