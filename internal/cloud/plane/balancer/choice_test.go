package balancer

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/balancer/http1"
)

// browser keeps cookies as a client does.
type browser map[string]string

func (b browser) request() *http1.Request {
	var pairs []string
	for name, value := range b {
		pairs = append(pairs, name+"="+value)
	}
	return request("GET", "h", "/", "", "Cookie", strings.Join(pairs, "; "))
}

// keep reads Set-Cookie lines.
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

func stickyGroup() *TargetGroup { return &TargetGroup{ARN: "tg", Sticky: &Stickiness{For: time.Hour}} }

func TestAClientStaysWithItsTarget(t *testing.T) {
	p := planOf(&Listener{Action: to("tg")}, fleet(t, stickyGroup(), 5))
	b := browser{}
	c := p.fallback.choose(b.request(), noon)
	first := c.to
	cookies := b.keep(t, c.cookies)
	if len(cookies) != 2 || cookies[0].Name != "AWSALB" || cookies[1].Name != "AWSALBCORS" ||
		cookies[0].Value != cookies[1].Value {
		t.Fatalf("%s", c.cookies)
	}
	if cookies[0].Path != "/" || cookies[0].SameSite == http.SameSiteNoneMode ||
		cookies[1].SameSite != http.SameSiteNoneMode ||
		!cookies[0].Expires.Equal(noon.Add(7*24*time.Hour)) ||
		cookies[0].MaxAge != 0 {
		t.Errorf("%s", c.cookies)
	}
	if c.answered(&http1.Response{}) != nil {
		t.Error("more cookies than those")
	}
	now := noon
	for range 20 { // each request begins the hour anew
		now = now.Add(40 * time.Minute)
		c := p.fallback.choose(b.request(), now)
		if c.to != first {
			t.Fatalf("it went to %s at %v", c.to.target.ID, now)
		}
		b.keep(t, c.cookies)
	}
	delete(b, "AWSALB")
	if c := p.fallback.choose(b.request(), now); c.to != first {
		t.Error("the twin alone does not do")
	}
}

func TestACookieThatIsNotGoodIsIgnored(t *testing.T) {
	b := browser{}
	p := planOf(&Listener{Action: to("tg")}, fleet(t, stickyGroup(), 5))
	c := p.fallback.choose(b.request(), noon)
	b.keep(t, c.cookies)
	good := b["AWSALB"]
	flipped := []byte(good)
	flipped[len(flipped)/2] ^= 1
	other := newPlan(
		&LoadBalancer{CookieKey: "another"},
		&Listener{Action: to("tg")},
		func(string) *pool { return fleet(t, stickyGroup(), 5) },
	)
	foreign := browser{}
	foreign.keep(t, other.fallback.choose(foreign.request(), noon).cookies)
	for _, bad := range []struct {
		name, value string
		at          time.Time
	}{
		{"changed", string(flipped), noon},
		{"cut", good[:20], noon},
		{"of another load balancer", foreign["AWSALB"], noon},
		{"not one", "0|80", noon},
		{"empty", "", noon},
		{"expired", good, noon.Add(time.Hour)},
	} {
		t.Run(bad.name, func(t *testing.T) {
			seen := map[*member]bool{}
			for range 10 {
				c := p.fallback.choose(browser{"AWSALB": bad.value}.request(), bad.at)
				seen[c.to] = true
				fresh := browser{}
				if fresh.keep(t, c.cookies); fresh["AWSALB"] == bad.value {
					t.Error("it is not replaced")
				}
			}
			if len(seen) != 5 {
				t.Errorf("it led to %d targets", len(seen))
			}
		})
	}
	if p.fallback.sealer.open(groupCookie, []byte(good), noon) != nil {
		t.Error("a cookie passes under another name")
	}
}

func TestAClientWhoseTargetIsGoneOrIllGetsANewOne(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*pool, *member) *pool
	}{
		{"ill", func(p *pool, m *member) *pool { m.fall(); return p }},
		{"gone", func(p *pool, m *member) *pool {
			var rest []*member
			for _, other := range p.members {
				if other != m {
					rest = append(rest, other)
				}
			}
			return newPool(p.group, "a", rest, p)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b, pool := browser{}, fleet(t, stickyGroup(), 3)
			first := planOf(&Listener{Action: to("tg")}, pool).fallback.choose(b.request(), noon)
			b.keep(t, first.cookies)
			p := planOf(&Listener{Action: to("tg")}, c.change(pool, first.to))
			second := p.fallback.choose(b.request(), noon)
			if second.to == nil || second.to == first.to {
				t.Fatalf("%+v", second.to)
			}
			b.keep(t, second.cookies)
			first.to.rise()
			for range 5 {
				if again := p.fallback.choose(b.request(), noon); again.to != second.to {
					t.Error("it does not stay with the new one")
				}
			}
		})
	}
	b, pool := browser{}, fleet(t, stickyGroup(), 2)
	p := planOf(&Listener{Action: to("tg")}, pool)
	first := p.fallback.choose(b.request(), noon)
	b.keep(t, first.cookies)
	for _, m := range pool.members {
		m.fall()
	}
	for range 4 {
		if c := p.fallback.choose(b.request(), noon); c.to != first.to {
			t.Error("when the pool is open, the client does not stay")
		}
	}
	empty := planOf(
		&Listener{Action: to("tg")},
		newPool(stickyGroup(), "a", nil, nil),
	).fallback.choose(
		b.request(),
		noon,
	)
	if empty.to != nil || empty.cookies != nil {
		t.Errorf("%+v", empty)
	}
}

func TestOneCookieServesSeveralTargetGroups(t *testing.T) {
	var pools []*pool
	var rules []Rule
	for i := range 3 {
		arn := fmt.Sprint("tg-", i)
		pools = append(pools, newPool(&TargetGroup{ARN: arn, Sticky: &Stickiness{For: time.Hour}}, "a", crowd(4), nil))
		rules = append(
			rules,
			Rule{
				Priority:   i + 1,
				Conditions: []Condition{{Field: "path-pattern", Values: []string{fmt.Sprint("/", i)}}},
				Action:     to(arn),
			},
		)
	}
	p := planOf(&Listener{Rules: rules}, pools...)
	b, first := browser{}, map[int]*member{}
	for i := range 12 {
		r := b.request()
		r.Path = fmt.Append(nil, "/", i%3)
		c := p.action(r, somewhere).choose(r, noon)
		b.keep(t, c.cookies)
		if before := first[i%3]; before != nil && before != c.to {
			t.Errorf("group %d forgot", i%3)
		}
		first[i%3] = c.to
	}
}

func TestAClientStaysWithItsTargetGroup(t *testing.T) {
	one, two := newPool(
		&TargetGroup{ARN: "one"},
		"a",
		crowd(2),
		nil,
	), newPool(
		&TargetGroup{ARN: "two", Sticky: &Stickiness{For: time.Hour}},
		"a",
		crowd(2),
		nil,
	)
	action := to("one", "two")
	action.Sticky = time.Minute
	p := planOf(&Listener{ARN: "l", Action: action}, one, two)
	for _, roll := range []int{0, 1} {
		p.fallback.roll = func(int) int { return roll }
		b := browser{}
		c := p.fallback.choose(b.request(), noon)
		names := ""
		for _, cookie := range b.keep(t, c.cookies) {
			names += cookie.Name + " "
		}
		if want := []string{"AWSALBTG AWSALBTGCORS ", "AWSALBTG AWSALBTGCORS AWSALB AWSALBCORS "}[roll]; names != want {
			t.Errorf("cookies %s", names)
		}
		p.fallback.roll = func(int) int { return 1 - roll }
		if again := p.fallback.choose(b.request(), noon.Add(59*time.Second)); again.pool != c.pool {
			t.Error("it went to the other group")
		}
		if later := p.fallback.choose(b.request(), noon.Add(time.Minute)); later.pool == c.pool {
			t.Error("it stayed too long")
		}
		weightless := action
		weightless.Forward = []Share{{"one", 0}, {"two", 0}}
		if drained := planOf(&Listener{ARN: "l", Action: weightless}, one, two).fallback.choose(b.request(), noon); drained.pool != c.pool {
			t.Error("a group without weight lost its clients")
		}
		elsewhere := planOf(&Listener{ARN: "other", Action: action}, one, two)
		elsewhere.fallback.roll = func(int) int { return 1 - roll }
		if elsewhere.fallback.choose(b.request(), noon).pool == c.pool {
			t.Error("the cookie counts for another listener")
		}
	}
}

func TestAClientStaysWithTheTargetThatSetTheApplicationsCookie(t *testing.T) {
	group := &TargetGroup{ARN: "tg", Sticky: &Stickiness{Cookie: "SESSION", For: time.Hour}}
	pool := fleet(t, group, 4)
	p := planOf(&Listener{Action: to("tg")}, pool)
	setting := &http1.Response{
		Fields: []http1.Field{{Name: []byte("set-cookie"), Value: []byte("SESSION=s1; HttpOnly")}},
	}
	plain := &http1.Response{Fields: []http1.Field{{Name: []byte("Set-Cookie"), Value: []byte("session=other")}}}

	b := browser{}
	c := p.fallback.choose(b.request(), noon)
	if c.cookies != nil {
		t.Errorf("before the target's answer: %s", c.cookies)
	}
	for _, cookie := range b.keep(t, c.answered(plain)) {
		if cookie.Value != "_remove_" || !strings.HasPrefix(cookie.Name, "AWSALBAPP-") {
			t.Errorf("%+v", cookie)
		}
	}
	if len(b) != 4 {
		t.Errorf("%v", b)
	}
	c = p.fallback.choose(b.request(), noon)
	first := c.to
	b.keep(t, c.answered(setting))
	if b["AWSALBAPP-0"] == "_remove_" || b["AWSALBAPP-1"] != "_remove_" {
		t.Fatalf("%v", b)
	}
	if other := p.fallback.choose(b.request(), noon); other.to == first {
		t.Error("the application's cookie is missing, yet it stays")
	}
	b["SESSION"] = "s1"
	now := noon
	for range 6 {
		now = now.Add(50 * time.Minute)
		c = p.fallback.choose(b.request(), now)
		if c.to != first {
			t.Fatal("it does not stay")
		}
		b.keep(t, c.answered(plain))
	}
	first.fall()
	c = p.fallback.choose(b.request(), now)
	second := c.to
	b.keep(t, c.answered(plain))
	first.rise()
	if c = p.fallback.choose(b.request(), now); second == first || c.to != second {
		t.Error("it does not stay with the new one")
	}
	b["AWSALBAPP-0"] = "forged"
	c = p.fallback.choose(b.request(), now)
	if b.keep(t, c.answered(plain)); b["AWSALBAPP-0"] != "_remove_" {
		t.Error("a forged cookie is honoured")
	}
}
