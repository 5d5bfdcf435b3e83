package balancer

import (
	"compress/gzip"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// logEvery is how often a node's access log is delivered. AWS takes five
// minutes; who tries something out here need not wait that long.
const logEvery = time.Minute

// logBuffer is how many bytes of entries wait for the disk at most; what comes
// when they are that many is left out and counted. logWake is from how many on
// they are written before the file's time has come.
const (
	logBuffer = 8 << 20
	logWake   = 64 << 10
)

// journal is the access log of a node: a file for every interval with requests
// (Application Load Balancer guide, Access logs: Access log files).
type journal struct {
	dir     string       // takes the place of bucket and prefix
	of      [3]string    // account, region and resource id of the load balancer
	host    string       // the load balancer's name
	address netip.Addr   // of the node, as clients know it
	started func() int64 // the beginning of the engine's clock in nanoseconds of Unix time
	dropped *atomic.Uint64
	log     *slog.Logger

	wake chan struct{} // holds one: there is much to write
	stop chan struct{} // closed by close
	done chan struct{} // closed when all is written

	mu     sync.Mutex
	buffer []byte
	closed bool

	file *logFile // the present interval's; nil: nothing has been written in it
}

// logFile is a file that is being written, under a name of its own.
type logFile struct {
	*os.File
	zip  *gzip.Writer
	name string // when it is complete
}

// parts takes an ARN apart: account, region and resource id, without the kind.
func parts(arn string) [3]string {
	fields := strings.SplitN(arn, ":", 6)
	if len(fields) < 6 {
		return [3]string{"-", "-", arn}
	}
	return [3]string{fields[4], fields[3], strings.TrimPrefix(fields[5], "loadbalancer/")}
}

// keepJournal begins, replaces or ends the node's access log as the load
// balancer wants it. The engine's lock is held.
func (n *node) keepJournal(lb *LoadBalancer) {
	old := n.journal.Load()
	switch {
	case old == nil && lb.LogDir == "", old != nil && old.dir == lb.LogDir:
		return
	case lb.LogDir == "":
		n.journal.Store(nil)
	default:
		j := &journal{
			dir: lb.LogDir, of: parts(lb.ARN), host: lb.DNSName, address: n.at.Address, dropped: &n.logDropped, log: n.log,
			started: n.owner.started.UnixNano, wake: make(chan struct{}, 1), stop: make(chan struct{}), done: make(chan struct{}),
		}
		if n.at.Public.IsValid() {
			j.address = n.at.Public
		}
		n.owner.journals[j] = true
		n.journal.Store(j)
		go j.run() // the engine waits for it: see close
	}
	if old != nil {
		delete(n.owner.journals, old)
		n.owner.tasks.Go(old.close)
	}
}

// endJournal ends the access log of a node that is gone, once its last requests
// have ended. When the engine closes before that, it ends the log itself.
func (n *node) endJournal() {
	if n.journal.Load() == nil {
		return
	}
	n.owner.tasks.Go(func() {
		if wait(n.owner.ctx, time.After(retireWithin), nil) {
			n.owner.mu.Lock()
			defer n.owner.mu.Unlock()
			n.keepJournal(&LoadBalancer{})
		}
	})
}

// note writes an entry; false: the journal is closed. It does not wait for the
// disk.
func (j *journal) note(c *connection, x *exchange) bool {
	x.line = j.appendEntry(x.line[:0], c, x)
	j.mu.Lock()
	defer j.mu.Unlock()
	switch {
	case j.closed:
		return false
	case len(j.buffer)+len(x.line) > logBuffer:
		j.dropped.Add(1)
		return true
	}
	before := len(j.buffer)
	j.buffer = append(j.buffer, x.line...)
	if before < logWake && len(j.buffer) >= logWake {
		select {
		case j.wake <- struct{}{}:
		default:
		}
	}
	return true
}

// close takes no more entries and returns when all are on disk.
func (j *journal) close() {
	j.mu.Lock()
	first := !j.closed
	j.closed = true
	j.mu.Unlock()
	if first {
		close(j.stop)
	}
	<-j.done
}

// run writes what has been noted, and delivers a file at the end of every
// interval.
func (j *journal) run() {
	defer close(j.done)
	var spare []byte
	for {
		end := time.Now().Truncate(logEvery).Add(logEvery)
		late := time.NewTimer(time.Until(end))
		full, last := true, false
		for full && !last {
			select {
			case <-j.wake:
			case <-late.C:
				full = false
			case <-j.stop:
				last = true
			}
			j.mu.Lock()
			entries := j.buffer
			j.buffer = spare[:0]
			j.mu.Unlock()
			j.write(entries, end)
			spare = entries
		}
		late.Stop()
		j.deliver()
		if last {
			return
		}
	}
}

// write puts entries into the file of the interval that ends then.
func (j *journal) write(entries []byte, end time.Time) {
	if len(entries) == 0 {
		return
	}
	err := j.open(end)
	if err == nil {
		_, err = j.file.zip.Write(entries)
	}
	if err != nil {
		j.dropped.Add(uint64(strings.Count(string(entries), "\n")))
		j.log.Error("write the access log", "error", err)
	}
}

func (j *journal) open(end time.Time) error {
	if j.file != nil {
		return nil
	}
	name := j.name(end.UTC())
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return fmt.Errorf("make the access log's folder: %w", err)
	}
	file, err := os.OpenFile(name+".part", os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("open an access log: %w", err)
	}
	zip, _ := gzip.NewWriterLevel(file, gzip.BestSpeed) // the level exists
	j.file = &logFile{file, zip, name}
	return nil
}

// name is the name of the file of the interval that ends then, as AWS gives it
// below bucket and prefix.
func (j *journal) name(end time.Time) string {
	const letters = "0123456789abcdefghijklmnopqrstuvwxyz"
	var random [8]byte
	for i := range random {
		random[i] = letters[rand.N(len(letters))]
	}
	account, region, id := j.of[0], j.of[1], strings.ReplaceAll(j.of[2], "/", ".")
	return filepath.Join(
		j.dir,
		"AWSLogs",
		account,
		"elasticloadbalancing",
		region,
		end.Format("2006/01/02"),
		fmt.Sprintf(
			"%s_elasticloadbalancing_%s_%s_%s_%s_%s.log.gz",
			account,
			region,
			id,
			end.Format("20060102T1504Z"),
			j.address,
			random[:],
		),
	)
}

// deliver completes the present file.
func (j *journal) deliver() {
	if j.file == nil {
		return
	}
	err := errors.Join(j.file.zip.Close(), j.file.Close())
	if err == nil {
		err = os.Rename(j.file.Name(), j.file.name)
	}
	if err != nil {
		j.log.Error("deliver the access log", "error", err)
	}
	j.file = nil
}
