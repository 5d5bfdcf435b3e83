package store

import (
	"time"

	"aloft.dev/aloft/internal/cloud/identity"
)

// The keys are ids. KeyPairsByName finds "region/name".
var (
	KeyPairs       = newTable("key_pairs", func(r *KeyPair) string { return r.ID }, (*KeyPair).region)
	KeyPairsByName = KeyPairs.indexBy("name", func(r *KeyPair) string { return r.Region.Key(r.Name) })
)

// KeyPair is a public key that an instance accepts when a user logs in.
type KeyPair struct {
	ID, Name    string
	Region      identity.Region
	Type        string // "rsa", "ed25519"
	Fingerprint string
	PublicKey   string // in authorized_keys form
	Created     time.Time
	Tags        Tags
}

func (r *KeyPair) region() identity.Region { return r.Region }
