package metadata

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"time"
)

// The bounds of a token's life, in seconds (Amazon EC2 User Guide, Use IMDSv2).
const (
	minTokenTTL = 1
	maxTokenTTL = 21600
)

// tokenIssuer makes and checks session tokens. A token is the end of its life and a
// code over that and the machine it was made for, so nothing needs to be kept
// and no machine can use another's.
type tokenIssuer struct{ key []byte }

func newTokenIssuer() (*tokenIssuer, error) {
	key := make([]byte, sha256.Size)
	if _, err := rand.Read(key); err != nil {
		return nil, fmt.Errorf("make a key for session tokens: %w", err)
	}
	return &tokenIssuer{key}, nil
}

func (m *tokenIssuer) issue(instance string, ends time.Time) string {
	b := binary.BigEndian.AppendUint64(nil, uint64(ends.UnixNano()))
	return base64.URLEncoding.EncodeToString(append(b, m.mac(instance, b)...))
}

func (m *tokenIssuer) mac(instance string, ends []byte) []byte {
	h := hmac.New(sha256.New, m.key)
	h.Write(ends)
	h.Write([]byte(instance))
	return h.Sum(nil)
}

// valid tells whether the token is the machine's and still lives.
func (m *tokenIssuer) valid(instance, token string, now time.Time) bool {
	b, err := base64.URLEncoding.DecodeString(token)
	if err != nil || len(b) != 8+sha256.Size {
		return false
	}
	ends := time.Unix(0, int64(binary.BigEndian.Uint64(b[:8])))
	return hmac.Equal(b[8:], m.mac(instance, b[:8])) && now.Before(ends)
}
