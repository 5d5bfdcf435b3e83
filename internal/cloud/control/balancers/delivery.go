//go:build linux

package balancers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"aloft.dev/aloft/internal/cloud/bucketpolicy"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/plane/balancer"
)

const (
	// maxLogs is how many bytes all access logs together may have, and maxSpool how many of
	// them those that are not in their bucket.
	maxLogs  = 1 << 30
	maxSpool = 128 << 20
	// deliveryInterval is how often the loop looks for finished access logs.
	deliveryInterval = 2 * time.Second
	// deliveryLimit is how long a log waits for its bucket to exist and to admit it.
	deliveryLimit = time.Hour
)

// Buckets is the part of S3 that takes access logs.
type Buckets interface {
	Deliver(d bucketpolicy.Delivery, log io.Reader) error
	// BoundDelivered deletes the oldest logs beyond a number of bytes.
	BoundDelivered(limit int64) (deleted int, err error)
}

// deliverLogs moves finished access logs to their buckets, and deletes the oldest when all
// together are too large.
func (l *Loop) deliverLogs(ctx context.Context) error {
	if l.Logs == "" {
		return nil
	}
	spool := &balancer.Spool{Dir: l.Logs, Limit: maxSpool, Deliver: l.deliverLog}
	tick := time.NewTicker(deliveryInterval)
	defer tick.Stop()
	for {
		dropped, err := spool.Empty()
		if err != nil {
			l.Log.Error("deliver access logs", "error", err)
		}
		if dropped > 0 {
			l.Log.Warn("deleted access logs of load balancers that no bucket has taken", "files", dropped)
		}
		switch deleted, err := l.Buckets.BoundDelivered(maxLogs - maxSpool); {
		case err != nil:
			l.Log.Error("bound the access logs", "error", err)
		case deleted > 0:
			l.Log.Warn("deleted the oldest access logs of load balancers", "objects", deleted, "limit", maxLogs)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// errWaiting is the error for a log whose bucket does not take it yet.
var errWaiting = errors.New("the bucket does not take the log yet")

// deliverLog puts a file into its bucket.
func (l *Loop) deliverLog(name string, modified time.Time, log io.Reader) error {
	d, err := deliveryOf(name)
	if err != nil {
		return fmt.Errorf("%w: %w", balancer.ErrUndeliverable, err)
	}
	err = l.Buckets.Deliver(d, log)
	switch {
	case !errors.Is(err, bucketpolicy.ErrNotAdmitted):
		return err
	case time.Since(modified) > deliveryLimit:
		return balancer.ErrUndeliverable
	}
	return fmt.Errorf("deliver to %s: %w", d.Bucket, errWaiting)
}

// deliveryOf returns the bucket and key of an access log, and the load balancer, whose region
// and id are in the file's name.
func deliveryOf(name string) (bucketpolicy.Delivery, error) {
	bucket, key, _ := strings.Cut(filepath.ToSlash(name), "/")
	parts := strings.Split(filepath.Base(key), "_")
	if key == "" || len(parts) < 4 {
		return bucketpolicy.Delivery{}, fmt.Errorf("%s is not the name of an access log", name)
	}
	region, id := identity.RegionOf(parts[0], parts[2]), strings.ReplaceAll(parts[3], ".", "/")
	return bucketpolicy.Delivery{
		Bucket: bucket, Key: key, Region: region, Service: bucketpolicy.LoadBalancers,
		Source: identity.ARN("elasticloadbalancing", region, "loadbalancer/"+id),
	}, nil
}
