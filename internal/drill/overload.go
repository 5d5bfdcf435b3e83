package drill

import (
	"context"
	"fmt"
	"time"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/load"
)

const (
	rateGrowth      = 1.25            // from one step to the next
	defaultStep     = 5 * time.Second // duration of a step
	goodLatency     = time.Second     // users do not wait longer
	toleratedMisses = 0.01            // share of the requests
	highestRate     = 1e6             // requests per second; no generator reaches it
)

// Capacity is the load that a deployment can take.
type Capacity struct {
	Rate       float64 `json:"requests_per_second"`             // the highest rate that it served well
	PerMachine float64 `json:"requests_per_second_per_machine"` // the share of each healthy server
}

// overload raises the load in steps until more than one request in a hundred fails
// or takes longer than a second. Then it returns to the first rate and waits until
// the deployment has recovered.
func (r *run) overload(ctx context.Context) error {
	step := r.options.Duration
	if step == 0 {
		step = defaultStep
	}
	if err := awsapi.Sleep(ctx, r.options.Calm); err != nil {
		return err
	}
	for rate := r.options.Rate; rate < highestRate; rate *= rateGrowth {
		from := r.elapsed()
		r.load.SetRate(rate)
		if err := awsapi.Sleep(ctx, step); err != nil {
			return err
		}
		recording := r.load.Snapshot()
		offset := r.began.Sub(recording.Started)
		misses := missed(recording, offset+from, offset+r.elapsed()-goodLatency, rate)
		if misses > toleratedMisses {
			r.line.injected, r.line.restored = from, r.elapsed()
			r.drill.note("load", fmt.Sprintf("%.0f requests a second are too many: %.1f %% failed or took over %s",
				rate, 100*misses, goodLatency))
			break
		}
		r.capacity = Capacity{Rate: rate, PerMachine: rate / float64(max(1, r.line.healthyBefore))}
		r.drill.note("load", fmt.Sprintf("%.0f requests a second are served", rate))
	}
	r.load.SetRate(r.options.Rate)
	if err := r.waitForRecovery(ctx); err != nil {
		return err
	}
	return awsapi.Sleep(ctx, r.options.Calm)
}

// missed returns the share of the requests due in a period that were not answered
// well within goodLatency. It includes requests in flight and requests that the
// generator could not send.
func missed(recording load.Recording, from, to time.Duration, rate float64) float64 {
	good := 0
	for _, s := range recording.Samples {
		if s.At >= from && s.At < to && s.Kind == load.OK && s.Latency <= goodLatency {
			good++
		}
	}
	due := rate * (to - from).Seconds()
	if due <= 0 {
		return 0
	}
	return max(0, 1-float64(good)/due)
}
