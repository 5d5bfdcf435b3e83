//go:build linux

package route

import (
	"time"

	"aloft.dev/aloft/internal/cloud/plane/balancer/http1"
)

// appCookieState is the state that ResponseCookies needs if the target group's
// stickiness follows a cookie of the application.
type appCookieState struct {
	sealer *sealer
	stuck  bool    // the client already belongs to the target
	kept   []entry // of the request's cookie
	entry  entry   // for this target group
	now    time.Time
}

func (a *Action) chooseSticky(r *http1.Request, now time.Time) Choice {
	var c Choice
	if a.sticky == 0 {
		c.pool = a.pickPool()
	} else {
		a.chooseStickyPool(&c, r, now)
	}
	switch {
	case c.pool == nil:
	case c.pool.group.Sticky == nil:
		c.Member = c.pool.next(now)
	case c.pool.group.Sticky.Cookie != "":
		a.chooseByAppCookie(&c, r, now)
	default:
		a.chooseByOwnCookie(&c, r, now)
	}
	if c.Member == nil { // the response will be the load balancer's own
		c.Cookies, c.app = nil, nil
	}
	return c
}

// chooseStickyPool keeps the client with its target group, even if the group has
// since lost its weight, and restarts the duration.
func (a *Action) chooseStickyPool(c *Choice, r *http1.Request, now time.Time) {
	entries := a.sealer.read(r, now, groupCookie, groupCookieCORS)
	if chosen, ok := find(entries, a.token); ok {
		for _, p := range a.pools {
			if p.token == chosen {
				c.pool = p
			}
		}
	}
	if c.pool == nil {
		if c.pool = a.pickPool(); c.pool == nil {
			return
		}
	}
	entries = replace(entries, entry{a.token, c.pool.token, now.Add(a.sticky)})
	value := a.sealer.seal(groupCookie, entries)
	c.Cookies = appendCookiePair(c.Cookies, groupCookie, groupCookieCORS, value, now, a.https)
}

// chooseByOwnCookie keeps the client with its target by the load balancer's own cookie.
func (a *Action) chooseByOwnCookie(c *Choice, r *http1.Request, now time.Time) {
	p := c.pool
	entries := a.sealer.read(r, now, targetCookie, targetCookieCORS)
	chosen, _ := find(entries, p.token)
	member := c.stayOrMove(chosen, now)
	if c.Member == nil {
		return
	}
	entries = replace(entries, entry{p.token, member, now.Add(p.group.Sticky.For)})
	value := a.sealer.seal(targetCookie, entries)
	c.Cookies = appendCookiePair(c.Cookies, targetCookie, targetCookieCORS, value, now, a.https)
}

// chooseByAppCookie keeps the client with its target while it sends both the
// application's cookie and the load balancer's. The response sets both.
func (a *Action) chooseByAppCookie(c *Choice, r *http1.Request, now time.Time) {
	p := c.pool
	var chosen token
	app := &appCookieState{sealer: a.sealer, now: now, kept: a.sealer.read(r, now, appCookie)}
	if _, ok := requestCookie(r, p.group.Sticky.Cookie); ok {
		chosen, app.stuck = find(app.kept, p.token)
	}
	app.entry = entry{p.token, c.stayOrMove(chosen, now), now.Add(p.group.Sticky.For)}
	c.app = app
}

// stayOrMove chooses the member with that token if it receives requests, or else the
// next one. It returns the token of its choice.
func (c *Choice) stayOrMove(chosen token, now time.Time) token {
	p := c.pool
	_, open := p.eligible()
	for i, m := range p.members {
		if p.tokens[i] == chosen && m.eligible(open) {
			c.Member = m
			return chosen
		}
	}
	c.Member = p.next(now)
	for i, m := range p.members {
		if m == c.Member {
			return p.tokens[i]
		}
	}
	return token{}
}

// ResponseCookies returns further "Set-Cookie: …\r\n" lines that depend on the
// target's response; nil: none.
func (c *Choice) ResponseCookies(resp *http1.Response) []byte {
	app := c.app
	if app == nil {
		return nil
	}
	value := removed
	if app.stuck || setsCookie(resp, c.pool.group.Sticky.Cookie) {
		value = app.sealer.seal(appCookie, replace(app.kept, app.entry))
	}
	lines := appendCookie(nil, appCookie, value, app.now, "")
	for _, name := range appCookieRest {
		lines = appendCookie(lines, name, removed, app.now, "")
	}
	return lines
}
