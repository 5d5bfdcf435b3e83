package verify

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	requestsPerServer = 20
	atOnce            = 6
	requestPatience   = 5 * time.Second
	longestBody       = 64 << 10 // bytes of an answer in which a host is looked for
	tolerance         = 0.20     // of an even share
	mostRequests      = 600      // unless the first run of requests has more
)

// answers are what a run of requests brought.
type answers struct {
	total    int
	statuses map[int]int    // answers by status code
	problems map[string]int // requests without an answer, by reason
	hosts    map[string]int // answers by the server that they name
}

// request sends requests to the load balancer, each over a connection of its own:
// as many as it takes to see an even spread. The load balancer gives requests to
// its targets in turn, but others' requests may come between these, and then the
// shares are even on the average alone.
func (v Verifier) request(ctx context.Context, f Facts) answers {
	got := answers{statuses: map[int]int{}, problems: map[string]int{}, hosts: map[string]int{}}
	transport := &http.Transport{DisableKeepAlives: true, DialContext: v.byName, Proxy: proxy}
	client := &http.Client{Transport: transport, Timeout: requestPatience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer transport.CloseIdleConnections()
	names := namesOf(f.Servers)
	run := requestsPerServer * max(1, len(f.Servers))
	for got.send(ctx, run, client, f.URL()+"/", names); got.uneven(f) && got.total+run <= mostRequests; {
		got.send(ctx, run, client, f.URL()+"/", names)
	}
	return got
}

// uneven tells that more requests may show what these do not: every server has
// answered, all requests were, and the shares are not even.
func (a answers) uneven(f Facts) bool {
	if len(a.problems) > 0 || len(a.hosts) < len(f.Servers) || len(f.Servers) == 0 {
		return false
	}
	return !a.spread(f).ok
}

// send sends so many requests.
func (a *answers) send(ctx context.Context, n int, client *http.Client, url string, names map[string]*regexp.Regexp) {
	var mu sync.Mutex
	var all sync.WaitGroup
	numbers := make(chan struct{}, n)
	for range n {
		numbers <- struct{}{}
	}
	close(numbers)
	for range atOnce {
		all.Go(func() {
			for range numbers {
				status, host, err := get(ctx, client, url, names)
				mu.Lock()
				if err != nil {
					a.problems[reason(err)]++
				} else {
					a.statuses[status]++
				}
				if host != "" {
					a.hosts[host]++
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	a.total += n
}

// byName dials a name as everything does, except that a name under localhost
// is this machine whatever a resolver says of it (RFC 6761, section 6.3).
func (v Verifier) byName(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err == nil && isLocalhost(host) {
		address = net.JoinHostPort("127.0.0.1", port)
	}
	return v.Dial(ctx, network, address)
}

func isLocalhost(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// proxy is the environment's, except for this machine.
func proxy(request *http.Request) (*url.URL, error) {
	if isLocalhost(request.URL.Hostname()) {
		return nil, nil
	}
	return http.ProxyFromEnvironment(request)
}

func get(
	ctx context.Context,
	client *http.Client,
	url string,
	names map[string]*regexp.Regexp,
) (status int, host string, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, "", err
	}
	response, err := client.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, longestBody))
	if err != nil {
		return 0, "", err
	}
	return response.StatusCode, served(response.Header.Get("X-Served-By")+"\n"+string(body), names), nil
}

// namesOf gives, for each server, a pattern of what it may call itself: its host
// name as EC2 gives it (Amazon EC2 User Guide, "EC2 instance hostnames"), its
// private address or its instance id.
func namesOf(servers []Server) map[string]*regexp.Regexp {
	names := map[string]*regexp.Regexp{}
	for _, s := range servers {
		var all []string
		if s.PrivateIP.IsValid() {
			address := s.PrivateIP.String()
			all = append(all, regexp.QuoteMeta("ip-"+strings.ReplaceAll(address, ".", "-")), regexp.QuoteMeta(address))
		}
		if s.InstanceID != "" {
			all = append(all, regexp.QuoteMeta(s.InstanceID))
		}
		if len(all) > 0 {
			names[s.Name] = regexp.MustCompile(
				`(?:^|[^0-9A-Za-z.-])(?:` + strings.Join(all, "|") + `)(?:$|[^0-9A-Za-z-])`,
			)
		}
	}
	return names
}

// served tells which server an answer names, "" when it is none or several.
func served(answer string, names map[string]*regexp.Regexp) string {
	found := ""
	for name, pattern := range names {
		if !pattern.MatchString(answer) {
			continue
		}
		if found != "" {
			return ""
		}
		found = name
	}
	return found
}

// reason is why a request had no answer, without its URL and its ports, so that
// equal reasons are equal.
func reason(err error) string {
	text := err.Error()
	if i := strings.LastIndex(text, ": "); i >= 0 {
		text = text[i+2:]
	}
	return text
}

// reached tells whether every request was answered by the application. Its own
// answer may be any but a server error, which is also what a load balancer gives
// for it.
func (a answers) reached(f Facts) finding {
	good := 0
	var seen []string
	for _, status := range slices.Sorted(maps.Keys(a.statuses)) {
		seen = append(seen, fmt.Sprintf("%d × %d", a.statuses[status], status))
		if status < 500 {
			good += a.statuses[status]
		}
	}
	for _, problem := range slices.Sorted(maps.Keys(a.problems)) {
		seen = append(seen, fmt.Sprintf("%d × %s", a.problems[problem], problem))
	}
	return finding{good == a.total, fmt.Sprintf("%s: of %d requests %s", f.URL(), a.total, strings.Join(seen, ", "))}
}

// spread tells whether each server answered its even share, within a fifth. It
// can be told only where answers name the server; where they do not, the health
// of the targets stands for it.
func (a answers) spread(f Facts) finding {
	named := 0
	for _, n := range a.hosts {
		named += n
	}
	if len(f.Servers) == 0 {
		return finding{false, "there is no server"}
	}
	if named == 0 && len(a.statuses) > 0 {
		return finding{
			true,
			"not measured: the answers do not name the server that gave them (an X-Served-By header with its host name would); that every target is healthy stands for it",
		}
	}
	even := float64(a.total) / float64(len(f.Servers))
	ok := true
	var shares []string
	for _, s := range f.Servers {
		n := a.hosts[s.Name]
		ok = ok && float64(n) >= even*(1-tolerance) && float64(n) <= even*(1+tolerance)
		shares = append(shares, fmt.Sprintf("%s %d", s.Name, n))
	}
	return finding{ok, fmt.Sprintf("%s of %d, as their answers name them", strings.Join(shares, ", "), a.total)}
}

// zones are the zones that the servers are in, each once, in order.
func (f Facts) zones() []string {
	var zones []string
	for _, s := range f.Servers {
		zones = append(zones, s.Zone)
	}
	slices.Sort(zones)
	return slices.Compact(zones)
}

// allowed tells whether connections from here are among those that a list lets
// in; known is false when that cannot be told.
func (f Facts) allowed(from []netip.Prefix) (allowed, known bool) {
	for _, prefix := range from {
		if prefix.Bits() == 0 || f.From.IsValid() && prefix.Contains(f.From) {
			return true, true
		}
	}
	return false, len(from) == 0 || f.From.IsValid()
}
