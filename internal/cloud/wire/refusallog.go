package wire

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// refusalInterval is the shortest time between two log lines about requests that nobody
// is known to have made, so that strangers cannot fill the disk with them.
const refusalInterval = time.Second

// refusalLog logs requests that were refused before their signature was verified.
type refusalLog struct {
	mu      sync.Mutex
	last    time.Time
	omitted int // since last
}

// log logs a refusal, unless one was logged within refusalInterval.
func (l *refusalLog) log(ctx context.Context, to *slog.Logger, x *exchange, code string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if now.Sub(l.last) < refusalInterval {
		l.omitted++
		return
	}
	to.LogAttrs(ctx, slog.LevelInfo, "refused a request", slog.String("request", x.id),
		slog.String("service", x.claim.service), slog.String("code", code), slog.Int("more", l.omitted))
	l.last, l.omitted = now, 0
}
