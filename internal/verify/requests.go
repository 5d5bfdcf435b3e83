package verify

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"maps"
	"math"
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
	concurrency       = 6
	requestTimeout    = 5 * time.Second
	maxBody           = 64 << 10 // bytes of a response that are searched for a server's name
	clearlyEven       = 0.20     // deviation from an even share at which no more requests are sent
	maxRequests       = 600      // unless the first run already has more
)

// responses are the outcomes of requests.
type responses struct {
	total    int
	statuses map[int]int    // responses by status code
	errors   map[string]int // requests without a response, by reason
	servers  map[string]int // responses by the server that they name
}

// sendRequests sends requests to the load balancer, each over its own connection, until
// their spread over the servers is clearly even or maxRequests are sent. The load
// balancer rotates its targets, but other clients' requests may come in between, and then
// the shares are even only on average.
func (v Verifier) sendRequests(ctx context.Context, f Facts) responses {
	got := responses{statuses: map[int]int{}, errors: map[string]int{}, servers: map[string]int{}}
	client := v.client(f)
	names := serverPatterns(f.Servers)
	run := requestsPerServer * max(1, len(f.Servers))
	for got.send(ctx, run, client, f.URL()+"/", names); got.uneven(f) && got.total+run <= maxRequests; {
		got.send(ctx, run, client, f.URL()+"/", names)
	}
	return got
}

// patience is the longest time for a response.
func (v Verifier) patience() time.Duration { return cmp.Or(v.Patience, requestTimeout) }

// client returns a client that connects to the load balancer for each request, and follows
// no redirect.
func (v Verifier) client(f Facts) *http.Client {
	return &http.Client{
		Timeout: v.patience(), Transport: &http.Transport{
			DisableKeepAlives: true, DialContext: v.dialBalancer(f), Proxy: proxyOf,
			TLSClientConfig: &tls.Config{RootCAs: v.Roots, MinVersion: tls.VersionTLS12},
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// uneven reports whether more requests may help: all requests had responses and every
// server has responded, but the shares are not even.
func (a responses) uneven(f Facts) bool {
	if len(a.errors) > 0 || len(a.servers) < len(f.Servers) || len(f.Servers) == 0 {
		return false
	}
	shares, named := a.shares(f)
	even := float64(named) / float64(len(shares))
	return slices.ContainsFunc(shares, func(n int) bool { return math.Abs(float64(n)-even) > even*clearlyEven })
}

// shares returns how many responses name each server, and their sum.
func (a responses) shares(f Facts) (shares []int, named int) {
	for _, s := range f.Servers {
		shares = append(shares, a.servers[s.Name])
		named += a.servers[s.Name]
	}
	return shares, named
}

// send sends n requests.
func (a *responses) send(ctx context.Context, n int, client *http.Client, url string, names map[string]*regexp.Regexp) {
	var mu sync.Mutex
	var all sync.WaitGroup
	numbers := make(chan struct{}, n)
	for range n {
		numbers <- struct{}{}
	}
	close(numbers)
	for range concurrency {
		all.Go(func() {
			for range numbers {
				status, host, err := get(ctx, client, url, names)
				mu.Lock()
				if err != nil {
					a.errors[reason(err)]++
				} else {
					a.statuses[status]++
				}
				if host != "" {
					a.servers[host]++
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	a.total += n
}

// dialByName dials an address. It resolves names under localhost to loopback, whatever a
// resolver says (RFC 6761, section 6.3).
func (v Verifier) dialByName(ctx context.Context, network, address string) (net.Conn, error) {
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

// proxyOf returns the proxy of the environment, or none for this computer.
func proxyOf(request *http.Request) (*url.URL, error) {
	if isLocalhost(request.URL.Hostname()) {
		return nil, nil
	}
	return http.ProxyFromEnvironment(request)
}

// proxy returns the proxy through which requests to the application go, or "".
func (f Facts) proxy() string {
	u, err := url.Parse(f.URL())
	if err != nil {
		return ""
	}
	proxy, err := proxyOf(&http.Request{URL: u})
	if err != nil || proxy == nil {
		return ""
	}
	return proxy.Host
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
	body, err := io.ReadAll(io.LimitReader(response.Body, maxBody))
	if err != nil {
		return 0, "", err
	}
	return response.StatusCode, serverNamedIn(response.Header.Get("X-Served-By")+"\n"+string(body), names), nil
}

// serverPatterns returns a pattern for each server that matches the names it may use for
// itself: its EC2 host name (Amazon EC2 User Guide, "EC2 instance hostnames"), its
// private IP address or its instance id.
func serverPatterns(servers []Server) map[string]*regexp.Regexp {
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

// serverNamedIn returns the server that a response names, or "" if it names none or
// several.
func serverNamedIn(answer string, names map[string]*regexp.Regexp) string {
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

// reason returns why a request had no response, without URL and ports, so that equal
// reasons compare equal.
func reason(err error) string {
	text := err.Error()
	if i := strings.LastIndex(text, ": "); i >= 0 {
		text = text[i+2:]
	}
	return text
}

// checkReachable checks that the application responded to every request. Any status
// counts except server errors, which a load balancer also sends on its own.
func (a responses) checkReachable(f Facts) finding {
	good := 0
	var seen []string
	for _, status := range slices.Sorted(maps.Keys(a.statuses)) {
		seen = append(seen, fmt.Sprintf("%d × %d", a.statuses[status], status))
		if status < 500 {
			good += a.statuses[status]
		}
	}
	for _, problem := range slices.Sorted(maps.Keys(a.errors)) {
		seen = append(seen, fmt.Sprintf("%d × %s", a.errors[problem], problem))
	}
	detail := fmt.Sprintf("%s: of %d requests %s", f.URL(), a.total, strings.Join(seen, ", "))
	if proxy := f.proxy(); proxy != "" {
		detail += ", through the proxy " + proxy + ", whose answers may be among them"
	}
	return finding{good == a.total, detail}
}

// checkSpread checks that each server responded to its even share, as far as chance
// allows. That is known only if responses name their server. Otherwise the health of the
// targets must suffice.
func (a responses) checkSpread(f Facts) finding {
	if len(f.Servers) == 0 {
		return finding{false, "there is no server"}
	}
	shares, named := a.shares(f)
	if named == 0 && len(a.statuses) > 0 {
		return finding{
			true,
			"not measured: the answers do not name the server that gave them (an X-Served-By header with its " +
				"host name would); that every target is healthy stands for it",
		}
	}
	texts := make([]string, len(shares))
	for i, s := range f.Servers {
		texts[i] = fmt.Sprintf("%s %d", s.Name, shares[i])
	}
	return finding{
		evenlySpread(shares),
		fmt.Sprintf("%s of %d, as their answers name them", strings.Join(texts, ", "), a.total),
	}
}

// zones returns the sorted zones of the servers.
func (f Facts) zones() []string {
	var zones []string
	for _, s := range f.Servers {
		zones = append(zones, s.Zone)
	}
	slices.Sort(zones)
	return slices.Compact(zones)
}

// admitted reports whether a list of networks admits connections from here. known is
// false if the source address is unknown and the list does not decide without it.
func (f Facts) admitted(from []netip.Prefix) (allowed, known bool) {
	for _, prefix := range from {
		if prefix.Bits() == 0 || f.From.IsValid() && prefix.Contains(f.From) {
			return true, true
		}
	}
	return false, len(from) == 0 || f.From.IsValid()
}
