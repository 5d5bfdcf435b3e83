package console

import "time"

// Timing is how many answers took from From up to, but not including, To.
type Timing struct {
	From, To time.Duration
	Count    uint64
}

// Latency is how long answers took: ranges of times in ascending order.
type Latency []Timing

// growth returns what was counted since an earlier reading.
func growth(now, before Latency) (grown Latency) {
	counted := make(map[time.Duration]uint64, len(before))
	for _, t := range before {
		counted[t.From] = t.Count
	}
	for _, t := range now {
		if t.Count -= min(t.Count, counted[t.From]); t.Count > 0 {
			grown = append(grown, t)
		}
	}
	return grown
}

// plus returns both together. Equal ranges are one then.
func (l Latency) plus(other Latency) Latency {
	sum := make(Latency, 0, max(len(l), len(other)))
	for len(l) > 0 && len(other) > 0 {
		switch a, b := l[0], other[0]; {
		case a.From < b.From:
			sum, l = append(sum, a), l[1:]
		case b.From < a.From:
			sum, other = append(sum, b), other[1:]
		default:
			a.Count += b.Count
			sum, l, other = append(sum, a), l[1:], other[1:]
		}
	}
	return append(append(sum, l...), other...)
}

// percentile returns the milliseconds within which a share of the answers came, or "–" if there
// was none. In a range, answers are spread evenly.
func (l Latency) percentile(share float64) string {
	var all uint64
	for _, t := range l {
		all += t.Count
	}
	left := share * float64(all)
	for _, t := range l {
		n := float64(t.Count)
		if left <= n {
			return number((float64(t.From) + float64(t.To-t.From)*left/n) / float64(time.Millisecond))
		}
		left -= n
	}
	return "–"
}

// Median returns the milliseconds within which half of the answers came.
func (l Latency) Median() string { return l.percentile(0.5) }

// P99 returns the milliseconds within which 99 of a hundred answers came.
func (l Latency) P99() string { return l.percentile(0.99) }
