//go:build linux

package balancers

import (
	"context"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
)

const (
	// maxLogs is how many bytes all access logs together may have.
	maxLogs = 1 << 30
	// logsInterval is how often the loop compares the access logs with maxLogs.
	logsInterval = time.Minute
)

// boundLogs deletes the oldest access logs when all together are too large.
func (l *Loop) boundLogs(ctx context.Context) error {
	if l.Logs == "" {
		return nil
	}
	tick := time.NewTicker(logsInterval)
	defer tick.Stop()
	for {
		switch deleted, err := balancer.BoundLogs(l.Logs, maxLogs); {
		case err != nil:
			l.Log.Error("bound the access logs", "error", err)
		case deleted > 0:
			l.Log.Warn("deleted the oldest access logs of load balancers", "files", deleted, "limit", maxLogs)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}
