//go:build linux

package route

import (
	"fmt"
	"net/netip"
	"testing"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
)

func TestConditionsAreMetAsOnAWS(t *testing.T) {
	values := func(field string, v ...string) balancer.Condition {
		return balancer.Condition{Field: field, Values: v}
	}
	regex := func(field string, v ...string) balancer.Condition {
		return balancer.Condition{Field: field, Regexes: v}
	}
	header := func(name string, v ...string) balancer.Condition {
		return balancer.Condition{Field: "http-header", Header: name, Values: v}
	}
	query := func(pairs ...string) balancer.Condition { // keys and values in turn
		c := balancer.Condition{Field: "query-string"}
		for i := 0; i < len(pairs); i += 2 {
			c.Pairs = append(c.Pairs, balancer.Pair{Key: pairs[i], Value: pairs[i+1]})
		}
		return c
	}
	get := request("GET", "Test.Example.com:8080", "/Img/a.jpg", "Version=V1&x=an+Example&flag&a=b=c",
		"User-Agent", "Mozilla Chrome/1", "X-Tag", "one", "x-tag", "two")
	for i, c := range []struct {
		condition balancer.Condition
		want      bool
	}{
		{values("host-header", "*.example.com"), true},
		{values("host-header", "test.EXAMPLE.com"), true},
		{values("host-header", "example.com"), false},
		{values("host-header", "example.org", "t?st.example.com"), true},
		{regex("host-header", `^Test\.`), true},
		{regex("host-header", `\.com$`), true},
		{regex("host-header", `^Test\.Example\.com:8080$`), true},
		{regex("host-header", `^test`), false},
		{values("path-pattern", "/Img/*"), true},
		{values("path-pattern", "/img/*"), false},
		{regex("path-pattern", `^/[A-Z][a-z]+/a\.(jpg|png)$`), true},
		{regex("path-pattern", `mg/a`), true},
		{header("user-agent", "*chrome*", "*Safari*"), true},
		{header("User-Agent", "chrome"), false},
		{header("X-Tag", "TWO"), true},
		{header("X-Other", "*"), false},
		{values("http-request-method", "POST", "GET"), true},
		{values("http-request-method", "get"), false},
		{query("version", "v1"), true},
		{query("VERSION", "v?"), true},
		{query("version", "v2"), false},
		{query("", "*example*"), true},
		{query("x", "*example"), true},
		{query("", "flag"), true},
		{query("flag", ""), true},
		{query("a", "b=c"), true},
		{query("x", "v1"), false},
		{query("y", "*", "*", "v1"), true},
		{values("source-ip", "198.51.100.0/24", "192.0.2.0/24"), true},
		{values("source-ip", "2001:db8::/32"), false},
		{values("source-ip", "192.0.2.9/32"), true},
		{values("unknown", "*"), false},
	} {
		t.Run(fmt.Sprintf("%d %+v", i, c.condition), func(t *testing.T) {
			if got := compileCondition(c.condition).met(get, clientAddr); got != c.want {
				t.Errorf("met: %v", got)
			}
		})
	}
	mapped := netip.MustParseAddr("::ffff:192.0.2.9")
	if !compileCondition(values("source-ip", "192.0.2.0/24")).met(get, mapped) {
		t.Error("an IPv4-mapped IPv6 address does not match")
	}
	if string(withoutPort([]byte("[2001:db8::1]"))) != "[2001:db8::1]" ||
		string(withoutPort([]byte("[2001:db8::1]:80"))) != "[2001:db8::1]" {
		t.Error("an IPv6 host loses its end")
	}
}
