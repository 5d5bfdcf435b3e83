package store

import "time"

// Tables of this file.
var (
	KeyPairs       = newTable("key_pairs", func(r *KeyPair) string { return r.ID }, (*KeyPair).region)
	KeyPairsByName = KeyPairs.indexBy("name", func(r *KeyPair) string { return regional(r.Region, r.Name) })
)

// KeyPair is a public key that instances accept for their first login.
type KeyPair struct {
	ID, Region, Name string
	Type             string // "rsa", "ed25519"
	Fingerprint      string
	PublicKey        string // in authorized_keys form
	Created          time.Time
	Tags             Tags
}

func (r *KeyPair) region() string { return r.Region }
