//go:build linux

package route

import (
	"time"

	"aloft.dev/aloft/internal/cloud/plane/balancer/http1"
)

// Choice is where a request goes.
type Choice struct {
	Member  *Member // nil: no target can serve the request
	pool    *Pool
	Cookies []byte // "Set-Cookie: …\r\n" lines for the response; nil: none

	app *appCookieState // nil: the group does not follow an application's cookie
}

// Choose chooses the target of a request: first the target group, by weight or by
// the client's cookie, then the target in it. A group without targets does not give
// its requests to another group (Application Load Balancer guide, Forward actions).
func (a *Action) Choose(r *http1.Request, now time.Time) Choice {
	if a.sealer == nil {
		p := a.pickPool()
		if p == nil {
			return Choice{}
		}
		return Choice{Member: p.next(now), pool: p}
	}
	return a.chooseSticky(r, now)
}

// pickPool chooses a pool at random by weight. It returns nil if no pool has weight.
func (a *Action) pickPool() *Pool {
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
