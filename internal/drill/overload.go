package drill

import (
	"context"
	"fmt"
	"time"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/load"
)

const (
	stepGrowth  = 1.25
	stepLasts   = 5 * time.Second
	latestGood  = time.Second // an answer after that is none for a user
	mostBad     = 0.01        // of the requests
	highestRate = 1e6         // requests a second: no generator gets there
)

// Capacity is how much load a deployment took.
type Capacity struct {
	Rate       float64 `json:"requests_per_second"`             // the highest that it coped with
	PerMachine float64 `json:"requests_per_second_per_machine"` // its share for each healthy server
}

// overload raises the load in steps until more than one request in a hundred
// fails or takes longer than a second, so the error rate or p99 is over its
// limit. Then it goes back to where it began, and looks whether the deployment
// does so, too.
func (r *run) overload(ctx context.Context) error {
	lasts := r.options.Duration
	if lasts == 0 {
		lasts = stepLasts
	}
	if err := awsapi.Sleep(ctx, r.options.Calm); err != nil {
		return err
	}
	for rate := r.options.Rate; rate < highestRate; rate *= stepGrowth {
		from := r.since()
		r.load.SetRate(rate)
		if err := awsapi.Sleep(ctx, lasts); err != nil {
			return err
		}
		recording := r.load.Snapshot()
		begun := r.began.Sub(recording.Started)
		if bad := missed(recording, begun+from, begun+r.since()-latestGood, rate); bad > mostBad {
			r.line.injected, r.line.restored = from, r.since()
			r.drill.note(
				"load",
				fmt.Sprintf(
					"%.0f requests a second are too many: %.1f %% failed or took longer than %s",
					rate,
					100*bad,
					latestGood,
				),
			)
			break
		}
		r.capacity = Capacity{Rate: rate, PerMachine: rate / float64(max(1, r.line.need))}
		r.drill.note("load", fmt.Sprintf("%.0f requests a second are served", rate))
	}
	r.load.SetRate(r.options.Rate)
	if err := r.recovered(ctx); err != nil {
		return err
	}
	return awsapi.Sleep(ctx, r.options.Calm)
}

// missed is the part of the requests due within a time that had no good answer
// by latestGood after it. Those that are still under way are among them, and
// those that the generator could not send.
func missed(recording load.Recording, from, to time.Duration, rate float64) float64 {
	good := 0
	for _, s := range recording.Samples {
		if s.At >= from && s.At < to && s.Kind == load.OK && s.Latency <= latestGood {
			good++
		}
	}
	due := rate * (to - from).Seconds()
	if due <= 0 {
		return 0
	}
	return max(0, 1-float64(good)/due)
}
