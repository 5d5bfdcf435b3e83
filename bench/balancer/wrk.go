package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"regexp"
	"strconv"
	"time"

	"aloft.dev/aloft/bench/contest"
)

var (
	wrkRate   = regexp.MustCompile(`Requests/sec:\s+([0-9.]+)`)
	wrkTotal  = regexp.MustCompile(`([0-9]+) requests in`)
	wrkP99    = regexp.MustCompile(`99%\s+([0-9.]+)(us|ms|s)`)
	wrkErrors = regexp.MustCompile(`Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)`)
	wrkBad    = regexp.MustCompile(`Non-2xx or 3xx responses: (\d+)`)
)

// measureProxy runs wrk against the proxy.
func measureProxy(
	ctx context.Context,
	p *contest.Proxy,
	backends []*contest.Backend,
	l load,
	seconds int,
) (result, error) {
	var behind []int
	for _, b := range backends {
		behind = append(behind, b.PID())
	}
	args := []string{
		"-t1",
		"-c" + strconv.Itoa(l.connections),
		"-d" + strconv.Itoa(seconds),
		"--latency",
		"-H",
		"Host: " + contest.Host,
	}
	if l.close {
		args = append(args, "-H", "Connection: close")
	}
	before, err := cpu(p.PIDs(), behind)
	if err != nil {
		return result{}, err
	}
	out, err := exec.CommandContext(ctx, "wrk", append(args, "http://"+p.Address+l.path)...).CombinedOutput()
	if err != nil {
		return result{}, fmt.Errorf("wrk: %w: %s", err, out)
	}
	after, err := cpu(p.PIDs(), behind)
	if err != nil {
		return result{}, err
	}
	text := string(out)
	total := find(wrkTotal, text)
	if total == 0 {
		return result{}, fmt.Errorf("no request was answered: %s", text)
	}
	each := func(i int) float64 { return float64((after[i] - before[i]).Microseconds()) / total }
	r := result{
		Load:   l.Name,
		Proxy:  p.Name,
		Micros: each(0),
		Behind: each(1),
		Rate:   find(wrkRate, text),
		P99:    milliseconds(text),
	}
	if m := wrkErrors.FindStringSubmatch(text); m != nil && !l.close { // wrk counts a close as an error
		for _, n := range m[1:] {
			count, _ := strconv.Atoi(n)
			r.Errors += count
		}
	}
	r.Errors += int(find(wrkBad, text))
	return r, nil
}

func find(re *regexp.Regexp, text string) float64 {
	m := re.FindStringSubmatch(text)
	if m == nil {
		return 0
	}
	f, _ := strconv.ParseFloat(m[1], 64)
	return f
}

func milliseconds(text string) float64 {
	m := wrkP99.FindStringSubmatch(text)
	if m == nil {
		return 0
	}
	d, _ := time.ParseDuration(m[1] + m[2])
	return float64(d.Microseconds()) / 1000
}

// idleConnection is how much the proxy's memory grows by a connection that has
// had one answer and waits, in KiB.
func idleConnection(ctx context.Context, p *contest.Proxy, n int) (float64, error) {
	before, err := resident(p.PIDs())
	if err != nil {
		return 0, err
	}
	var conns []net.Conn
	defer func() {
		for _, c := range conns {
			_ = c.Close()
		}
	}()
	for range n {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", p.Address)
		if err != nil {
			return 0, err
		}
		conns = append(conns, conn)
		if _, err := fmt.Fprintf(conn, "GET /100 HTTP/1.1\r\nHost: %s\r\n\r\n", contest.Host); err != nil {
			return 0, err
		}
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			return 0, err
		}
		_ = answer.Body.Close()
	}
	after, err := resident(p.PIDs())
	return float64(after-before) / float64(n), err
}
