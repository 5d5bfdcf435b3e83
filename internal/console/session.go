package console

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"sync"
	"time"
)

const (
	cookieName  = "aloft-console"
	linkLife    = 5 * time.Minute
	sessionLife = 12 * time.Hour
	maxSessions = 100 // of links and of sessions, each
)

// digest is the hash of a secret. Only hashes are kept.
type digest [sha256.Size]byte

// sessions are the links that were not used, and the browsers that used one.
type sessions struct {
	now func() time.Time

	mu    sync.Mutex
	links map[digest]time.Time // when they expire
	open  map[digest]session
}

type session struct {
	user    string // "" if it was not known
	expires time.Time
}

func newSessions(now func() time.Time) sessions {
	return sessions{now: now, links: map[digest]time.Time{}, open: map[digest]session{}}
}

func newSecret() (string, error) {
	secret := make([]byte, 32)
	if _, err := rand.Read(secret); err != nil {
		return "", fmt.Errorf("create a secret: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(secret), nil
}

// link returns the token of a new link. The oldest links give way if there are too many.
func (s *sessions) link() (string, error) {
	token, err := newSecret()
	if err != nil {
		return "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	maps.DeleteFunc(s.links, func(_ digest, expires time.Time) bool { return !now.Before(expires) })
	if len(s.links) >= maxSessions {
		clear(s.links)
	}
	s.links[sha256.Sum256([]byte(token))] = now.Add(linkLife)
	return token, nil
}

// use exchanges a link's token for a session of a user. It is false for a token that is not
// valid, or no longer.
func (s *sessions) use(token, user string) (secret string, ok bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now, key := s.now(), digest(sha256.Sum256([]byte(token)))
	expires, known := s.links[key]
	delete(s.links, key)
	if !known || !now.Before(expires) {
		return "", false, nil
	}
	if secret, err = newSecret(); err != nil {
		return "", false, err
	}
	maps.DeleteFunc(s.open, func(_ digest, open session) bool { return !now.Before(open.expires) })
	if len(s.open) >= maxSessions {
		clear(s.open)
	}
	s.open[sha256.Sum256([]byte(secret))] = session{user: user, expires: now.Add(sessionLife)}
	return secret, true, nil
}

// valid reports whether a cookie's secret is that of a session of a user. Cookies belong to a
// host name and not to a port, so a program of another user could obtain one.
func (s *sessions) valid(secret, user string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	open, ok := s.open[sha256.Sum256([]byte(secret))]
	return ok && s.now().Before(open.expires) && open.user == user
}

// user returns who sent a request, or "".
func (c *Console) user(r *http.Request) string {
	if user, known := c.User(r); known {
		return user
	}
	return ""
}

// open serves a link: it makes the browser that has it one that may see the pages.
func (c *Console) open(w http.ResponseWriter, r *http.Request) {
	region := r.URL.Query().Get("region")
	if !validRegion.MatchString(region) {
		c.problem(w, http.StatusBadRequest, "No region", "The link names no region.")
		return
	}
	secret, ok, err := c.sessions.use(r.URL.Query().Get("token"), c.user(r))
	switch {
	case err != nil:
		c.failed(w, err)
	case ok:
		http.SetCookie(w, &http.Cookie{
			Name: cookieName, Value: secret, Path: Path, MaxAge: int(sessionLife.Seconds()),
			HttpOnly: true, SameSite: http.SameSiteStrictMode,
		})
		http.Redirect(w, r, Path+region+"/topology", http.StatusSeeOther)
	case c.isSignedIn(r): // the link was opened again, in the same browser
		http.Redirect(w, r, Path+region+"/topology", http.StatusSeeOther)
	default:
		c.problem(w, http.StatusForbidden, "This link was used",
			"A link opens the console once, within five minutes. For another one, run aloft console.")
	}
}

func (c *Console) isSignedIn(r *http.Request) bool {
	cookie, err := r.Cookie(cookieName)
	return err == nil && c.sessions.valid(cookie.Value, c.user(r))
}

// signedIn passes on the requests of browsers that have used a link.
func (c *Console) signedIn(next http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case !c.isSignedIn(r):
			c.problem(w, http.StatusForbidden, "Not signed in",
				"This browser has no session, or the local cloud was restarted. For a link, run aloft console.")
		case !validRegion.MatchString(r.PathValue("region")):
			c.problem(w, http.StatusNotFound, "No such region", "The address names no region.")
		default:
			next(w, r)
		}
	})
}
