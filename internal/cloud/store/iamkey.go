package store

import (
	"time"

	"aloft.dev/aloft/internal/cloud/identity"
)

// SSH public keys have ids of IAM as their keys.
var (
	SSHPublicKeys = newTable(
		"ssh_public_keys", func(r *SSHPublicKey) string { return r.ID },
		func(r *SSHPublicKey) identity.Region { return r.Account },
	)

	// SSHPublicKeysByUser finds SSH public keys by the key of their user.
	SSHPublicKeysByUser = SSHPublicKeys.indexBy("user", func(r *SSHPublicKey) string {
		return NameKey(r.Account, r.User)
	})
)

// SSHPublicKey is an SSH public key of a user.
type SSHPublicKey struct {
	ID          string
	User        string          // its name
	Account     identity.Region // the region of what belongs to the user's account
	Body        string          // "ssh-rsa AAAA..."
	Fingerprint string          // MD5
	Inactive    bool
	Uploaded    time.Time
}
