// Package webidentity verifies the tokens of OpenID Connect identity providers: JSON Web Tokens (RFC 7519) that are
// signed with a key of the provider (RFC 7515, RFC 7517, RFC 7518).
//
// The algorithms are those that AWS accepts: RS256, RS384, RS512, ES256, ES384 and ES512 (IAM User Guide, "Create an
// OpenID Connect (OIDC) identity provider in IAM").
package webidentity

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	_ "crypto/sha256" // hashes of the algorithms
	_ "crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"
)

// Why a token is refused.
var (
	ErrMalformed = errors.New("it is not a JSON Web Token")
	ErrNoKey     = errors.New("the provider has no key with its id and algorithm")
	ErrSignature = errors.New("its signature is not that of the provider's key")
)

// Token is a token whose signature is not verified yet.
type Token struct {
	Claims Claims

	algorithm, key    string
	signed, signature []byte
}

// Claims are what a token says.
type Claims struct {
	Issuer         string       `json:"iss"`
	Subject        string       `json:"sub"`
	Audience       texts        `json:"aud"`
	Party          string       `json:"azp"` // to which the token was issued
	Methods        texts        `json:"amr"` // by which the subject was authenticated
	Expires        *numericDate `json:"exp"`
	Issued         *numericDate `json:"iat"`
	NotBefore      *numericDate `json:"nbf"`
	SourceIdentity string       `json:"https://aws.amazon.com/source_identity"`
	Session        SessionTags  `json:"https://aws.amazon.com/tags"`
}

// SessionTags are the tags of the session that a token asks for (IAM User Guide, "Pass session tags in AWS STS").
type SessionTags struct {
	Tags       map[string]texts `json:"principal_tags"` // one value each
	Transitive []string         `json:"transitive_tag_keys"`
}

// texts are one or more texts. JSON has a single one as a string.
type texts []string

// UnmarshalJSON implements json.Unmarshaler.
func (t *texts) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		*t = texts{one}
		return nil
	}
	return json.Unmarshal(data, (*[]string)(t))
}

// numericDate is a time in seconds since 1970.
type numericDate struct{ time.Time }

// latest is the year 9999, in seconds since 1970. Later times have no representation in AWS's messages.
const latest = 253402300799

// UnmarshalJSON implements json.Unmarshaler.
func (d *numericDate) UnmarshalJSON(data []byte) error {
	var seconds float64
	if err := json.Unmarshal(data, &seconds); err != nil {
		return err
	}
	if seconds < 0 || seconds > latest {
		return fmt.Errorf("the time %v is out of range", seconds)
	}
	d.Time = time.Unix(int64(seconds), 0).UTC()
	return nil
}

// Parse parses a token. The error is ErrMalformed.
func Parse(text string) (*Token, error) {
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return nil, ErrMalformed
	}
	var header struct {
		Algorithm string   `json:"alg"`
		Key       string   `json:"kid"`
		Critical  []string `json:"crit"` // extensions that a reader must know
	}
	t := &Token{signed: []byte(parts[0] + "." + parts[1])}
	if decode(parts[0], &header) != nil || decode(parts[1], &t.Claims) != nil || header.Critical != nil {
		return nil, ErrMalformed
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil || len(signature) == 0 {
		return nil, ErrMalformed
	}
	t.algorithm, t.key, t.signature = header.Algorithm, header.Key, signature
	return t, nil
}

func decode(part string, into any) error {
	text, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		return err
	}
	if text = bytes.TrimSpace(text); len(text) == 0 || text[0] != '{' {
		return ErrMalformed
	}
	return json.Unmarshal(text, into)
}

// algorithms are the hashes of the algorithms, and the size of the elliptic curve's numbers in bytes, 0 for RSA.
var algorithms = map[string]struct {
	hash crypto.Hash
	size int
}{
	"RS256": {crypto.SHA256, 0}, "RS384": {crypto.SHA384, 0}, "RS512": {crypto.SHA512, 0},
	"ES256": {crypto.SHA256, 32}, "ES384": {crypto.SHA384, 48}, "ES512": {crypto.SHA512, 66},
}

// Verify returns an error unless the token's signature is that of one of the keys: ErrNoKey or ErrSignature.
func (t *Token) Verify(keys Keys) error {
	algorithm, known := algorithms[t.algorithm]
	if !known {
		return ErrNoKey
	}
	key, ok := keys.find(t.key, algorithm.size)
	if !ok || key.algorithm != "" && key.algorithm != t.algorithm {
		return ErrNoKey
	}
	h := algorithm.hash.New()
	h.Write(t.signed)
	sum := h.Sum(nil)
	if key.rsa != nil {
		if rsa.VerifyPKCS1v15(key.rsa, algorithm.hash, sum, t.signature) != nil {
			return ErrSignature
		}
		return nil
	}
	size := algorithm.size
	if len(t.signature) != 2*size {
		return ErrSignature
	}
	r, s := new(big.Int).SetBytes(t.signature[:size]), new(big.Int).SetBytes(t.signature[size:])
	if !ecdsa.Verify(key.ec, sum, r, s) {
		return ErrSignature
	}
	return nil
}
