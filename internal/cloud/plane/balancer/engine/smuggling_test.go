//go:build linux

package engine

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"aloft.dev/aloft/internal/cloud/plane/balancer/http1"
)

// Every client's requests arrive at the back end as the load balancer understood them, and
// every response arrives at its client. Back ends of four kinds are the witnesses.
func TestBackendsSeeWhatTheLoadBalancerSees(t *testing.T) {
	for name, start := range backends {
		for _, mode := range []string{"monitor", "defensive", "strictest"} {
			t.Run(name+"/"+mode, func(t *testing.T) {
				t.Parallel()
				r := newRecorder()
				port, finish := serveBackend(t, start(t, r), mode)
				texts := slices.Concat(attacks, unfinished)
				seen := make([][]seenRequest, len(texts))
				for i, a := range attacks {
					replies := repliesTo(t, port, numbered(a, i))
					checkVictim(t, port, i, a)
					seen[i] = r.takeUntil(t, victim(i))
					if !slices.Equal(replies, repliesOf(seen[i])) {
						t.Errorf("%.300q: the back end saw\n%v, the client got\n%v", a, seen[i], replies)
					}
				}
				if mode == "defensive" { // they take long, and are the same in every mode
					sendUnfinished(t, port)
					checkVictim(t, port, len(texts), "unfinished requests")
					seen[len(attacks)] = r.takeUntil(t, victim(len(texts)))
				}
				for i, want := range forwardedRequests(t, finish(), texts) {
					if !slices.Equal(seen[i], want) {
						t.Errorf("%.300q: the back end saw\n%v, the load balancer\n%v", texts[i], seen[i], want)
					}
				}
			})
		}
	}
}

// sendUnfinished sends the unfinished texts at the same time, and waits until the load
// balancer gives up.
func sendUnfinished(t *testing.T, port uint16) {
	t.Helper()
	var conns []net.Conn
	for i, text := range unfinished {
		conn := dial(t, port)
		_, _ = io.WriteString(conn, numbered(text, len(attacks)+i))
		_ = conn.(*net.TCPConn).CloseWrite()
		conns = append(conns, conn)
	}
	for _, conn := range conns {
		_, _ = io.Copy(io.Discard, conn)
	}
}

// numbered puts the attack's number into its text.
func numbered(text string, i int) string {
	n := fmt.Sprintf("%03d", i)
	return strings.NewReplacer("/000", "/"+n, "h000", "h"+n, "g000", "g"+n).Replace(text)
}

// repliesOf returns what the client gets to read of the back end's responses.
func repliesOf(seen []seenRequest) []seenRequest {
	replies := slices.Clone(seen)
	for i := range replies {
		if replies[i].Method == http.MethodHead {
			replies[i] = seenRequest{} // without a body
		}
	}
	return replies
}

// victim returns the target of the request that another client sends after an attack.
func victim(i int) string { return fmt.Sprintf("/victim-%d", i) }

// checkVictim sends the victim's request, over the same connection to the back end if the
// load balancer kept it, and checks that the response is the victim's own.
func checkVictim(t *testing.T, port uint16, i int, after string) {
	t.Helper()
	got := repliesTo(t, port, "GET "+victim(i)+" HTTP/1.1\r\nHost: v:1\r\nConnection: close\r\n\r\n")
	if want := []seenRequest{{http.MethodGet, victim(i), "v:1", 0}}; !slices.Equal(got, want) {
		t.Errorf("after %.300q another client got %v", after, got)
	}
}

// repliesTo sends the text over one connection and returns what the responses of the back
// end say that it saw.
func repliesTo(t *testing.T, port uint16, text string) (replies []seenRequest) {
	t.Helper()
	conn := dial(t, port)
	defer func() { _ = conn.Close() }()
	_, _ = io.WriteString(conn, text) // the load balancer may close before it has read all
	_ = conn.(*net.TCPConn).CloseWrite()
	all, _ := io.ReadAll(conn)
	method, _, _ := strings.Cut(text, " ") // of the first request: responses to HEAD have no body
	for in := bufio.NewReader(bytes.NewReader(all)); ; {
		r, err := http.ReadResponse(in, &http.Request{Method: method})
		if err != nil {
			return replies
		}
		var reply seenRequest
		if err := json.NewDecoder(r.Body).Decode(&reply); err == nil || r.Header.Get("X-Backend") != "" {
			replies = append(replies, reply)
		}
		_, _ = io.Copy(io.Discard, r.Body)
		if r.StatusCode >= http.StatusOK {
			method = http.MethodGet
		}
	}
}

// entry is the part of an entry of the access log that says what was forwarded: the status
// of the target and the request.
var entry = regexp.MustCompile(`^(?:\S+ ){9}(\S+) \d+ \d+ "(\S+) http://([^/?*"]*)(.*) HTTP/1\.\d" "`)

// forwardedRequests returns the requests in an access log that the back end has answered,
// by the number of the attack.
func forwardedRequests(t *testing.T, log, texts []string) [][]seenRequest {
	t.Helper()
	out, lengths := make([][]seenRequest, len(texts)), make([][]int64, len(texts))
	for i, a := range texts {
		lengths[i] = bodyLengths(numbered(a, i))
	}
	for _, line := range log {
		m := entry.FindStringSubmatch(line)
		if m == nil || strings.HasPrefix(m[4], "/victim") {
			continue
		}
		target, err := strconv.Unquote(`"` + m[4] + `"`)
		if err != nil {
			t.Fatal(err)
		}
		number := attackNumber.FindStringSubmatch(m[3] + target)
		if number == nil {
			t.Fatalf("no attack has %s", line)
		}
		i, _ := strconv.Atoi(number[1])
		if m[1] == "200" {
			out[i] = append(out[i], seenRequest{m[2], string(appendEncoded(nil, target)), m[3], lengths[i][0]})
		}
		lengths[i] = lengths[i][min(1, len(lengths[i])):]
	}
	return out
}

var attackNumber = regexp.MustCompile(`[/hg](\d{3})`)

// bodyLengths returns the lengths of the bodies in the text of a client, as package http1
// reads it.
func bodyLengths(text string) (lengths []int64) {
	for in := []byte(text); ; {
		in = in[http1.LeadingBlankLines(in):]
		var r http1.Request
		end := http1.HeadLen(in, 0)
		if end == 0 || r.Parse(in[:end]) != nil {
			return lengths
		}
		in = in[end:]
		length := r.Length
		if r.Framing == http1.Chunked {
			var chunks http1.ChunkScanner
			for done := false; !done; {
				n, content, end, err := chunks.Next(in)
				if err != nil || n == 0 && !end {
					return lengths
				}
				in, done, length = in[n:], end, length+int64(len(content))
			}
		} else if length > int64(len(in)) {
			return lengths
		} else {
			in = in[length:]
		}
		lengths = append(lengths, length)
	}
}
