package lease

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

const (
	// Life is how long a lease is valid after it was last written.
	Life = 2 * time.Minute
	// RenewEvery is the interval between two renewals.
	RenewEvery = 20 * time.Second
	// checkEvery is the interval between two checks whether the lease expires soon. A
	// computer that wakes up learns of it in that time.
	checkEvery = 2 * time.Second
	// releaseLimit bounds the calls of a release.
	releaseLimit = 10 * time.Second
	// attempts bounds how often a lease is requested while others create and
	// release it.
	attempts = 5
	// settleLimit is how long a version may be missing in reads after it was written, and
	// settlePause the time between two reads.
	settleLimit = 30 * time.Second
	settlePause = 500 * time.Millisecond
)

// ErrLost is returned when the lease has expired and another run may hold it.
var ErrLost = errors.New("the lease has expired, and another run may hold it now")

// Lease is a lease that this run holds. Its methods may be called concurrently.
type Lease[R any] struct {
	// TookOver reports whether the lease was another run's that ended without
	// releasing it, so that its last call may not have had its effect yet.
	TookOver bool

	parameter Parameter[R]
	writing   sync.Mutex // serializes writes of the parameter

	mu      sync.Mutex
	record  R
	version int64
	expires time.Time // without a monotonic clock reading, because that clock stops while a computer sleeps
	lost    bool
}

func (p Parameter[R]) acquired(record R, version int64, expires time.Time) *Lease[R] {
	return &Lease[R]{parameter: p, record: record, version: version, expires: expires}
}

// Record returns the current record.
func (l *Lease[R]) Record() R {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.record
}

// Update changes the record and stores it, which renews the lease. If storing
// fails, the change is kept and stored by the next renewal.
func (l *Lease[R]) Update(ctx context.Context, change func(*R)) error {
	l.writing.Lock()
	defer l.writing.Unlock()
	l.mu.Lock()
	change(&l.record)
	l.mu.Unlock()
	return l.renew(ctx)
}

// Renew renews the lease every RenewEvery until ctx ends. It calls lost and
// returns once the lease is lost, or cannot be renewed before it expires.
func (l *Lease[R]) Renew(ctx context.Context, lost func()) {
	check, renew := time.NewTicker(checkEvery), time.NewTicker(RenewEvery)
	defer check.Stop()
	defer renew.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-renew.C:
		case <-check.C:
			if !l.expiresWithin(RenewEvery) {
				continue
			}
		}
		err := l.Update(ctx, func(*R) {})
		if err == nil || ctx.Err() != nil {
			continue
		}
		if errors.Is(err, ErrLost) || l.expiresWithin(checkEvery) {
			l.setLost()
			lost()
			return
		}
	}
}

// Release deletes the record, also if ctx has ended. A lease that was lost is
// left to the run that holds it now.
func (l *Lease[R]) Release(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseLimit)
	defer cancel()
	l.writing.Lock()
	defer l.writing.Unlock()
	if l.expiresWithin(releaseLimit) {
		// Parameter Store cannot delete conditionally. A renewed lease cannot be
		// taken over between the check and the deletion.
		if err := l.renew(ctx); err != nil && !errors.Is(err, ErrLost) {
			return fmt.Errorf("release %s: %w", l.parameter.Name, err)
		}
	}
	if l.isLost() {
		return nil
	}
	record := l.Record()
	if err := l.parameter.Remove(ctx, *l.parameter.HolderOf(&record)); err != nil {
		return fmt.Errorf("release %s: %w", l.parameter.Name, err)
	}
	return nil
}

// renew stores the record. The caller holds writing.
func (l *Lease[R]) renew(ctx context.Context) error {
	if l.isLost() {
		return ErrLost
	}
	lapsed, record := l.expiresWithin(0), l.Record()
	if lapsed { // overwrite no record of a successor
		now, err := l.parameter.read(ctx)
		if err != nil {
			return err
		}
		if now == nil || !l.parameter.HolderOf(&now.record).is(*l.parameter.HolderOf(&record)) {
			l.setLost()
			return ErrLost
		}
	}
	version, expires, err := l.parameter.put(ctx, record, true)
	if err != nil {
		return fmt.Errorf("renew %s: %w", l.parameter.Name, err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if lapsed && version != l.version+1 { // another run took the lease over before this put
		l.lost = true
		return ErrLost
	}
	l.version, l.expires = version, expires
	return nil
}

func (l *Lease[R]) expiresWithin(d time.Duration) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !l.parameter.now().Add(d).Before(l.expires)
}

func (l *Lease[R]) isLost() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lost
}

func (l *Lease[R]) setLost() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lost = true
}
