package balancer

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"net/http"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/balancer/http1"
)

// The cookies of Application Load Balancers (guide, Sticky sessions). The
// second of a pair is for requests from other sites. AWSALBAPP comes in four
// parts, of which one suffices here: the others say that they are to be removed,
// as AWS's do.
const (
	targetCookie     = "AWSALB"
	targetCookieCORS = "AWSALBCORS"
	groupCookie      = "AWSALBTG"
	groupCookieCORS  = "AWSALBTGCORS"
	appCookie        = "AWSALBAPP-0"
	removed          = "_remove_"
)

var appCookieRest = []string{"AWSALBAPP-1", "AWSALBAPP-2", "AWSALBAPP-3"}

// cookieLife is how long clients keep the cookies. The guide says so of
// AWSALBAPP alone and calls the settable duration of the others their
// expiration; yet answers of AWS that are on record have seven days there too,
// with a duration of 600 seconds (kubernetes-sigs/aws-load-balancer-controller,
// issue 884). Followed are the answers: the duration is inside the cookie.
const cookieLife = 7 * 24 * time.Hour

// mostEntries bounds how many things one cookie remembers.
const mostEntries = 16

// token stands for something in a cookie.
type token [16]byte

func tokenOf(parts ...string) token {
	h := sha256.New()
	for _, p := range parts {
		_, _ = h.Write([]byte(p + "\x00")) // never fails
	}
	return token(h.Sum(nil)[:16])
}

// entry is one thing that a cookie remembers: at the place (a target group, an
// action), the client belongs to the choice (a target, a target group) until
// then.
type entry struct {
	place, choice token
	until         time.Time
}

const entryBytes = 16 + 16 + 8

// sealer makes and reads the values of cookies: encrypted and authenticated, so
// that a client can neither read nor make one.
type sealer struct{ aead cipher.AEAD }

// newSealer is nil when there is no cipher, which 32 bytes of key rule out.
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

// seal is the value of the cookie of that name.
func (s *sealer) seal(name string, entries []entry) string {
	plain := make([]byte, 0, len(entries)*entryBytes)
	for _, e := range entries {
		plain = append(plain, e.place[:]...)
		plain = append(plain, e.choice[:]...)
		plain = binary.BigEndian.AppendUint64(plain, uint64(e.until.UnixNano()))
	}
	return base64.RawStdEncoding.EncodeToString(s.aead.Seal(nil, nil, plain, []byte(name)))
}

// open reads a value of the cookie of that name and keeps what is not expired;
// of anything that was not sealed here for that name, it is nil.
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
			place:  token(plain[:16]),
			choice: token(plain[16:32]),
			until:  time.Unix(0, int64(binary.BigEndian.Uint64(plain[32:]))),
		}
		if now.Before(e.until) {
			out = append(out, e)
		}
	}
	return out
}

// remembered reads the first of the cookies that the request has. They are sealed
// under the first name.
func (s *sealer) remembered(r *http1.Request, now time.Time, names ...string) []entry {
	for _, name := range names {
		if value, ok := cookieOf(r, name); ok {
			return s.open(names[0], value, now)
		}
	}
	return nil
}

// at finds what is remembered of the place.
func at(entries []entry, place token) (choice token, ok bool) {
	for _, e := range entries {
		if e.place == place {
			return e.choice, true
		}
	}
	return token{}, false
}

// with is the entries with one changed. The newest is the first; too old ones
// are forgotten.
func with(entries []entry, e entry) []entry {
	out := []entry{e}
	for _, old := range entries {
		if old.place != e.place && len(out) < mostEntries {
			out = append(out, old)
		}
	}
	return out
}

// setCookie adds a line. AWS's have Expires and no Max-Age.
func setCookie(lines []byte, name, value string, now time.Time, more string) []byte {
	lines = append(append(append(append(lines, "Set-Cookie: "...), name...), '='), value...)
	lines = append(
		now.Add(cookieLife).UTC().AppendFormat(append(lines, "; Expires="...), http.TimeFormat),
		"; Path=/"...)
	return append(append(lines, more...), "\r\n"...)
}

// setPair adds the lines of a cookie and of its twin for other sites. On HTTPS
// listeners the twin is Secure, without which browsers refuse SameSite=None.
func setPair(lines []byte, name, twin, value string, now time.Time, https bool) []byte {
	more := "; SameSite=None"
	if https {
		more += "; Secure"
	}
	return setCookie(setCookie(lines, name, value, now, ""), twin, value, now, more)
}
