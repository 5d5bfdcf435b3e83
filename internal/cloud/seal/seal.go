// Package seal encrypts values that the local cloud keeps at rest, such as the values
// of SecureString parameters and secrets, as AWS KMS does on AWS.
//
// A sealed value is bound to the row that holds it: it cannot be opened in the place of
// another value. Whoever holds the key can open every value, so the key protects copies
// of the database, not the values from root of the host.
package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
)

// keySize is the length of a key's secret in bytes.
const keySize = 32

// Key seals and opens values with AES-256-GCM.
type Key struct{ aead cipher.AEAD }

// Row names the version of a row that holds a value.
type Row struct{ Table, Region, Name, Version string }

// NewKey returns the key with a secret of keySize bytes.
func NewKey(secret []byte) (*Key, error) {
	if len(secret) != keySize {
		return nil, fmt.Errorf("a key has %d bytes, want %d", len(secret), keySize)
	}
	block, err := aes.NewCipher(secret)
	if err != nil {
		return nil, fmt.Errorf("use the key: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("use the key: %w", err)
	}
	return &Key{aead}, nil
}

// NewRandomKey returns a key that no other process has, for stores in memory.
func NewRandomKey() *Key {
	key, err := NewKey(NewSecret())
	if err != nil {
		panic(err) // the secret has the right length
	}
	return key
}

// NewSecret returns a random secret for a key.
func NewSecret() []byte {
	secret := make([]byte, keySize)
	_, _ = rand.Read(secret) // never fails
	return secret
}

// Seal encrypts a value of the row. Each call returns different bytes.
func (k *Key) Seal(value []byte, row Row) []byte {
	return k.aead.Seal(nil, nil, value, row.data())
}

// Open decrypts a value that Seal has encrypted for the row.
func (k *Key) Open(sealed []byte, row Row) ([]byte, error) {
	value, err := k.aead.Open(nil, nil, sealed, row.data())
	if err != nil {
		return nil, errors.New("the value was changed, or sealed with another key or for another row")
	}
	return value, nil
}

// data returns the row's fields as one unambiguous text.
func (r Row) data() []byte {
	var data []byte
	for _, field := range []string{r.Table, r.Region, r.Name, r.Version} {
		data = binary.AppendUvarint(data, uint64(len(field)))
		data = append(data, field...)
	}
	return data
}
