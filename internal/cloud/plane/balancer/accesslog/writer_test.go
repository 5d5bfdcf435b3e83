//go:build linux

package accesslog

import (
	"bytes"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/balancer/balancertest"
	"aloft.dev/aloft/internal/cloud/plane/balancer/http1"
)

const loadBalancerARN = "arn:aws:elasticloadbalancing:eu-west-1:000000000000:loadbalancer/app/web/0123456789abcdef"

func config(t *testing.T, dir string, dropped *atomic.Uint64) Config {
	return Config{
		Dir: dir, LoadBalancer: loadBalancerARN, DNSName: balancertest.DNSName,
		Address: netip.MustParseAddr("127.0.1.1"), Start: time.Now(), Dropped: dropped, Log: balancertest.Log(t),
	}
}

func TestEntriesThatTheDiskRejectsAreDroppedAndCounted(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var dropped atomic.Uint64
	w := New(config(t, file, &dropped)) // no folder can be created there
	if !w.Write([]byte("one\n")) || !w.Write([]byte("two\n")) {
		t.Error("an open writer rejects entries")
	}
	w.Close()
	if n := dropped.Load(); n != 2 {
		t.Errorf("%d entries are counted as dropped, not 2", n)
	}
	if w.Write([]byte("three\n")) {
		t.Error("a closed writer accepts entries")
	}
}

func TestEntriesBeyondTheBufferAreDroppedAndCounted(t *testing.T) {
	var dropped atomic.Uint64
	w := newWriter(config(t, t.TempDir(), &dropped)) // nothing empties its buffer
	if w.buffer = make([]byte, maxBuffer); !w.Write([]byte("one\n")) || dropped.Load() != 1 {
		t.Errorf("%d entries are counted as dropped, not 1", dropped.Load())
	}
}

func TestFullBufferIsWrittenBeforeTheIntervalEnds(t *testing.T) {
	dir := t.TempDir()
	w := New(config(t, dir, &atomic.Uint64{}))
	defer w.Close()
	line := append(bytes.Repeat([]byte("x"), flushSize-1), '\n')
	w.Write(line)
	for end := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		w.mu.Lock()
		left := len(w.buffer)
		w.mu.Unlock()
		if left == 0 {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%d bytes are still in the buffer", left)
		}
	}
}

func TestLoadBalancersARNNamesTheFile(t *testing.T) {
	w := newWriter(config(t, "logs", &atomic.Uint64{}))
	name := w.fileName(time.Date(2026, 11, 24, 12, 5, 0, 0, time.UTC))
	want := "AWSLogs/000000000000/elasticloadbalancing/eu-west-1/2026/11/24/" +
		"000000000000_elasticloadbalancing_eu-west-1_app.web.0123456789abcdef_20261124T1205Z_127.0.1.1_"
	if !strings.HasPrefix(name, want) || !strings.HasSuffix(name, ".log.gz") {
		t.Errorf("the file's name is %s", name)
	}
}

func TestIPv6AddressesHaveNoBrackets(t *testing.T) {
	w := newWriter(config(t, "logs", &atomic.Uint64{}))
	line := string(w.AppendEntry(nil, &Entry{
		Client: netip.MustParseAddrPort("[2001:db8::1]:50718"), Target: netip.MustParseAddrPort("[2001:db8::2]:80"),
		Request: &http1.Request{},
	}))
	if !strings.Contains(line, " 2001:db8::1:50718 2001:db8::2:80 ") || !strings.Contains(line, `"2001:db8::2:80"`) {
		t.Errorf("the entry is %s", line)
	}
}

// BenchmarkEntry measures what the access log adds to a request.
func BenchmarkEntry(b *testing.B) {
	conf := Config{LoadBalancer: loadBalancerARN, DNSName: balancertest.DNSName, Start: time.Now()}
	w := newWriter(conf)
	var req http1.Request
	head := "GET /some/path HTTP/1.1\r\nHost: example.com\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\n\r\n"
	if err := req.Parse([]byte(head)); err != nil {
		b.Fatal(err)
	}
	traceID := []byte("Root=1-67891233-abcdef012345678912345678")
	target := netip.MustParseAddrPort("10.0.0.1:80")
	var line []byte
	b.ReportAllocs()
	for b.Loop() {
		w.buffer = w.buffer[:0]
		entry := Entry{
			Port: 80, ConnectionID: [16]byte{1, 2}, Request: &req, TraceID: traceID, Action: "forward",
			TargetGroup: "arn:tg", Target: target, Status: 200, TargetStatus: 200,
			Begun: 1, Connected: 2, Answered: 300 * time.Microsecond, Ended: 301 * time.Microsecond,
		}
		line = w.AppendEntry(line[:0], &entry)
		w.Write(line)
	}
}
