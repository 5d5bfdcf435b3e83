//go:build linux

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

// The figures in wrk's output.
var (
	wrkRate   = regexp.MustCompile(`Requests/sec:\s+([0-9.]+)`)
	wrkTotal  = regexp.MustCompile(`([0-9]+) requests in`)
	wrkP99    = regexp.MustCompile(`99%\s+([0-9.]+)(us|ms|s)`)
	wrkErrors = regexp.MustCompile(`Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)`)
	wrkBad    = regexp.MustCompile(`Non-2xx or 3xx responses: (\d+)`)
)

// measureProxy runs wrk against the proxy.
func measureProxy(
	ctx context.Context, p *contest.Proxy, backends []*contest.Backend, l load, seconds int,
) (result, error) {
	var behind []int
	for _, b := range backends {
		behind = append(behind, b.PID())
	}
	before, err := cpuTimes(p.PIDs(), behind)
	if err != nil {
		return result{}, err
	}
	text, err := runWrk(ctx, p, l, seconds)
	if err != nil {
		return result{}, err
	}
	after, err := cpuTimes(p.PIDs(), behind)
	if err != nil {
		return result{}, err
	}
	total := find(wrkTotal, text)
	if total == 0 {
		return result{}, fmt.Errorf("wrk got no response: %s", text)
	}
	perRequest := func(i int) float64 { return float64((after[i] - before[i]).Microseconds()) / total }
	r := result{
		Load: l.name, Proxy: p.Name, Micros: perRequest(0), Behind: perRequest(1),
		Rate: find(wrkRate, text), P99: milliseconds(text), Errors: int(find(wrkBad, text)),
	}
	if m := wrkErrors.FindStringSubmatch(text); m != nil && !l.close { // wrk counts a close as an error
		for _, n := range m[1:] {
			count, _ := strconv.Atoi(n)
			r.Errors += count
		}
	}
	return r, nil
}

func runWrk(ctx context.Context, p *contest.Proxy, l load, seconds int) (string, error) {
	args := []string{"-t1", "-c" + strconv.Itoa(l.connections), "-d" + strconv.Itoa(seconds), "--latency"}
	args = append(args, "-H", "Host: "+contest.Host)
	if l.close {
		args = append(args, "-H", "Connection: close")
	}
	out, err := exec.CommandContext(ctx, "wrk", append(args, "http://"+p.Address+l.path)...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("wrk: %w: %s", err, out)
	}
	return string(out), nil
}

// find returns the number that the expression finds, or 0.
func find(re *regexp.Regexp, text string) float64 {
	m := re.FindStringSubmatch(text)
	if m == nil {
		return 0
	}
	f, _ := strconv.ParseFloat(m[1], 64)
	return f
}

// milliseconds returns the 99th percentile.
func milliseconds(text string) float64 {
	m := wrkP99.FindStringSubmatch(text)
	if m == nil {
		return 0
	}
	d, _ := time.ParseDuration(m[1] + m[2])
	return float64(d.Microseconds()) / 1000
}

// idleConnection returns by how many KiB the proxy's memory grows for each of n
// connections that have had one response and wait.
func idleConnection(ctx context.Context, p *contest.Proxy, n int) (float64, error) {
	before, err := residentMemory(p.PIDs())
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
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			return 0, err
		}
		_ = resp.Body.Close()
	}
	after, err := residentMemory(p.PIDs())
	return float64(after-before) / float64(n), err
}
