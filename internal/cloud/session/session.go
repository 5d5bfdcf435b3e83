// Package session issues and reads temporary credentials of roles and users.
//
// Nothing is stored: the session token carries the session, sealed with a key that only
// the local cloud has. Credentials therefore outlive the daemon, and whoever looks up
// the role or the user of a session decides whether it is still valid. An access key id
// carries a tag that tells the issuer's own ids from all others. The issuer also generates
// the access keys of users, whose ids carry such a tag too.
package session

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// KeySize is the size of an issuer's key in bytes.
const KeySize = 32

// ErrInvalidToken is returned for a token that the issuer did not issue for the access
// key.
var ErrInvalidToken = errors.New("the session token is not that of the access key")

// Session describes the bearer of a session token.
type Session struct {
	RoleID   string    `json:"role,omitempty"` // unique id of the role; another role with its name is not meant
	RoleName string    `json:"name,omitempty"`
	UserID   string    `json:"user,omitempty"` // unique id of the user, if the session is not a role's
	UserName string    `json:"username,omitempty"`
	Account  string    `json:"account,omitempty"` // of the role or the user; "": the local cloud's own
	Name     string    `json:"session,omitempty"` // "i-0123456789abcdef0" for an instance
	Instance string    `json:"instance,omitempty"`
	Policy   string    `json:"policy,omitempty"` // session policy; "": none
	MFA      bool      `json:"mfa,omitempty"`    // the user showed a second factor when it was issued
	Issued   time.Time `json:"issued"`

	PolicyARNs     []string          `json:"policies,omitempty"`   // managed session policies
	Tags           map[string]string `json:"tags,omitempty"`       // session tags
	Transitive     []string          `json:"transitive,omitempty"` // keys of the tags that sessions of this one inherit
	Provider       string            `json:"provider,omitempty"`   // ARN of who vouched for a web identity
	SourceIdentity string            `json:"source,omitempty"`     // who acts, whatever roles it assumes; "": not known
	Expires        time.Time         `json:"expires"`
}

// Federated reports whether the session is that of a federated user, for whom a user asked.
func (s *Session) Federated() bool { return s.UserID != "" && s.Name != "" }

// Credentials are temporary credentials.
type Credentials struct {
	AccessKeyID     string
	SecretAccessKey string
	Token           string
	Issued, Expires time.Time
}

// Issuer issues credentials and reads their tokens. It is safe for concurrent use.
type Issuer struct {
	tags   []byte // key of the tags in access key ids
	seal   cipher.AEAD
	random io.Reader
}

// NewIssuer returns the issuer with a key of KeySize bytes. If random is nil, it reads
// from crypto/rand.Reader.
func NewIssuer(key []byte, random io.Reader) (*Issuer, error) {
	if len(key) != KeySize {
		return nil, fmt.Errorf("the key of session tokens has %d bytes, want %d", len(key), KeySize)
	}
	tags, err := hkdf.Key(sha256.New, key, nil, "aloft access key id", KeySize)
	if err != nil {
		return nil, fmt.Errorf("derive the key of access key ids: %w", err)
	}
	tokens, err := hkdf.Key(sha256.New, key, nil, "aloft session token", KeySize)
	if err != nil {
		return nil, fmt.Errorf("derive the key of session tokens: %w", err)
	}
	block, err := aes.NewCipher(tokens)
	if err != nil {
		return nil, fmt.Errorf("use the key of session tokens: %w", err)
	}
	seal, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("use the key of session tokens: %w", err)
	}
	if random == nil {
		random = rand.Reader
	}
	return &Issuer{tags: tags, seal: seal, random: random}, nil
}

// The starts of the ids of temporary access keys and of users' access keys (IAM User
// Guide, "IAM identifiers").
const (
	prefix     = "ASIA"
	userPrefix = "AKIA"
)

// An access key id is the prefix and the encoding of a random part and its tag.
const (
	idRandom = 6
	idTag    = 4
)

var idEncoding = base32.StdEncoding.WithPadding(base32.NoPadding)

// contents is the sealed contents of a token.
type contents struct {
	Session
	Secret string `json:"secret"`
}

// Issue returns credentials for a session.
func (i *Issuer) Issue(s Session) (Credentials, error) {
	b := make([]byte, idRandom+30+i.seal.NonceSize())
	if _, err := io.ReadFull(i.random, b); err != nil {
		return Credentials{}, fmt.Errorf("generate credentials: %w", err)
	}
	id, secret, nonce := b[:idRandom], b[idRandom:idRandom+30], b[idRandom+30:]
	c := Credentials{
		AccessKeyID:     i.name(prefix, id),
		SecretAccessKey: base64.StdEncoding.EncodeToString(secret),
		Issued:          s.Issued,
		Expires:         s.Expires,
	}
	text, err := json.Marshal(contents{s, c.SecretAccessKey})
	if err != nil {
		return Credentials{}, fmt.Errorf("encode a session: %w", err)
	}
	c.Token = base64.StdEncoding.EncodeToString(i.seal.Seal(nonce, nonce, text, []byte(c.AccessKeyID)))
	return c, nil
}

// NewKey returns the id and the secret of a new access key of a user.
func (i *Issuer) NewKey() (id, secret string, err error) {
	b := make([]byte, idRandom+30)
	if _, err := io.ReadFull(i.random, b); err != nil {
		return "", "", fmt.Errorf("generate an access key: %w", err)
	}
	return i.name(userPrefix, b[:idRandom]), base64.StdEncoding.EncodeToString(b[idRandom:]), nil
}

// name returns the access key id with a start and a random part.
func (i *Issuer) name(start string, random []byte) string {
	return start + idEncoding.EncodeToString(append(random[:idRandom:idRandom], i.tag(start, random)...))
}

// tag returns the tag of an access key id's random part.
func (i *Issuer) tag(start string, random []byte) []byte {
	mac := hmac.New(sha256.New, i.tags)
	mac.Write(random)
	if start != prefix { // ids of the first version's temporary keys had no other
		mac.Write([]byte(start))
	}
	return mac.Sum(nil)[:idTag]
}

// Issued reports whether the issuer issued a temporary access key with an id.
func (i *Issuer) Issued(accessKeyID string) bool { return i.issued(prefix, accessKeyID) }

// MadeKey reports whether NewKey returned an access key id.
func (i *Issuer) MadeKey(accessKeyID string) bool { return i.issued(userPrefix, accessKeyID) }

func (i *Issuer) issued(start, accessKeyID string) bool {
	text, ok := strings.CutPrefix(accessKeyID, start)
	if !ok {
		return false
	}
	id, err := idEncoding.DecodeString(text)
	return err == nil && len(id) == idRandom+idTag && hmac.Equal(id[idRandom:], i.tag(start, id[:idRandom]))
}

// Open returns the session of an access key and the key's secret. It does not check
// whether the session has expired. The error is ErrInvalidToken, which says nothing
// about the token.
func (i *Issuer) Open(accessKeyID, token string) (s Session, secret string, err error) {
	sealed, err := base64.StdEncoding.DecodeString(token)
	if err != nil || len(sealed) < i.seal.NonceSize() || !i.Issued(accessKeyID) {
		return Session{}, "", ErrInvalidToken
	}
	nonce, sealed := sealed[:i.seal.NonceSize()], sealed[i.seal.NonceSize():]
	text, err := i.seal.Open(nil, nonce, sealed, []byte(accessKeyID))
	if err != nil {
		return Session{}, "", ErrInvalidToken
	}
	var c contents
	if err := json.Unmarshal(text, &c); err != nil || c.Secret == "" || c.RoleID == "" && c.UserID == "" {
		return Session{}, "", ErrInvalidToken
	}
	return c.Session, c.Secret, nil
}
