package event

import "time"

// Span is work whose start was reported and whose end is still to be reported.
type Span struct {
	sink  Sink
	start Event
}

// Begin emits e as a Start event. The caller ends the span with Done or Fail.
func (s Sink) Begin(e Event) Span {
	e.Time, e.Kind = time.Now(), Start
	s(e)
	return Span{sink: s, start: e}
}

// Done emits a Done event.
func (p Span) Done(message string) { p.end(Done, message) }

// Fail emits a Fail event. message says why the work failed.
func (p Span) Fail(message string) { p.end(Fail, message) }

func (p Span) end(kind Kind, message string) {
	now := time.Now()
	e := p.start
	e.Time, e.Kind, e.Message, e.Elapsed = now, kind, message, now.Sub(p.start.Time)
	p.sink(e)
}

// Track emits e as a Start event, runs work, and emits a Done event, or a Fail
// event with the message that failure returns for work's error. It returns that
// error.
func (s Sink) Track(e Event, failure func(error) string, work func() error) error {
	span := s.Begin(e)
	err := work()
	if err != nil {
		span.Fail(failure(err))
	} else {
		span.Done(e.Message)
	}
	return err
}
