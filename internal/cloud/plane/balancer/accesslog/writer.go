//go:build linux

// Package accesslog writes the access logs of Application Load Balancers.
package accesslog

import (
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// deliverEvery is how often a node's log file is delivered. AWS takes five minutes;
// someone who tries something out here need not wait that long.
const deliverEvery = time.Minute

// maxBuffer is how many bytes of entries may wait for the disk. Entries beyond that
// are dropped and counted. From flushSize bytes on, entries are written before the
// interval ends.
const (
	maxBuffer = 8 << 20
	flushSize = 64 << 10
)

// Config configures the log of one node.
type Config struct {
	Dir          string     // in place of a bucket and prefix
	LoadBalancer string     // ARN
	DNSName      string     // of the load balancer
	Address      netip.Addr // of the node, as clients know it
	Start        time.Time  // the zero of the entries' times

	Dropped *atomic.Uint64 // counts the entries that could not be written
	Log     *slog.Logger
}

// Writer writes the access log of a node, one file for each interval with requests
// (Application Load Balancer guide, Access logs: Access log files).
type Writer struct {
	conf    Config
	lb      loadBalancer
	dnsName []byte
	start   int64 // Config.Start in nanoseconds of Unix time

	flush chan struct{} // holds one: the buffer has reached flushSize
	stop  chan struct{} // closed by Close
	done  chan struct{} // closed when everything is written

	mu     sync.Mutex
	buffer []byte
	closed bool

	file *file // of the present interval; nil: nothing was written in it
}

// New returns a writer. Close it to deliver the last file.
func New(conf Config) *Writer {
	w := newWriter(conf)
	go w.run()
	return w
}

func newWriter(conf Config) *Writer {
	return &Writer{
		conf: conf, lb: parseARN(conf.LoadBalancer), dnsName: []byte(conf.DNSName), start: conf.Start.UnixNano(),
		flush: make(chan struct{}, 1), stop: make(chan struct{}), done: make(chan struct{}),
	}
}

// Dir returns the folder of the log.
func (w *Writer) Dir() string { return w.conf.Dir }

// Write adds a formatted entry to the log without waiting for the disk. It returns
// false if the writer is closed.
func (w *Writer) Write(line []byte) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.closed:
		return false
	case len(w.buffer)+len(line) > maxBuffer:
		w.conf.Dropped.Add(1)
		return true
	}
	before := len(w.buffer)
	w.buffer = append(w.buffer, line...)
	if before < flushSize && len(w.buffer) >= flushSize {
		select {
		case w.flush <- struct{}{}:
		default:
		}
	}
	return true
}

// Close rejects further entries and returns when all others are on disk.
func (w *Writer) Close() {
	w.mu.Lock()
	first := !w.closed
	w.closed = true
	w.mu.Unlock()
	if first {
		close(w.stop)
	}
	<-w.done
}

// run writes the buffered entries and delivers a file at the end of each interval.
func (w *Writer) run() {
	defer close(w.done)
	var spare []byte
	for {
		end := time.Now().Truncate(deliverEvery).Add(deliverEvery)
		deliver := time.NewTimer(time.Until(end))
		full, last := true, false
		for full && !last {
			select {
			case <-w.flush:
			case <-deliver.C:
				full = false
			case <-w.stop:
				last = true
			}
			w.mu.Lock()
			entries := w.buffer
			w.buffer = spare[:0]
			w.mu.Unlock()
			w.writeEntries(entries, end)
			spare = entries
		}
		deliver.Stop()
		w.deliver()
		if last {
			return
		}
	}
}

// writeEntries appends entries to the file of the interval that ends then. It counts
// those that the disk does not accept as dropped.
func (w *Writer) writeEntries(entries []byte, end time.Time) {
	if len(entries) == 0 {
		return
	}
	err := w.open(end)
	if err == nil {
		_, err = w.file.zip.Write(entries)
	}
	if err != nil {
		w.conf.Dropped.Add(uint64(strings.Count(string(entries), "\n")))
		w.conf.Log.Error("write the access log", "error", err)
	}
}
