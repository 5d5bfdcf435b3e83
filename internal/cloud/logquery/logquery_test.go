package logquery_test

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"aloft.dev/aloft/internal/cloud/logquery"
)

var noon = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

// messages are the events of tests, one a minute from noon.
var messages = []string{
	`{"level":"info","user":{"name":"ada","tags":["a","b"]},"ms":10,"ok":true,"path":"/shop/7"}`,
	`{"level":"error","user":{"name":"bob"},"ms":250.5,"ok":false,"path":"/shop/12"}`,
	`plain text: user=eve, method:GET`,
	`{"level":"info","user":{"name":"ada"},"ms":30,"path":"/cart"}`,
	`2 123456789012 eni-0123456789abcdef0 10.0.0.1 10.0.0.2 443 50000 6 10 840 1700000000 1700000060 ACCEPT OK`,
}

// run runs a query over the messages, and returns its results a line each, without pointers.
func run(t *testing.T, text string, limit int) (results string, matched int) {
	t.Helper()
	query, err := logquery.Parse(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	r := query.Start(limit, noon)
	for i := len(messages) - 1; i >= 0; i-- {
		at := noon.Add(time.Duration(i) * time.Minute).UnixMilli()
		event := logquery.Event{
			Time: at, Ingested: at + 1, Message: messages[i], Stream: "s" + strconv.Itoa(i%2), Log: "000000000000:g",
			Pointer: strconv.Itoa(i),
		}
		if err := r.Add(event); err != nil {
			t.Fatal(err)
		}
	}
	rows, err := r.Results()
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, row := range rows {
		var parts []string
		for _, field := range row {
			if field.Name != "@ptr" {
				parts = append(parts, field.Name+"="+field.Value)
			}
		}
		lines = append(lines, strings.Join(parts, " "))
	}
	return strings.Join(lines, "\n"), r.Matched
}

func TestQueries(t *testing.T) {
	for _, test := range []struct {
		query, want string
		matched     int
	}{
		{"fields user.name, ms | filter level = 'info'", "user.name=ada ms=30\nuser.name=ada ms=10", 2},
		{"filter level='error'", "@timestamp=2026-11-30 12:01:00.000 @message=" + messages[1], 1},
		{"fields `user`.name as name | filter ispresent(level) | sort ms desc | limit 2", "name=bob\nname=ada", 3},
		{"fields user.tags.1 as tag | filter ispresent(tag)", "tag=b", 1},
		{"fields user.tags as tags | filter ms = 10", `tags=["a","b"]`, 1},
		{"fields ok | filter ok = true", "ok=1", 1},
		{"fields ok | filter ok = 0", "ok=0", 1},
		{"fields @logStream, @log | filter @message like 'plain'", "@logStream=s0 @log=000000000000:g", 1},
		{"fields ms | filter @message like /(?i)ADA/ and ms < 20", "ms=10", 1},
		{"fields ms | filter @message not like /ada/ and ispresent(ms)", "ms=250.5", 1},
		{"fields ms | filter not (user.name =~ /^a/) and ms > 0", "ms=250.5", 1},
		{"fields ms | filter level in ['error', 'fatal'] or ms in [30]", "ms=30\nms=250.5", 2},
		{"fields ms | filter level not in [\"error\"]", "ms=30\nms=10", 2},
		{"fields ms | filter level != 'info'", "ms=250.5", 1},
		{"fields ms*2+1 as x, (ms-5)/3 as y, 2^3%5 as z | filter ms = 10", "x=21 y=1.6667 z=3", 1},
		{"fields -ms as x | filter ms <= 30 # comment\n| sort x", "x=-30\nx=-10", 2},
		{"fields ms / level as none, 1/0 as never, ms | filter ms=10", "ms=10", 1},
		{"stats count(*) by level", "count(*)=2\nlevel=info count(*)=2\nlevel=error count(*)=1", 5},
		{"stats count(*) as n by level | sort n desc, level", "n=2\nlevel=info n=2\nlevel=error n=1", 5},
		{"filter ispresent(ms) | stats sum(ms), avg(ms), min(ms), max(ms), count(ms), pct(ms, 50), stddev(ms)",
			"sum(ms)=290.5 avg(ms)=96.8333 min(ms)=10 max(ms)=250.5 count(ms)=3 pct(ms, 50)=30 stddev(ms)=108.9651", 3},
		{"stats count_distinct(user.name) as users, earliest(ms) as first, latest(ms) as last",
			"users=2 first=10 last=30", 5},
		{"stats max(ms) as high, min(ms) as low, high - low as spread, sum(ms)/count(ms) as mean",
			"high=250.5 low=10 spread=240.5 mean=96.8333", 5},
		{"stats count(*) by bin(2m) | sort bin(2m)", "bin(2m)=2026-11-30 12:00:00.000 count(*)=2\n" +
			"bin(2m)=2026-11-30 12:02:00.000 count(*)=2\nbin(2m)=2026-11-30 12:04:00.000 count(*)=1", 5},
		{"stats count(*) as n by bin(1h) as hour, @logStream | sort n | sort @logStream",
			"hour=2026-11-30 12:00:00.000 @logStream=s0 n=3\nhour=2026-11-30 12:00:00.000 @logStream=s1 n=2", 5},
		{"stats count(*) as n by level | stats max(n) as most, count(*) as groups", "most=2 groups=3", 5},
		{"stats count(*) as n by level | filter n > 1 and ispresent(level)", "level=info n=2", 5},
		{"parse @message 'user=*, method:*' as who, how | filter ispresent(who) | display who, how",
			"who=eve how=GET", 1},
		{"parse '* text: *' as kind, rest | filter ispresent(kind) | display kind, rest",
			"kind=plain rest=user=eve, method:GET", 1},
		{`parse @message /user=(?<who>\w+), \w+:(?<how>\w+)/ | filter ispresent(how) | display who, how`,
			"who=eve how=GET", 1},
		{`parse path /\/shop\/(\d+)/ as id | stats sum(id) as ids`, "ids=19", 5},
		{"fields path | filter ispresent(path) | sort path", "path=/cart\npath=/shop/7\npath=/shop/12", 3},
		{"fields level | filter ispresent(level) | dedup level", "level=info\nlevel=error", 3},
		{"fields user.name as n, ms | filter ispresent(n) | sort ms asc | dedup n | limit 2",
			"n=ada ms=10\nn=bob ms=250.5", 3},
		{"fields level | sort level | dedup level | limit 2", "\n", 5},
		{"fields srcAddr, bytes, action | filter dstPort = 50000", "srcAddr=10.0.0.1 bytes=840 action=ACCEPT", 1},
		{"fields ms | display level | filter ms = 30", "level=info", 1},
		{"fields concat(level, '-', user.name) as c, toupper(level) as u, strlen(level) as l, " +
			"substr(path, 1, 4) as s, replace(path, '/', '.') as r, trim('  x ') as t | filter ms=10",
			"c=info-ada u=INFO l=4 s=shop r=.shop.7 t=x", 1},
		{"fields coalesce(none, level, 'x') as c, isempty('') as e, isblank(' ') as b, strcontains(path, 'op') as o, " +
			"greatest(1, ms, 3) as g, least(1, ms) as m, abs(0-2) as a, ceil(1.2) as i, floor(1.8) as f, " +
			"sqrt(9) as q | filter ms=10", "c=info e=1 b=1 o=1 g=10 m=1 a=2 i=2 f=1 q=3", 1},
		{"fields datefloor(@timestamp, 1h) as f, dateceil(@timestamp, 1h) as c, tomillis(@timestamp) as t, " +
			"frommillis(0) as z, now() as n | filter ms=250.5", "f=2026-11-30 12:00:00.000 c=2026-11-30 13:00:00.000 " +
			"t=1796040060000 z=1970-01-01 00:00:00.000 n=1796040000", 1},
		{"fields isipinsubnet(srcAddr, '10.0.0.0/8') as a, isipv4insubnet(srcAddr, '11.0.0.0/8') as b, " +
			"isvalidipv6('::1') as c, isvalidip('x') as d | filter version = 2", "a=1 b=0 c=1 d=0", 1},
		{"filter @timestamp > 1796040200000 | fields @timestamp", "@timestamp=2026-11-30 12:04:00.000", 1},
		{"FIELDS level | FILTER ms = 10 OR ms = 30 | SORT ms DESC | LIMIT 1", "level=info", 2},
	} {
		if got, matched := run(t, test.query, 100); got != test.want || matched != test.matched {
			t.Errorf("%s\ngot %d: %s\nwant %d: %s", test.query, matched, got, test.matched, test.want)
		}
	}
}

func TestLimits(t *testing.T) {
	for query, want := range map[string]string{
		"fields ms | filter ispresent(ms)":                     "ms=30\nms=250.5",
		"fields ms | filter ispresent(ms) | sort ms":           "ms=10\nms=30",
		"fields ms | filter ispresent(ms) | limit 3":           "ms=30\nms=250.5\nms=10",
		"fields ms | filter ispresent(ms) | limit 1 | sort ms": "ms=30",
	} {
		if got, _ := run(t, query, 2); got != want {
			t.Errorf("%s\ngot %s\nwant %s", query, got, want)
		}
	}
}

func TestMalformedQueries(t *testing.T) {
	for query, offset := range map[string]int{
		"": 0, "fild @message": 0, "fields": 6, "fields @message |": 17, "fields @message,": 16, "filter": 6,
		"filter a =": 10, "filter a like b": 14, "filter a like /(/": 14, "filter a in 'x'": 12, "filter (a": 9,
		"filter a = 'x": 11, "stats": 5, "stats a": 7, "stats count(*) by": 17, "stats count(count(*))": 12,
		"fields count(*)": 7, "fields nothing(a)": 7, "fields strlen()": 7, "sort": 4, "limit 0": 6, "limit x": 6,
		"limit 10001": 6, "stats count(*) by bin(5x)": 23, "stats pct(a, 101)": 16,
		"parse @message 'a=*' as b, c": 28, "parse @message /(a)/": 20, "parse @message b": 15,
		"sort a | stats count(*)": 14, "dedup a | filter b": 10, "pattern @message": 0, "fields a as": 11,
		"filter a like /(?=x)/": 14, "fields `a": 7, "fields a b": 9, "fields a as or": 12,
		"stats count(*) | stats count(*) | stats count(*)": 39, "filter @message like": 20,
	} {
		_, err := logquery.Parse(query)
		malformed, ok := errors.AsType[*logquery.SyntaxError](err)
		if !ok || malformed.Offset != offset {
			t.Errorf("%q: got %v, want an error at %d", query, err, offset)
		}
	}
	if _, err := logquery.Parse("filter " + strings.Repeat("(", 5000) + "a" + strings.Repeat(")", 5000)); err == nil {
		t.Error("an expression that is nested too deeply is accepted")
	}
}

func TestMemoryIsBounded(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	for _, text := range []string{
		"fields @message | sort @timestamp | dedup @message", "stats count(*) by @message", "dedup @message",
		"stats count_distinct(@message)", "fields @message",
	} {
		query, err := logquery.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		r := query.Start(logquery.MaxResults, noon)
		for i := range 200 {
			if err = r.Add(logquery.Event{Message: fmt.Sprint(i, long)}); err != nil {
				break
			}
		}
		if !errors.Is(err, logquery.ErrTooMuch) {
			t.Errorf("%s: got %v after 200 MiB", text, err)
		}
	}
	query, err := logquery.Parse("fields @message | sort @timestamp desc | limit 5")
	if err != nil {
		t.Fatal(err)
	}
	r := query.Start(logquery.MaxResults, noon)
	for i := range 200 {
		if err := r.Add(logquery.Event{Time: int64(i), Message: fmt.Sprint(i, long)}); err != nil {
			t.Fatal(err)
		}
	}
	rows, err := r.Results()
	if err != nil || len(rows) != 5 || !strings.HasPrefix(rows[0][0].Value, "199x") {
		t.Errorf("got %d rows, %v", len(rows), err)
	}
}

func TestFieldsOfAnEvent(t *testing.T) {
	e := logquery.Event{Time: 5, Ingested: 6, Message: `{"a":{"b":[1,null,"x"]}}`, Stream: "s", Log: "l", Pointer: "p"}
	got := fmt.Sprint(e.Fields())
	const want = `map[@ingestionTime:6 @log:l @logStream:s @message:{"a":{"b":[1,null,"x"]}} @ptr:p @timestamp:5 ` +
		`a.b.0:1 a.b.2:x]`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// FuzzQuery looks for queries and events that make the interpreter panic.
func FuzzQuery(f *testing.F) {
	for _, query := range []string{
		"fields a.b, strlen(@message) | filter a like /x/ and not b in [1, 'c'] | sort a desc | limit 3",
		"parse @message 'a=* b=*' as x, y | stats pct(x, 50), count(*) by bin(5m), y | sort count(*)",
		"parse /(?<a>x+)/ | dedup a | limit 2", "stats avg(a)-max(b) as c by d as e | stats count(*) by c",
		"fields substr(a, -1, 1e3), a^b%c/0 as `x y`, datefloor(a, 1w)",
	} {
		f.Add(query, messages[0])
	}
	f.Fuzz(func(t *testing.T, text, message string) {
		query, err := logquery.Parse(text)
		if err != nil {
			return
		}
		r := query.Start(10, noon)
		for i := range 3 {
			if err := r.Add(logquery.Event{Time: int64(i), Message: message}); err != nil {
				return
			}
		}
		if rows, err := r.Results(); err == nil && len(rows) > logquery.MaxResults {
			t.Errorf("%d results", len(rows))
		}
		logquery.Event{Message: message}.Fields()
	})
}
