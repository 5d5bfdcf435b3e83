package balancer

import (
	"time"

	"aloft.dev/aloft/internal/cloud/plane/balancer/http1"
)

// choice is where a request goes.
type choice struct {
	to      *member // nil: there is no target
	pool    *pool
	cookies []byte // whole "Set-Cookie: …\r\n" lines to add to the response; nil: none

	app *appChoice // nil: the group does not follow a cookie of the application
}

// appChoice is what has to be known when the target answers.
type appChoice struct {
	sealer *sealer
	stuck  bool // the client belongs to the target already
	kept   []entry
	entry  entry
	now    time.Time
}

// choose decides which target gets the request: first the target group, by
// weight or by the client's cookie, then the target in it. A group without
// targets does not make way for another one (Application Load Balancer guide,
// Forward actions).
func (a *compiledAction) choose(r *http1.Request, now time.Time) choice {
	if a.sealer == nil {
		p := a.pick()
		if p == nil {
			return choice{}
		}
		return choice{to: p.next(now), pool: p}
	}
	return a.chooseSticky(r, now)
}

// pick chooses a pool by weight; nil: all weigh nothing.
func (a *compiledAction) pick() *pool {
	switch {
	case a.total == 0:
		return nil
	case len(a.pools) == 1:
		return a.pools[0]
	}
	roll := a.roll(a.total)
	for i, p := range a.pools {
		if roll < a.weights[i] {
			return p
		}
		roll -= a.weights[i]
	}
	return nil
}

func (a *compiledAction) chooseSticky(r *http1.Request, now time.Time) choice {
	var c choice
	if a.sticky == 0 {
		c.pool = a.pick()
	} else {
		a.chooseGroup(&c, r, now)
	}
	switch {
	case c.pool == nil:
	case c.pool.group.Sticky == nil:
		c.to = c.pool.next(now)
	case c.pool.group.Sticky.Cookie != "":
		a.chooseByApp(&c, r, now)
	default:
		a.chooseByCookie(&c, r, now)
	}
	if c.to == nil { // the answer is the load balancer's own
		c.cookies, c.app = nil, nil
	}
	return c
}

// chooseGroup keeps the client with its target group, also when that has lost
// its weight since, and begins the time anew.
func (a *compiledAction) chooseGroup(c *choice, r *http1.Request, now time.Time) {
	known := a.sealer.remembered(r, now, groupCookie, groupCookieCORS)
	if chosen, ok := at(known, a.place); ok {
		for _, p := range a.pools {
			if p.token == chosen {
				c.pool = p
			}
		}
	}
	if c.pool == nil {
		if c.pool = a.pick(); c.pool == nil {
			return
		}
	}
	known = with(known, entry{a.place, c.pool.token, now.Add(a.sticky)})
	c.cookies = setPair(c.cookies, groupCookie, groupCookieCORS, a.sealer.seal(groupCookie, known), now, a.https)
}

// chooseByCookie keeps the client with its target by the load balancer's own
// cookie.
func (a *compiledAction) chooseByCookie(c *choice, r *http1.Request, now time.Time) {
	p := c.pool
	known := a.sealer.remembered(r, now, targetCookie, targetCookieCORS)
	chosen, _ := at(known, p.token)
	mine := c.settle(chosen, now)
	if c.to == nil {
		return
	}
	known = with(known, entry{p.token, mine, now.Add(p.group.Sticky.For)})
	c.cookies = setPair(c.cookies, targetCookie, targetCookieCORS, a.sealer.seal(targetCookie, known), now, a.https)
}

// chooseByApp keeps the client with its target while it sends the application's
// cookie and the load balancer's. Both come about when the target answers.
func (a *compiledAction) chooseByApp(c *choice, r *http1.Request, now time.Time) {
	p := c.pool
	var chosen token
	app := &appChoice{sealer: a.sealer, now: now, kept: a.sealer.remembered(r, now, appCookie)}
	if _, ok := cookieOf(r, p.group.Sticky.Cookie); ok {
		chosen, app.stuck = at(app.kept, p.token)
	}
	app.entry = entry{p.token, c.settle(chosen, now), now.Add(p.group.Sticky.For)}
	c.app = app
}

// settle goes to the chosen target if it takes requests, else to the next one,
// and returns its token.
func (c *choice) settle(chosen token, now time.Time) token {
	p := c.pool
	_, open := p.eligible()
	for i, m := range p.members {
		if p.tokens[i] == chosen && m.takes(open) {
			c.to = m
			return chosen
		}
	}
	c.to = p.next(now)
	for i, m := range p.members {
		if m == c.to {
			return p.tokens[i]
		}
	}
	return token{}
}

// answered looks at what the target answered and returns further whole
// "Set-Cookie: …\r\n" lines to add to the response; nil: none.
func (c *choice) answered(resp *http1.Response) []byte {
	app := c.app
	if app == nil {
		return nil
	}
	value := removed
	if app.stuck || sets(resp, c.pool.group.Sticky.Cookie) {
		value = app.sealer.seal(appCookie, with(app.kept, app.entry))
	}
	lines := setCookie(nil, appCookie, value, app.now, "")
	for _, name := range appCookieRest {
		lines = setCookie(lines, name, removed, app.now, "")
	}
	return lines
}
