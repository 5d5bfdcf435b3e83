//go:build linux

package engine

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/plane/balancer/balancertest"
)

const loadBalancerARN = "arn:aws:elasticloadbalancing:eu-west-1:000000000000:loadbalancer/app/web/0123456789abcdef"

// variable are the parts of an entry that differ from run to run.
var variable = []struct {
	what *regexp.Regexp
	as   string
}{
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z`), "TIME"},
	{regexp.MustCompile(`127\.0\.0\.1:\d+`), "ADDRESS"},
	{regexp.MustCompile(`\b\d\.\d{3}\b`), "SECONDS"},
	{regexp.MustCompile(`1-[0-9a-f]{8}-[0-9a-f]{24}`), "ID"},
	{regexp.MustCompile(`TID_[0-9a-f]{32}`), "TID"},
}

func masked(line string, port uint16) string {
	for _, v := range variable {
		line = v.what.ReplaceAllString(line, v.as)
	}
	return strings.ReplaceAll(line, fmt.Sprint(":", port), ":PORT")
}

// toHTTPS is an action that redirects to HTTPS.
var toHTTPS = balancer.Action{Redirect: &balancer.Redirect{
	Protocol: "HTTPS", Host: "#{host}", Port: "443", Path: "/#{path}", Query: "#{query}", Code: 301,
}}

func TestAccessLogHasAWSsEntries(t *testing.T) {
	dir := t.TempDir()
	e, port := newEngine(t), balancertest.FreePort(t)
	conf := balancertest.OneGroup(port, 1, targetByPath(t))
	lb := &conf.LoadBalancers[0]
	lb.ARN, lb.LogDir, lb.Desync = loadBalancerARN, dir, "defensive"
	lb.Listeners[0].Rules = []balancer.Rule{
		balancertest.OnPath(7, "/fixed", balancertest.Fixed(503, "later")),
		balancertest.OnPath(8, "/moved", toHTTPS),
	}
	e.Set(conf)
	waitHealthy(t, e)
	const example = "\r\nHost: example.com\r\nUser-Agent: say \"hi\"\r\n" +
		"X-Amzn-Trace-Id: Root=1-67891233-abcdef012345678912345678\r\nConnection: close\r\n\r\n"
	for _, text := range []string{
		"GET /200?a=\"b\" HTTP/1.1" + example,
		"POST /404 HTTP/1.1\r\nHost: example.com:8080\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc",
		"GET /fixed HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
		"GET /moved?x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
		"GET /drop HTTP/1.0\r\n\r\n",
		"GET /200 HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
		"nonsense\r\n\r\n",
	} {
		send(t, port, text)
	}
	e.Close() // writes the rest of the log
	names, lines := balancertest.AccessLogs(t, dir)
	for i := range lines {
		lines[i] = masked(lines[i], port)
	}
	slices.Sort(lines)
	// Parts that several entries share.
	const (
		client    = `http TIME app/web/0123456789abcdef ADDRESS `
		answered  = client + `ADDRESS SECONDS SECONDS SECONDS `
		noTarget  = client + `- -1 -1 -1 `
		forwarded = `"-" "-" 0 TIME "forward" "-" "-" "ADDRESS" `
		tail      = `"-" "-" TID "-" "-" "-"`
	)
	want := []string{
		noTarget + `301 - 53 323 "GET http://h:PORT/moved?x HTTP/1.1" "-" - - - "Root=ID" "-" "-" ` +
			`8 TIME "redirect" "https://h:443/moved?x" "-" "-" "-" ` + tail,
		noTarget + `400 - 12 272 "- http://web-1.us-east-1.elb.localhost:PORT- -" "-" - - - "-" "-" "-" ` +
			`- TIME "-" "-" "-" "-" "-" ` + tail,
		noTarget + `503 - 51 189 "GET http://h:PORT/fixed HTTP/1.1" "-" - - - "Root=ID" "-" "-" ` +
			`7 TIME "fixed-response" "-" "-" "-" "-" ` + tail,
		client + `ADDRESS SECONDS -1 -1 502 - 22 272 "GET http://web-1.us-east-1.elb.localhost:PORT/drop HTTP/1.0" ` +
			`"-" - - arn:tg "Root=ID" ` + forwarded + `"-" ` + tail,
		answered + `200 200 68 97 "GET http://h:PORT/200 HTTP/1.1" "-" - - arn:tg "Root=ID" ` + forwarded +
			`"200" "Acceptable" "GetHeadZeroContentLength" TID "-" "-" "-"`,
		answered + `200 200 146 97 "GET http://example.com:PORT/200?a=\x22b\x22 HTTP/1.1" "say \x22hi\x22" - - ` +
			`arn:tg "Self=ID;Root=ID" ` + forwarded + `"200" ` + tail,
		answered + `404 404 87 97 "POST http://example.com:8080/404 HTTP/1.1" "-" - - arn:tg "Root=ID" ` + forwarded +
			`"404" ` + tail,
	}
	slices.Sort(want)
	if !slices.Equal(lines, want) {
		t.Errorf("the log has\n%s\nnot\n%s", strings.Join(lines, "\n"), strings.Join(want, "\n"))
	}
	form := regexp.MustCompile(`^AWSLogs/000000000000/elasticloadbalancing/eu-west-1/\d{4}/\d\d/\d\d/` +
		`000000000000_elasticloadbalancing_eu-west-1_app\.web\.0123456789abcdef_\d{8}T\d{4}Z_127\.0\.1\.1_` +
		`[0-9a-z]{8}\.log\.gz$`)
	for _, name := range names {
		if !form.MatchString(name) {
			t.Errorf("a log file's name is %s", name)
		}
	}
}

func TestAccessLogCanBeReplacedUnderTraffic(t *testing.T) {
	first, second := t.TempDir(), t.TempDir()
	e, port := newEngine(t), balancertest.FreePort(t)
	target := targetByPath(t)
	set := func(dir string) {
		conf := balancertest.OneGroup(port, 1, target)
		conf.LoadBalancers[0].LogDir = dir
		e.Set(conf)
	}
	set(first)
	waitHealthy(t, e)
	for i, dir := range []string{first, first, second, "", second} {
		set(dir)
		request(t, port, "GET /200", "")
		waitCounters(t, e, "the request is recorded", func(c balancer.Counters) bool {
			return c.Nodes[0].Groups[0].Sums["RequestCount"] == uint64(i+1)
		})
	}
	e.Close()
	_, inFirst := balancertest.AccessLogs(t, first)
	_, inSecond := balancertest.AccessLogs(t, second)
	if len(inFirst) != 2 || len(inSecond) != 2 {
		t.Errorf("%d entries in the first folder, %d in the second", len(inFirst), len(inSecond))
	}
}

func TestCountersIncludeDroppedLogEntries(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	e, port := newEngine(t), balancertest.FreePort(t)
	conf := balancertest.OneGroup(port, 1, targetByPath(t))
	conf.LoadBalancers[0].LogDir = file // no folder can be created there
	e.Set(conf)
	waitHealthy(t, e)
	request(t, port, "GET /200", "")
	waitCounters(t, e, "the request is recorded", func(c balancer.Counters) bool {
		return c.Nodes[0].Groups[0].Sums["RequestCount"] == 1
	})
	off := balancertest.OneGroup(port, 1, conf.TargetGroups[0].Targets...)
	e.Set(off) // writes the rest of the log
	waitCounters(t, e, "the entry is dropped", func(c balancer.Counters) bool { return c.Nodes[0].LogDropped == 1 })
}
