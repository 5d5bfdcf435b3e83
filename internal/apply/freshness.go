package apply

import (
	"context"
	"fmt"
	"time"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/event"
)

const (
	// metricsLimit is how long the metrics of the end of a release may take to arrive:
	// two minutes until the next minute has ended, three until it is published, and a
	// margin.
	metricsLimit = 6 * time.Minute
	// promptAge is the age that the newest minute never exceeds if a cloud reports the
	// running minute while it lasts, as the local cloud does every ten seconds.
	promptAge = time.Minute + 15*time.Second
)

// observeAge records how old the newest measured minute is. The oldest age that was seen
// shows whether the cloud reports minutes while they last or after they have ended. AWS
// reports them a minute or more later.
func (w *releaseWatch) observeAge(newest time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !newest.IsZero() {
		w.oldest = max(w.oldest, time.Since(newest))
	}
}

// covers reports whether the metrics up to a minute of which newest is the start include
// everything that happened until a time. Where minutes are published after they have
// ended, one is certainly complete when the next one has arrived.
func (w *releaseWatch) covers(newest, until time.Time) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	minute := until.Truncate(time.Minute)
	if w.oldest > promptAge {
		minute = minute.Add(time.Minute)
	}
	return !newest.Before(minute)
}

// awaitMetrics waits until the metrics cover everything until now, so that the last check
// sees the errors of the whole watch. If they do not arrive in time, it says so, and the
// servers' health has to suffice.
func (w *releaseWatch) awaitMetrics(ctx context.Context) error {
	until, told := time.Now(), false
	found, err := w.discover(ctx)
	if err != nil {
		return err
	}
	for {
		m, err := w.readMetrics(ctx, found)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil, w.covers(m.newest, until):
			return nil // the last check reports the error
		case m.newest.IsZero():
			w.note("the errors that users see are not watched: the load balancer has no metrics")
			return nil
		case time.Since(until) > metricsLimit:
			w.note(fmt.Sprintf("the load balancer's metrics after %s have not arrived within %s: "+
				"errors since then are not known", formatTime(m.newest.Add(time.Minute)), metricsLimit))
			return nil
		}
		if !told {
			told = true
			w.note(fmt.Sprintf("waiting for up to %s for the load balancer's metrics of %s, which arrive late",
				metricsLimit, formatTime(until)))
		}
		if err := awsapi.Sleep(ctx, w.poll); err != nil {
			return err
		}
	}
}

func formatTime(t time.Time) string { return t.Local().Format(time.TimeOnly) }

// note emits a note about the release.
func (w *releaseWatch) note(message string) {
	w.events(event.Event{
		Time: time.Now(), Kind: event.Note, Address: "release " + w.record.Release, Message: message,
	})
}
