//go:build linux

package route

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/plane/balancer/health"
	"aloft.dev/aloft/internal/cloud/plane/balancer/http1"
)

// browser keeps cookies by name as a client does.
type browser map[string]string

func (b browser) request() *http1.Request {
	var pairs []string
	for name, value := range b {
		pairs = append(pairs, name+"="+value)
	}
	return request("GET", "h", "/", "", "Cookie", strings.Join(pairs, "; "))
}

// keep stores the cookies in Set-Cookie lines.
func (b browser) keep(t *testing.T, lines []byte) []*http.Cookie {
	t.Helper()
	var all []*http.Cookie
	for line := range strings.SplitSeq(string(lines), "\r\n") {
		if line == "" {
			continue
		}
		value, ok := strings.CutPrefix(line, "Set-Cookie: ")
		c, err := http.ParseSetCookie(value)
		if !ok || err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		b[c.Name] = c.Value
		all = append(all, c)
	}
	return all
}

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func stickyGroup(arn string) *balancer.TargetGroup {
	return &balancer.TargetGroup{ARN: arn, Sticky: &balancer.Stickiness{For: time.Hour}}
}

func TestClientStaysWithItsTarget(t *testing.T) {
	a := forwardTo(poolOf(stickyGroup("tg"), 5))
	b := browser{}
	c := a.Choose(b.request(), noon)
	first := c.Member
	cookies := b.keep(t, c.Cookies)
	if len(cookies) != 2 || cookies[0].Name != "AWSALB" || cookies[1].Name != "AWSALBCORS" ||
		cookies[0].Value != cookies[1].Value {
		t.Fatalf("%s", c.Cookies)
	}
	if cookies[0].Path != "/" || cookies[0].MaxAge != 0 || !cookies[0].Expires.Equal(noon.Add(7*24*time.Hour)) ||
		cookies[0].SameSite == http.SameSiteNoneMode || cookies[1].SameSite != http.SameSiteNoneMode {
		t.Errorf("%s", c.Cookies)
	}
	if c.ResponseCookies(&http1.Response{}) != nil {
		t.Error("the response adds cookies")
	}
	now := noon
	for range 20 { // each request restarts the hour
		now = now.Add(40 * time.Minute)
		c := a.Choose(b.request(), now)
		if c.Member != first {
			t.Fatalf("it moved to target %s at %v", c.Member.Target.ID, now)
		}
		b.keep(t, c.Cookies)
	}
	delete(b, "AWSALB")
	if c := a.Choose(b.request(), now); c.Member != first {
		t.Error("AWSALBCORS alone does not suffice")
	}
}

func TestInvalidCookiesAreIgnored(t *testing.T) {
	b := browser{}
	a := forwardTo(poolOf(stickyGroup("tg"), 5))
	b.keep(t, a.Choose(b.request(), noon).Cookies)
	good := b["AWSALB"]
	flipped := []byte(good)
	flipped[len(flipped)/2] ^= 1
	other := Compile(
		&balancer.LoadBalancer{CookieKey: "another"},
		&balancer.Listener{Action: forward("tg")},
		func(string) *Pool { return poolOf(stickyGroup("tg"), 5) },
	)
	foreign := browser{}
	foreign.keep(t, other.fallback.Choose(foreign.request(), noon).Cookies)
	for _, bad := range []struct {
		name, value string
		at          time.Time
	}{
		{"changed", string(flipped), noon},
		{"truncated", good[:20], noon},
		{"of another load balancer", foreign["AWSALB"], noon},
		{"not sealed", "0|80", noon},
		{"empty", "", noon},
		{"expired", good, noon.Add(time.Hour)},
	} {
		t.Run(bad.name, func(t *testing.T) {
			seen := map[*Member]bool{}
			for range 10 {
				c := a.Choose(browser{"AWSALB": bad.value}.request(), bad.at)
				seen[c.Member] = true
				fresh := browser{}
				if fresh.keep(t, c.Cookies); fresh["AWSALB"] == bad.value {
					t.Error("the cookie is not replaced")
				}
			}
			if len(seen) != 5 {
				t.Errorf("it led to %d of 5 targets", len(seen))
			}
		})
	}
	if a.sealer.open(groupCookie, []byte(good), noon) != nil {
		t.Error("a cookie is valid under another name")
	}
}

func TestClientOfAMissingTargetMovesAndStays(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Pool, *Member) *Pool
	}{
		{"unhealthy", func(p *Pool, m *Member) *Pool { setHealth(m, unhealthy); return p }},
		{"deregistered", func(p *Pool, m *Member) *Pool {
			var rest []*Member
			for _, other := range p.members {
				if other != m {
					rest = append(rest, other)
				}
			}
			return NewPool(p.group, "a", rest, p)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b, pool := browser{}, poolOf(stickyGroup("tg"), 3)
			first := forwardTo(pool).Choose(b.request(), noon)
			b.keep(t, first.Cookies)
			a := forwardTo(c.change(pool, first.Member))
			second := a.Choose(b.request(), noon)
			if second.Member == nil || second.Member == first.Member {
				t.Fatalf("it moved to %+v", second.Member)
			}
			b.keep(t, second.Cookies)
			setHealth(first.Member, health.Healthy)
			for range 5 {
				if again := a.Choose(b.request(), noon); again.Member != second.Member {
					t.Error("it does not stay with its new target")
				}
			}
		})
	}
}

func TestClientStaysWhenThePoolFailsOpen(t *testing.T) {
	b, pool := browser{}, poolOf(stickyGroup("tg"), 2)
	a := forwardTo(pool)
	first := a.Choose(b.request(), noon)
	b.keep(t, first.Cookies)
	for _, m := range pool.members {
		setHealth(m, unhealthy)
	}
	for range 4 {
		if c := a.Choose(b.request(), noon); c.Member != first.Member {
			t.Error("it does not stay")
		}
	}
	empty := forwardTo(poolOf(stickyGroup("tg"), 0)).Choose(b.request(), noon)
	if empty.Member != nil || empty.Cookies != nil {
		t.Errorf("without targets: %+v", empty)
	}
}

func TestOneCookieServesSeveralTargetGroups(t *testing.T) {
	var pools []*Pool
	var rules []balancer.Rule
	for i := range 3 {
		arn := fmt.Sprint("tg-", i)
		pools = append(pools, poolOf(stickyGroup(arn), 4))
		path := balancer.Condition{Field: "path-pattern", Values: []string{fmt.Sprint("/", i)}}
		rule := balancer.Rule{Priority: i + 1, Conditions: []balancer.Condition{path}, Action: forward(arn)}
		rules = append(rules, rule)
	}
	compiled := rulesOf(&balancer.Listener{Rules: rules}, pools...)
	b, first := browser{}, map[int]*Member{}
	for i := range 12 {
		r := b.request()
		r.Path = fmt.Append(nil, "/", i%3)
		c := compiled.Action(r, clientAddr).Choose(r, noon)
		b.keep(t, c.Cookies)
		if before := first[i%3]; before != nil && before != c.Member {
			t.Errorf("the cookie forgot group %d", i%3)
		}
		first[i%3] = c.Member
	}
}

func TestClientStaysWithItsTargetGroup(t *testing.T) {
	one, two := poolOf(&balancer.TargetGroup{ARN: "one"}, 2), poolOf(stickyGroup("two"), 2)
	action := forward("one", "two")
	action.Sticky = time.Minute
	a := rulesOf(&balancer.Listener{ARN: "l", Action: action}, one, two).fallback
	for _, roll := range []int{0, 1} {
		a.roll = func(int) int { return roll }
		b := browser{}
		c := a.Choose(b.request(), noon)
		names := ""
		for _, cookie := range b.keep(t, c.Cookies) {
			names += cookie.Name + " "
		}
		if want := []string{"AWSALBTG AWSALBTGCORS ", "AWSALBTG AWSALBTGCORS AWSALB AWSALBCORS "}[roll]; names != want {
			t.Errorf("cookies %s", names)
		}
		a.roll = func(int) int { return 1 - roll }
		if again := a.Choose(b.request(), noon.Add(59*time.Second)); again.pool != c.pool {
			t.Error("it moved to the other group")
		}
		if later := a.Choose(b.request(), noon.Add(time.Minute)); later.pool == c.pool {
			t.Error("it stayed too long")
		}
		weightless := action
		weightless.Forward = []balancer.Share{{TargetGroup: "one"}, {TargetGroup: "two"}}
		drained := rulesOf(&balancer.Listener{ARN: "l", Action: weightless}, one, two).fallback
		if drained.Choose(b.request(), noon).pool != c.pool {
			t.Error("a group without weight lost its clients")
		}
		other := rulesOf(&balancer.Listener{ARN: "other", Action: action}, one, two).fallback
		other.roll = a.roll
		if other.Choose(b.request(), noon).pool == c.pool {
			t.Error("the cookie counts for another listener")
		}
	}
}

func TestClientStaysWithTheTargetThatSetTheApplicationsCookie(t *testing.T) {
	sticky := &balancer.Stickiness{Cookie: "SESSION", For: time.Hour}
	a := forwardTo(poolOf(&balancer.TargetGroup{ARN: "tg", Sticky: sticky}, 4))
	setCookie := func(name, value string) *http1.Response {
		return &http1.Response{Fields: []http1.Field{{Name: []byte(name), Value: []byte(value)}}}
	}
	setting, plain := setCookie("set-cookie", "SESSION=s1; HttpOnly"), setCookie("Set-Cookie", "session=other")

	b := browser{}
	c := a.Choose(b.request(), noon)
	if c.Cookies != nil {
		t.Errorf("before the target's response: %s", c.Cookies)
	}
	for _, cookie := range b.keep(t, c.ResponseCookies(plain)) {
		if cookie.Value != "_remove_" || !strings.HasPrefix(cookie.Name, "AWSALBAPP-") {
			t.Errorf("%+v", cookie)
		}
	}
	if len(b) != 4 {
		t.Errorf("%v", b)
	}
	c = a.Choose(b.request(), noon)
	first := c.Member
	b.keep(t, c.ResponseCookies(setting))
	if b["AWSALBAPP-0"] == "_remove_" || b["AWSALBAPP-1"] != "_remove_" {
		t.Fatalf("%v", b)
	}
	if other := a.Choose(b.request(), noon); other.Member == first {
		t.Error("it stays without the application's cookie")
	}
	b["SESSION"] = "s1"
	now := noon
	for range 6 {
		now = now.Add(50 * time.Minute)
		c = a.Choose(b.request(), now)
		if c.Member != first {
			t.Fatal("it does not stay")
		}
		b.keep(t, c.ResponseCookies(plain))
	}
	setHealth(first, unhealthy)
	c = a.Choose(b.request(), now)
	second := c.Member
	b.keep(t, c.ResponseCookies(plain))
	setHealth(first, health.Healthy)
	if c = a.Choose(b.request(), now); second == first || c.Member != second {
		t.Error("it does not stay with its new target")
	}
	b["AWSALBAPP-0"] = "forged"
	c = a.Choose(b.request(), now)
	if b.keep(t, c.ResponseCookies(plain)); b["AWSALBAPP-0"] != "_remove_" {
		t.Error("a forged cookie counts")
	}
}
