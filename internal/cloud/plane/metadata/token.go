//go:build linux

package metadata

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// The range of a token's time to live, in seconds (Amazon EC2 User Guide, Use IMDSv2).
const (
	minTokenTTL = 1
	maxTokenTTL = 21600
)

// The headers of IMDSv2, and one that proxies add.
const (
	forwardedHeader = "X-Forwarded-For"
	tokenTTLHeader  = "X-Aws-Ec2-Metadata-Token-Ttl-Seconds"
	tokenHeader     = "X-Aws-Ec2-Metadata-Token"
)

// tokenIssuer issues and validates session tokens. A token consists of its expiry and a
// MAC over the expiry and the instance's ID. The issuer stores nothing, and no instance
// can use another's token.
type tokenIssuer struct{ key []byte }

func newTokenIssuer() (*tokenIssuer, error) {
	key := make([]byte, sha256.Size)
	if _, err := rand.Read(key); err != nil {
		return nil, fmt.Errorf("generate the key of session tokens: %w", err)
	}
	return &tokenIssuer{key}, nil
}

func (t *tokenIssuer) issue(instanceID string, expiry time.Time) string {
	b := binary.BigEndian.AppendUint64(nil, uint64(expiry.UnixNano()))
	return base64.URLEncoding.EncodeToString(append(b, t.mac(instanceID, b)...))
}

func (t *tokenIssuer) mac(instanceID string, expiry []byte) []byte {
	h := hmac.New(sha256.New, t.key)
	h.Write(expiry)
	h.Write([]byte(instanceID))
	return h.Sum(nil)
}

// valid reports whether the token was issued to the instance and has not expired.
func (t *tokenIssuer) valid(instanceID, token string, now time.Time) bool {
	b, err := base64.URLEncoding.DecodeString(token)
	if err != nil || len(b) != 8+sha256.Size {
		return false
	}
	expiry := time.Unix(0, int64(binary.BigEndian.Uint64(b[:8])))
	return hmac.Equal(b[8:], t.mac(instanceID, b[:8])) && now.Before(expiry)
}

// serveToken responds to a request for a token.
func (s *Server) serveToken(w http.ResponseWriter, r *http.Request, instance Instance) {
	seconds, err := strconv.Atoi(r.Header.Get(tokenTTLHeader))
	if err != nil || seconds < minTokenTTL || seconds > maxTokenTTL {
		writeError(w, http.StatusBadRequest)
		return
	}
	if err := limitHops(w, max(instance.HopLimit, 1)); err != nil {
		s.log.Warn("limit the hops of a token", "instance", instance.ID, "error", err)
		writeError(w, http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/plain")
	w.Header().Set(tokenTTLHeader, strconv.Itoa(seconds))
	_, _ = io.WriteString(w, s.tokens.issue(instance.ID, time.Now().Add(time.Duration(seconds)*time.Second)))
}

// limitHops sets after how many hops the network drops a response. With a limit of one, a token
// does not leave the machine itself.
func limitHops(w http.ResponseWriter, hops int) error {
	limiter, ok := w.(interface{ LimitHops(hops int) error })
	if !ok {
		return nil // a response that does not go over a network
	}
	return limiter.LimitHops(hops)
}
