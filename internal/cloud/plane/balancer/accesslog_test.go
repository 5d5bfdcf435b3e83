package balancer

import (
	"compress/gzip"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

const logARN = "arn:aws:elasticloadbalancing:eu-west-1:000000000000:loadbalancer/app/web/0123456789abcdef"

// logged are the names and lines of all access logs below the folder.
func logged(t *testing.T, dir string) (names, lines []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		defer func() { _ = file.Close() }()
		zip, err := gzip.NewReader(file)
		if err != nil {
			return err
		}
		text, err := io.ReadAll(zip)
		name, _ := filepath.Rel(dir, path)
		names, lines = append(
			names,
			name,
		), append(
			lines,
			strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names, lines
}

// changing are the parts of an entry that differ from run to run.
var changing = []struct {
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
	for _, c := range changing {
		line = c.what.ReplaceAllString(line, c.as)
	}
	return strings.ReplaceAll(line, fmt.Sprint(":", port), ":PORT")
}

func TestAccessLogsHaveAWSsEntries(t *testing.T) {
	dir := t.TempDir()
	e, port := newEngine(t), freePort(t)
	conf := oneGroup(port, 1, byPath(t))
	lb := &conf.LoadBalancers[0]
	lb.ARN, lb.LogDir, lb.Desync = logARN, dir, "defensive"
	path := func(p string) []Condition { return []Condition{{Field: "path-pattern", Values: []string{p}}} }
	lb.Listeners[0].Rules = []Rule{
		{
			ARN:        "r1",
			Priority:   7,
			Conditions: path("/fixed"),
			Action:     Action{FixedResponse: &FixedResponse{Code: 503, ContentType: "text/plain", Body: "later"}},
		},
		{
			ARN:        "r2",
			Priority:   8,
			Conditions: path("/moved"),
			Action: Action{
				Redirect: &Redirect{
					Protocol: "HTTPS",
					Host:     "#{host}",
					Port:     "443",
					Path:     "/#{path}",
					Query:    "#{query}",
					Code:     301,
				},
			},
		},
	}
	e.Set(conf)
	until(t, e, "healthy", allAre("healthy"))
	for _, text := range []string{
		"GET /200?a=\"b\" HTTP/1.1\r\nHost: example.com\r\nUser-Agent: say \"hi\"\r\nX-Amzn-Trace-Id: Root=1-67891233-abcdef012345678912345678\r\nConnection: close\r\n\r\n",
		"POST /404 HTTP/1.1\r\nHost: example.com:8080\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc",
		"GET /fixed HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
		"GET /moved?x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
		"GET /drop HTTP/1.0\r\n\r\n",
		"GET /200 HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
		"nonsense\r\n\r\n",
	} {
		speak(t, port, text)
	}
	e.Close() // writes what is left
	names, lines := logged(t, dir)
	for i := range lines {
		lines[i] = masked(lines[i], port)
	}
	slices.Sort(lines)
	const forward = `"-" "-" 0 TIME "forward" "-" "-" "ADDRESS" `
	want := []string{
		`http TIME app/web/0123456789abcdef ADDRESS - -1 -1 -1 301 - 53 323 "GET http://h:PORT/moved?x HTTP/1.1" "-" - - - "Root=ID" "-" "-" 8 TIME "redirect" "https://h:443/moved?x" "-" "-" "-" "-" "-" TID "-" "-" "-"`,
		`http TIME app/web/0123456789abcdef ADDRESS - -1 -1 -1 400 - 12 272 "- http://web-1.us-east-1.elb.localhost:PORT- -" "-" - - - "-" "-" "-" - TIME "-" "-" "-" "-" "-" "-" "-" TID "-" "-" "-"`,
		`http TIME app/web/0123456789abcdef ADDRESS - -1 -1 -1 503 - 51 189 "GET http://h:PORT/fixed HTTP/1.1" "-" - - - "Root=ID" "-" "-" 7 TIME "fixed-response" "-" "-" "-" "-" "-" "-" TID "-" "-" "-"`,
		`http TIME app/web/0123456789abcdef ADDRESS ADDRESS SECONDS -1 -1 502 - 22 272 "GET http://web-1.us-east-1.elb.localhost:PORT/drop HTTP/1.0" "-" - - arn:tg "Root=ID" ` + forward + `"-" "-" "-" TID "-" "-" "-"`,
		`http TIME app/web/0123456789abcdef ADDRESS ADDRESS SECONDS SECONDS SECONDS 200 200 68 97 "GET http://h:PORT/200 HTTP/1.1" "-" - - arn:tg "Root=ID" ` + forward + `"200" "Acceptable" "GetHeadZeroContentLength" TID "-" "-" "-"`,
		`http TIME app/web/0123456789abcdef ADDRESS ADDRESS SECONDS SECONDS SECONDS 200 200 146 97 "GET http://example.com:PORT/200?a=\x22b\x22 HTTP/1.1" "say \x22hi\x22" - - arn:tg "Self=ID;Root=ID" ` + forward + `"200" "-" "-" TID "-" "-" "-"`,
		`http TIME app/web/0123456789abcdef ADDRESS ADDRESS SECONDS SECONDS SECONDS 404 404 87 97 "POST http://example.com:8080/404 HTTP/1.1" "-" - - arn:tg "Root=ID" ` + forward + `"404" "-" "-" TID "-" "-" "-"`,
	}
	slices.Sort(want)
	if !slices.Equal(lines, want) {
		t.Errorf("the log holds\n%s\nnot\n%s", strings.Join(lines, "\n"), strings.Join(want, "\n"))
	}
	form := regexp.MustCompile(
		`^AWSLogs/000000000000/elasticloadbalancing/eu-west-1/\d{4}/\d\d/\d\d/000000000000_elasticloadbalancing_eu-west-1_app\.web\.0123456789abcdef_\d{8}T\d{4}Z_127\.0\.1\.1_[0-9a-z]{8}\.log\.gz$`,
	)
	for _, name := range names {
		if !form.MatchString(name) {
			t.Errorf("a log's name is %s", name)
		}
	}
}

func TestLogsAreSwitchedWhileRequestsCome(t *testing.T) {
	first, second := t.TempDir(), t.TempDir()
	e, port := newEngine(t), freePort(t)
	target := byPath(t)
	set := func(dir string) {
		conf := oneGroup(port, 1, target)
		conf.LoadBalancers[0].LogDir = dir
		e.Set(conf)
	}
	set(first)
	until(t, e, "healthy", allAre("healthy"))
	for i, dir := range []string{first, first, second, "", second} {
		set(dir)
		ask(t, port, "GET /200", "")
		counted(
			t,
			e,
			"noted",
			func(c Counters) bool { return c.Nodes[0].Groups[0].Sums["RequestCount"] == uint64(i+1) },
		)
	}
	e.Close()
	_, inFirst := logged(t, first)
	_, inSecond := logged(t, second)
	if len(inFirst) != 2 || len(inSecond) != 2 {
		t.Errorf("%d entries in the first folder, %d in the second", len(inFirst), len(inSecond))
	}
}

func TestWhatTheDiskCannotTakeIsLeftOutAndCounted(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	e, port := newEngine(t), freePort(t)
	conf := oneGroup(port, 1, byPath(t))
	conf.LoadBalancers[0].LogDir = file // no folder can be made there
	e.Set(conf)
	until(t, e, "healthy", allAre("healthy"))
	ask(t, port, "GET /200", "")
	counted(t, e, "noted", func(c Counters) bool { return c.Nodes[0].Groups[0].Sums["RequestCount"] == 1 })
	j := e.nodes[nodeKey{"arn:lb", "eni-0", "", "127.0.1.1"}].journal.Load()
	j.wake <- struct{}{}
	counted(t, e, "dropped", func(c Counters) bool { return c.Nodes[0].LogDropped == 1 })

	j.mu.Lock()
	j.buffer = make([]byte, logBuffer)
	j.mu.Unlock()
	c := &connection{port: &port0}
	x := newExchange()
	x.takeUp()
	if !j.note(c, x) || e.Counters().Nodes[0].LogDropped != 2 {
		t.Error("an entry beyond the buffer is not counted as dropped")
	}
	j.mu.Lock()
	j.buffer = nil
	j.mu.Unlock()
}

var port0 = port{number: 80}

// BenchmarkEntry is what the access log adds to a request.
func BenchmarkEntry(b *testing.B) {
	counts := &nodeCounts{groups: map[string]*groupCounts{}}
	j := &journal{of: parts(logARN), host: dnsName, started: time.Now().UnixNano}
	x := newExchange()
	x.takeUp()
	x.head = []byte(
		"GET /some/path HTTP/1.1\r\nHost: example.com\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\n\r\n",
	)
	if err := x.req.Parse(x.head); err != nil {
		b.Fatal(err)
	}
	x.trace = []byte("Root=1-67891233-abcdef012345678912345678")
	x.record = record{begun: 1, connected: 2, answered: 300 * time.Microsecond, ended: 301 * time.Microsecond,
		target: &member{counts: counts.group("arn:tg")}, action: &compiledAction{}, status: 200, targetStatus: 200}
	b.ReportAllocs()
	for b.Loop() {
		j.buffer = j.buffer[:0]
		j.note(&connection{port: &port0, id: [2]uint64{1, 2}}, x)
	}
}
