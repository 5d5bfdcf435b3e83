package console

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

func TestTimelineIsScrolled(t *testing.T) {
	now := time.Date(2026, 11, 29, 12, 0, 30, 0, time.UTC)
	at := func(hour, minute int) time.Time { return time.Date(2026, 11, 29, hour, minute, 0, 0, time.UTC) }
	for query, want := range map[string]time.Time{
		"": at(12, 1), "back=0": at(12, 1), "back=20": at(11, 41), "back=50": at(11, 11), "back=999": at(11, 11),
		"back=-5": at(12, 1), "back=x": at(12, 1), "until=2026-11-29T11:30:00Z": at(11, 30),
		"until=2026-11-28T11:30:00Z": at(11, 11), "until=2026-11-30T11:30:00Z": at(12, 1),
	} {
		d := newTimeline(httptest.NewRequest(http.MethodGet, "/?"+query, nil), now)
		if !d.WindowEnd.Equal(want) || !d.WindowFrom.Equal(want.Add(-timelineWindow)) ||
			d.Back != int(at(12, 1).Sub(want)/time.Minute) {
			t.Errorf("%q: %s to %s, %d minutes back; want the end %s", query, d.WindowFrom, d.WindowEnd, d.Back, want)
		}
	}
}

func TestTimelineCountsCallsAndListsThoseThatChangeSomething(t *testing.T) {
	now := time.Date(2026, 11, 29, 12, 0, 30, 0, time.UTC)
	calls := &Calls{}
	calls.Add(Call{At: now.Add(-2 * time.Hour), Operation: "RunInstances", Code: "OK"})
	for i, operation := range []string{"RunInstances", "DescribeVpcs", "DescribeVpcs", "DeleteVpc"} {
		code := "OK"
		if i == 2 {
			code = "AuthFailure"
		}
		calls.Add(Call{At: now.Add(time.Duration(i-5) * time.Minute), Operation: operation, Code: code})
	}
	for query, want := range map[string]int{"": 3, "reads=1": 4, "back=30": 0} {
		d := newTimeline(httptest.NewRequest(http.MethodGet, "/?"+query, nil), now)
		calls.addTo(&d)
		if len(d.Moments) != want {
			t.Errorf("%q lists %v", query, d.Moments)
		}
	}
	d := newTimeline(httptest.NewRequest(http.MethodGet, "/", nil), now)
	(&Calls{}).addTo(&d)
	if d.Calls.Sum() != "0" || !d.CallsSince.IsZero() {
		t.Errorf("without calls: %v", d)
	}
}
