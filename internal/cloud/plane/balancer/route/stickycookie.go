//go:build linux

package route

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/balancer/http1"
)

// The names of the stickiness cookies (Application Load Balancer guide, Sticky
// sessions). The CORS cookie of a pair is for cross-site requests. AWSALBAPP has four
// parts. One is enough here; the others have AWS's value for an unused part.
const (
	targetCookie     = "AWSALB"
	targetCookieCORS = "AWSALBCORS"
	groupCookie      = "AWSALBTG"
	groupCookieCORS  = "AWSALBTGCORS"
	appCookie        = "AWSALBAPP-0"
	removed          = "_remove_"
)

var appCookieRest = []string{"AWSALBAPP-1", "AWSALBAPP-2", "AWSALBAPP-3"}

// cookieLife is how long clients keep the cookies. The guide says so only of
// AWSALBAPP and calls the configured duration of the others their expiration. Yet
// recorded responses of AWS expire after seven days there too, with a duration of 600
// seconds (kubernetes-sigs/aws-load-balancer-controller, issue 884). This follows the
// responses; the cookie's value contains the duration.
const cookieLife = 7 * 24 * time.Hour

// maxEntries bounds how many entries one cookie has.
const maxEntries = 16

// token names something in a cookie: an action, a target group or a target.
type token [16]byte

func tokenOf(parts ...string) token {
	h := sha256.New()
	for _, p := range parts {
		_, _ = h.Write([]byte(p + "\x00")) // never fails
	}
	return token(h.Sum(nil)[:16])
}

// entry is one choice that a cookie remembers: for the target group or action named
// by key, the client belongs to the target or target group named by choice.
type entry struct {
	key, choice token
	expires     time.Time
}

const entryBytes = 16 + 16 + 8

// sealer seals and opens the values of cookies. They are encrypted and authenticated,
// so a client can neither read nor forge one.
type sealer struct{ aead cipher.AEAD }

// newSealer derives a key from the secret. It returns nil only if there is no such
// cipher, which is impossible with a key of 32 bytes.
func newSealer(secret string) *sealer {
	key := sha256.Sum256([]byte("stickiness\x00" + secret))
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil
	}
	return &sealer{aead}
}

// seal returns the value of the cookie of that name.
func (s *sealer) seal(name string, entries []entry) string {
	plain := make([]byte, 0, len(entries)*entryBytes)
	for _, e := range entries {
		plain = append(plain, e.key[:]...)
		plain = append(plain, e.choice[:]...)
		plain = binary.BigEndian.AppendUint64(plain, uint64(e.expires.UnixNano()))
	}
	return base64.RawStdEncoding.EncodeToString(s.aead.Seal(nil, nil, plain, []byte(name)))
}

// open returns the entries in a value that have not expired. A value that was not
// sealed for the cookie of that name has none.
func (s *sealer) open(name string, value []byte, now time.Time) []entry {
	sealed, err := base64.RawStdEncoding.AppendDecode(nil, value)
	if err != nil {
		return nil
	}
	plain, err := s.aead.Open(nil, nil, sealed, []byte(name))
	if err != nil {
		return nil
	}
	var out []entry
	for ; len(plain) >= entryBytes; plain = plain[entryBytes:] {
		e := entry{
			key:     token(plain[:16]),
			choice:  token(plain[16:32]),
			expires: time.Unix(0, int64(binary.BigEndian.Uint64(plain[32:]))),
		}
		if now.Before(e.expires) {
			out = append(out, e)
		}
	}
	return out
}

// read opens the first of the named cookies that the request has. They are all sealed
// under the first name.
func (s *sealer) read(r *http1.Request, now time.Time, names ...string) []entry {
	for _, name := range names {
		if value, ok := requestCookie(r, name); ok {
			return s.open(names[0], value, now)
		}
	}
	return nil
}

// find returns the choice of the entry with that key.
func find(entries []entry, key token) (choice token, ok bool) {
	for _, e := range entries {
		if e.key == key {
			return e.choice, true
		}
	}
	return token{}, false
}

// replace returns the entries with e in place of any entry with its key. The newest
// is the first; the oldest beyond maxEntries are dropped.
func replace(entries []entry, e entry) []entry {
	out := []entry{e}
	for _, old := range entries {
		if old.key != e.key && len(out) < maxEntries {
			out = append(out, old)
		}
	}
	return out
}
