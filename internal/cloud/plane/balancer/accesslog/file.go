//go:build linux

package accesslog

import (
	"compress/gzip"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
)

// file is a log file that is being written, under a temporary name.
type file struct {
	*os.File
	zip  *gzip.Writer
	name string // once it is complete
}

// loadBalancer holds the parts of a load balancer's ARN that appear in logs.
type loadBalancer struct {
	account, region string
	id              string // resource ID without "loadbalancer/"
}

func parseARN(arn string) loadBalancer {
	fields := strings.SplitN(arn, ":", 6)
	if len(fields) < 6 {
		return loadBalancer{"-", "-", arn}
	}
	return loadBalancer{fields[4], fields[3], strings.TrimPrefix(fields[5], "loadbalancer/")}
}

// open opens the file of the interval that ends then, if it is not open.
func (w *Writer) open(end time.Time) error {
	if w.file != nil {
		return nil
	}
	name := filepath.Join(w.conf.Dir, w.fileName(end.UTC()))
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return fmt.Errorf("create the access log's folder: %w", err)
	}
	f, err := os.OpenFile(name+balancer.UnfinishedLog, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("create an access log file: %w", err)
	}
	zip, _ := gzip.NewWriterLevel(f, gzip.BestSpeed) // errors only for an invalid level
	w.file = &file{f, zip, name}
	return nil
}

// fileName returns AWS's name, below bucket and prefix, for the file of the interval
// that ends then.
func (w *Writer) fileName(end time.Time) string {
	dir := filepath.Join("AWSLogs", w.lb.account, "elasticloadbalancing", w.lb.region, end.Format("2006/01/02"))
	id, stamp := strings.ReplaceAll(w.lb.id, "/", "."), end.Format("20060102T1504Z")
	return filepath.Join(dir, fmt.Sprintf("%s_elasticloadbalancing_%s_%s_%s_%s_%s.log.gz",
		w.lb.account, w.lb.region, id, stamp, w.conf.Address, randomString()))
}

// randomString returns the random part of a file's name.
func randomString() string {
	const letters = "0123456789abcdefghijklmnopqrstuvwxyz"
	var s [8]byte
	for i := range s {
		s[i] = letters[rand.N(len(letters))]
	}
	return string(s[:])
}

// deliver completes the present file.
func (w *Writer) deliver() {
	if w.file == nil {
		return
	}
	err := errors.Join(w.file.zip.Close(), w.file.Close())
	if err == nil {
		err = os.Rename(w.file.Name(), w.file.name)
	}
	if err != nil {
		w.conf.Log.Error("deliver the access log", "error", err)
	}
	w.file = nil
}
