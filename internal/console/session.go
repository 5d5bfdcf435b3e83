package console

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"strings"
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
	links map[digest]link
	open  map[digest]session
}

type link struct {
	actor   *Actor // whose link it is; nil: nobody's
	expires time.Time
}

type session struct {
	user    string // "" if it was not known
	actor   *Actor // whose pages it may use; nil: nobody's
	expires time.Time
}

func newSessions(now func() time.Time) sessions {
	return sessions{now: now, links: map[digest]link{}, open: map[digest]session{}}
}

func newSecret() (string, error) {
	secret := make([]byte, 32)
	if _, err := rand.Read(secret); err != nil {
		return "", fmt.Errorf("create a secret: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(secret), nil
}

// link returns the token of a new link. The other links give way if there are too many.
func (s *sessions) link(actor *Actor) (string, error) {
	token, err := newSecret()
	if err != nil {
		return "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	maps.DeleteFunc(s.links, func(_ digest, l link) bool { return !now.Before(l.expires) })
	if len(s.links) >= maxSessions {
		clear(s.links)
	}
	s.links[sha256.Sum256([]byte(token))] = link{actor, now.Add(linkLife)}
	return token, nil
}

// use exchanges a link's token for a session of a user. It is false for a token that is not
// valid, or no longer.
func (s *sessions) use(token, user string) (secret string, ok bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now, key := s.now(), digest(sha256.Sum256([]byte(token)))
	used, known := s.links[key]
	delete(s.links, key)
	if !known || !now.Before(used.expires) {
		return "", false, nil
	}
	if secret, err = newSecret(); err != nil {
		return "", false, err
	}
	maps.DeleteFunc(s.open, func(_ digest, open session) bool { return !now.Before(open.expires) })
	if len(s.open) >= maxSessions {
		clear(s.open)
	}
	s.open[sha256.Sum256([]byte(secret))] = session{user: user, actor: used.actor, expires: now.Add(sessionLife)}
	return secret, true, nil
}

// find returns the session of a user by its cookie's secret. Cookies belong to a host name and
// not to a port, so a program of another user could obtain one.
func (s *sessions) find(secret, user string) (found session, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, ok = s.open[sha256.Sum256([]byte(secret))]
	return found, ok && s.now().Before(found.expires) && found.user == user
}

// formToken returns the token of a session's forms. Who can read a page has it, and who can only
// send requests has not.
func formToken(secret string) string {
	sum := sha256.Sum256([]byte("form " + secret))
	return base64.RawURLEncoding.EncodeToString(sum[:])
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
		c.problem(w, r, http.StatusBadRequest, "No region", "The link names no region.")
		return
	}
	secret, ok, err := c.sessions.use(r.URL.Query().Get("token"), c.user(r))
	switch {
	case err != nil:
		c.failed(w, r, err)
	case ok:
		http.SetCookie(w, &http.Cookie{
			Name: c.cookieName(r), Value: secret, Path: Path, MaxAge: int(sessionLife.Seconds()),
			HttpOnly: true, SameSite: http.SameSiteStrictMode,
		})
		http.Redirect(w, r, Path+region+"/topology", http.StatusSeeOther)
	case c.isSignedIn(r): // the link was opened again, in the same browser
		http.Redirect(w, r, Path+region+"/topology", http.StatusSeeOther)
	default:
		c.problem(w, r, http.StatusForbidden, "This link was used",
			"A link opens the console once, within five minutes. For another one, run aloft console.")
	}
}

// cookieName returns the name of the cookie at a request's port. Browsers send the cookies of
// one port to all.
func (c *Console) cookieName(r *http.Request) string {
	_, port, _ := net.SplitHostPort(r.Host) // without one: HTTP's
	return cookieName + "-" + port
}

// session returns the session of a request's browser, and its secret.
func (c *Console) session(r *http.Request) (found session, secret string, ok bool) {
	cookie, err := r.Cookie(c.cookieName(r))
	if err != nil {
		return session{}, "", false
	}
	found, ok = c.sessions.find(cookie.Value, c.user(r))
	return found, cookie.Value, ok
}

func (c *Console) isSignedIn(r *http.Request) bool {
	_, _, ok := c.session(r)
	return ok
}

// maxFormBytes is the size of the longest form.
const maxFormBytes = 1 << 16

// signedIn passes on the requests of browsers that have used a link.
func (c *Console) signedIn(w http.ResponseWriter, r *http.Request) {
	region, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, Path), "/")
	r.SetPathValue("region", region)
	s, secret, ok := c.session(r)
	switch {
	case !ok:
		r.SetPathValue("region", "")
		c.problem(w, r, http.StatusForbidden, "Not signed in",
			"This browser has no session, or what served the pages was restarted. For a link, run aloft console.")
		return
	case !validRegion.MatchString(region):
		c.problem(w, r, http.StatusNotFound, "No such region", "The address names no region.")
		return
	}
	token := formToken(secret)
	r.Header.Set(tokenHeader, token)
	if r.Method == http.MethodPost {
		r.Body = http.MaxBytesReader(w, r.Body, maxFormBytes)
		if err := r.ParseForm(); err != nil ||
			subtle.ConstantTimeCompare([]byte(r.PostForm.Get(tokenField)), []byte(token)) != 1 {
			c.problem(w, r, http.StatusForbidden, "Not asked for by a page",
				"The form is not one of this session's pages. Open the page again.")
			return
		}
		form := r.PostForm.Encode() // for the actor
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(form)), int64(len(form))
	}
	if s.actor != nil && isActed(r.URL.Path) && (!s.actor.isGone() || r.Method == http.MethodPost) {
		c.pass(w, r, s.actor)
		return
	}
	c.Pages.ServeHTTP(w, r)
}
