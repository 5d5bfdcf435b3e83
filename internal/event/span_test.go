package event_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"aloft.dev/aloft/internal/event"
)

// recorder returns a sink and the events that it has received.
func recorder() (event.Sink, *[]event.Event) {
	var events []event.Event
	return func(e event.Event) { events = append(events, e) }, &events
}

func TestSpanReportsStartAndEndOfWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink, events := recorder()
		began := time.Now()
		span := sink.Begin(event.Event{Address: "vpc", Step: "1", Message: "create VPC"})
		time.Sleep(2 * time.Second)
		span.Done("VPC vpc-1")
		want := []event.Event{
			{Time: began, Kind: event.Start, Address: "vpc", Step: "1", Message: "create VPC"},
			{
				Time: began.Add(2 * time.Second), Kind: event.Done, Address: "vpc", Step: "1",
				Message: "VPC vpc-1", Elapsed: 2 * time.Second,
			},
		}
		if len(*events) != 2 || (*events)[0] != want[0] || (*events)[1] != want[1] {
			t.Errorf("got %+v, want %+v", *events, want)
		}
	})
}

func TestTrackReportsHowWorkEnded(t *testing.T) {
	broken := errors.New("disk full")
	message := func(err error) string { return "failed: " + err.Error() }
	for _, test := range []struct {
		err  error
		kind event.Kind
		text string
	}{
		{nil, event.Done, "copy"},
		{broken, event.Fail, "failed: disk full"},
	} {
		sink, events := recorder()
		err := sink.Track(event.Event{Address: "image", Message: "copy"}, message, func() error { return test.err })
		if !errors.Is(err, test.err) {
			t.Errorf("got the error %v, want %v", err, test.err)
		}
		last := (*events)[len(*events)-1]
		if len(*events) != 2 || last.Kind != test.kind || last.Message != test.text || last.Address != "image" {
			t.Errorf("after %v: got %+v", test.err, *events)
		}
	}
}

func TestEventAsJSONOmitsWhatIsEmpty(t *testing.T) {
	got, err := json.Marshal(event.Event{Kind: event.Note, Message: "hello"})
	if err != nil || !strings.HasSuffix(string(got), `"kind":"note","message":"hello"}`) {
		t.Errorf("got %s, %v", got, err)
	}
	got, err = json.Marshal(event.Event{Kind: event.Done, Address: "vpc", Step: "1", Elapsed: time.Second})
	const want = `"kind":"done","address":"vpc","step":"1","elapsed_ns":1000000000}`
	if err != nil || !strings.HasSuffix(string(got), want) {
		t.Errorf("got %s, %v", got, err)
	}
}
