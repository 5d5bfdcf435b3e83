// Package journal reads the log of an application's servers from CloudWatch Logs, where it
// outlives them.
package journal

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
)

// API is the part of CloudWatch Logs that the package uses.
type API interface {
	FilterLogEvents(
		context.Context, *cloudwatchlogs.FilterLogEventsInput, ...func(*cloudwatchlogs.Options),
	) (*cloudwatchlogs.FilterLogEventsOutput, error)
}

// Line is a line of a log.
type Line struct {
	Time     time.Time
	Instance string // ID of the server's instance
	Process  string // of the application: "web"
	Text     string
}

// Query selects lines.
type Query struct {
	Instance     string // ID of one instance; "" for all
	Process      string // name of one process; "" for all
	Since, Until time.Time
	Contains     string // text in each line
	Lines        int    // how many of the last lines; 0 for all
	Follow       bool   // continue with new lines until the context ends
}

// Reader reads the log of an application.
type Reader struct {
	API   API
	Group string        // name of its log group
	Poll  time.Duration // between two requests for new lines
}

// epoch is the earliest time from which CloudWatch Logs reads the latest lines first
// (CloudWatch Logs API Reference, FilterLogEvents).
var epoch = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)

// lateness is how much later than newer lines of other servers a line may arrive, to be
// shown while following.
const lateness = 5 * time.Minute

// Read calls show for each selected line in the order of their times, and while following in
// the order of their arrival. It returns nil when the context ends.
func (r *Reader) Read(ctx context.Context, q Query, show func(Line)) error {
	err := r.read(ctx, q, show)
	if ctx.Err() != nil {
		return nil
	}
	return err
}

func (r *Reader) read(ctx context.Context, q Query, show func(Line)) error {
	seen := arrivals{}
	shown := func(e types.FilteredLogEvent) {
		if seen.add(e) {
			show(lineOf(e))
		}
	}
	began := time.Now().Add(-lateness)
	var err error
	if q.Lines > 0 {
		// Lines before the last ones are not shown later.
		q.Since, err = r.last(ctx, q, shown)
	} else {
		err = r.all(ctx, q, shown)
	}
	for err == nil && q.Follow {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(r.Poll):
		}
		recent := seen.forget()
		if recent.IsZero() {
			recent = began
		}
		if recent.After(q.Since) {
			q.Since = recent
		}
		err = r.all(ctx, q, shown)
	}
	return err
}

// all reads all lines, oldest first.
func (r *Reader) all(ctx context.Context, q Query, show func(types.FilteredLogEvent)) error {
	return r.pages(ctx, q, r.input(q), func(events []types.FilteredLogEvent) bool {
		for _, e := range events {
			show(e)
		}
		return true
	})
}

// last reads the last lines, and returns the time of the first of them.
func (r *Reader) last(ctx context.Context, q Query, show func(types.FilteredLogEvent)) (time.Time, error) {
	in := r.input(q)
	in.StartFromHead = aws.Bool(false)
	in.StartTime = aws.Int64(max(aws.ToInt64(in.StartTime), epoch.UnixMilli()))
	var found []types.FilteredLogEvent
	err := r.pages(ctx, q, in, func(events []types.FilteredLogEvent) bool {
		found = append(found, events...)
		return len(found) < q.Lines
	})
	found = found[:min(len(found), q.Lines)]
	slices.Reverse(found)
	for _, e := range found {
		show(e)
	}
	if len(found) == q.Lines {
		q.Since = time.UnixMilli(aws.ToInt64(found[0].Timestamp))
	}
	return q.Since, err
}

func (r *Reader) input(q Query) *cloudwatchlogs.FilterLogEventsInput {
	in := &cloudwatchlogs.FilterLogEventsInput{LogGroupName: &r.Group}
	if q.Instance != "" {
		in.LogStreamNamePrefix = aws.String(streamName(q.Instance, q.Process))
	}
	if q.Contains != "" {
		in.FilterPattern = aws.String(`"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(q.Contains) + `"`)
	}
	if !q.Since.IsZero() {
		in.StartTime = aws.Int64(q.Since.UnixMilli())
	}
	if !q.Until.IsZero() {
		in.EndTime = aws.Int64(q.Until.UnixMilli())
	}
	return in
}

// pages calls next for the selected events of each page until it returns false.
func (r *Reader) pages(
	ctx context.Context, q Query, in *cloudwatchlogs.FilterLogEventsInput, next func([]types.FilteredLogEvent) bool,
) error {
	pages := cloudwatchlogs.NewFilterLogEventsPaginator(r.API, in)
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return fmt.Errorf("read log group %s: %w", aws.ToString(in.LogGroupName), err)
		}
		events := slices.DeleteFunc(page.Events, func(e types.FilteredLogEvent) bool {
			return q.Process != "" && lineOf(e).Process != q.Process
		})
		if !next(events) {
			return nil
		}
	}
	return nil
}

// streamName returns the name of the log stream of a process on a server. Without a process,
// the names of all streams of the server begin with it.
func streamName(instance, process string) string { return instance + "/" + process }

func lineOf(e types.FilteredLogEvent) Line {
	instance, process, _ := strings.Cut(aws.ToString(e.LogStreamName), "/")
	return Line{
		Time: time.UnixMilli(aws.ToInt64(e.Timestamp)), Instance: instance, Process: process,
		Text: strings.TrimRight(aws.ToString(e.Message), "\n"),
	}
}

// arrivals holds the times of the latest lines by the ids of their events.
type arrivals map[string]int64

// add reports whether an event is new.
func (a arrivals) add(e types.FilteredLogEvent) bool {
	id := aws.ToString(e.EventId)
	_, known := a[id]
	a[id] = aws.ToInt64(e.Timestamp)
	return !known
}

// forget forgets the lines before the time from which to continue, and returns that time. It
// is zero without any line.
func (a arrivals) forget() time.Time {
	var latest int64
	for _, at := range a {
		latest = max(latest, at)
	}
	if latest == 0 {
		return time.Time{}
	}
	from := latest - lateness.Milliseconds()
	for id, at := range a {
		if at < from {
			delete(a, id)
		}
	}
	return time.UnixMilli(from)
}
