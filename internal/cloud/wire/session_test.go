package wire

import (
	"net/http"
	"testing"
	"time"

	"aloft.dev/aloft/internal/cloud/session"
)

// sessions adds the access key of a session to the endpoint, which needs the token "t".
func sessions(c *Config) {
	known := c.Credentials
	c.Credentials = func(id, token string) (Key, error) {
		if id != "ASIA1" {
			return known(id, token)
		}
		if token != "t" {
			return Key{}, ErrInvalidKey
		}
		return Key{
			Secret: "s", Expires: noon.Add(time.Hour),
			Principal: Principal{ARN: "arn:session", Session: &session.Session{RoleID: "AROA1"}},
		}, nil
	}
}

func TestSessionsAreVerified(t *testing.T) {
	request := func(token, secret string, change func(*http.Request)) *http.Request {
		r := query(describe)
		if token != "" {
			r.Header.Set(tokenHeader, token)
		}
		r = signed(t, r, "ec2", describe, "ASIA1", secret, noon)
		if change != nil {
			change(r)
		}
		return r
	}
	for name, test := range map[string]struct {
		request *http.Request
		any     bool
		status  int
	}{
		"valid":               {request("t", "s", nil), false, 200},
		"no token":            {request("", "s", nil), false, 401},
		"another token":       {request("u", "s", nil), false, 401},
		"another secret":      {request("t", "r", nil), false, 401},
		"any key":             {request("t", "s", nil), true, 200},
		"any key, no token":   {request("", "s", nil), true, 401},
		"any key, not signed": {request("t", "r", nil), true, 401},
		"the token is not signed": {
			request("", "s", func(r *http.Request) { r.Header.Set(tokenHeader, "t") }), false, 400,
		},
		"the token was exchanged": {
			request("u", "s", func(r *http.Request) { r.Header.Set(tokenHeader, "t") }), false, 401,
		},
	} {
		e := newEndpoint(t, atNoon, sessions, func(c *Config) { c.AcceptAnyCredentials = test.any })
		if w := e.send(test.request); w.Code != test.status {
			t.Errorf("%s: got %d %s, want %d", name, w.Code, w.Body, test.status)
		}
		if p := e.ec2.caller.Principal; (p.Session != nil) != (test.status == 200) {
			t.Errorf("%s: principal %+v", name, p)
		}
	}
}

func TestExpiredSessionsAreRefused(t *testing.T) {
	for _, anyKey := range []bool{false, true} {
		later := noon.Add(time.Hour)
		e := newEndpoint(t, sessions, func(c *Config) {
			c.Now, c.AcceptAnyCredentials = func() time.Time { return later }, anyKey
		})
		r := query(describe)
		r.Header.Set(tokenHeader, "t")
		if w := e.send(signed(t, r, "ec2", describe, "ASIA1", "s", later)); w.Code != 400 {
			t.Errorf("any key %v: got %d %s, want 400", anyKey, w.Code, w.Body)
		}
	}
}
