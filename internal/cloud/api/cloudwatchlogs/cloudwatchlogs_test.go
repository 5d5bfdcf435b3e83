package cloudwatchlogs_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"aloft.dev/aloft/internal/cloud/api/cloudwatchlogs"
	"aloft.dev/aloft/internal/cloud/eventlog"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

const (
	group  = "/aloft/shop"
	stream = "web/i-1"
)

// world is an API with a clock that tests move, and the group /aloft/shop.
type world struct {
	*testing.T
	*cloudwatchlogs.API
	ctx context.Context
	now time.Time
}

func newWorld(t *testing.T) *world {
	t.Helper()
	s, err := store.Open("")
	if err != nil {
		t.Fatal(err)
	}
	events, err := eventlog.Open(t.TempDir(), 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{T: t, now: time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)}
	w.API = cloudwatchlogs.New(cloudwatchlogs.Config{
		Store: s, Events: events, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return w.now },
	})
	w.ctx = wire.WithCaller(t.Context(), wire.Caller{Region: "us-east-1"})
	w.must(w.CreateLogGroup(w.ctx, &client.CreateLogGroupInput{LogGroupName: aws.String(group)}))
	return w
}

func (w *world) must(_ any, err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// stream creates streams.
func (w *world) streams(names ...string) {
	w.Helper()
	for _, name := range names {
		w.must(w.CreateLogStream(w.ctx, &client.CreateLogStreamInput{
			LogGroupName: aws.String(group), LogStreamName: &name,
		}))
	}
}

// put adds an event for each text, "-5 message" at the time in seconds from now.
func (w *world) put(stream string, texts ...string) (*client.PutLogEventsOutput, error) {
	in := &client.PutLogEventsInput{LogGroupName: aws.String(group), LogStreamName: &stream}
	for _, text := range texts {
		offset, message, _ := strings.Cut(text, " ")
		seconds, err := strconv.Atoi(offset)
		if err != nil {
			w.Fatal(err)
		}
		at := w.now.Add(time.Duration(seconds) * time.Second).UnixMilli()
		in.LogEvents = append(in.LogEvents, types.InputLogEvent{Timestamp: &at, Message: &message})
	}
	return w.PutLogEvents(w.ctx, in)
}

// filter returns all messages that a request selects, page by page.
func (w *world) filter(in client.FilterLogEventsInput) string {
	w.Helper()
	var all []string
	in.LogGroupName = aws.String(group)
	for {
		out, err := w.FilterLogEvents(w.ctx, &in)
		if err != nil {
			w.Fatal(err)
		}
		for _, e := range out.Events {
			all = append(all, *e.Message)
		}
		if in.NextToken = out.NextToken; in.NextToken == nil {
			return strings.Join(all, " ")
		}
	}
}

func TestGroupsAndStreamsHaveAWSsErrors(t *testing.T) {
	w := newWorld(t)
	w.streams(stream)
	name := func(s string) *string { return &s }
	for want, err := range map[string]error{
		"ResourceAlreadyExistsException: The specified log group already exists": second(
			w.CreateLogGroup(w.ctx, &client.CreateLogGroupInput{LogGroupName: name(group)})),
		"ResourceAlreadyExistsException: The specified log stream already exists": second(
			w.CreateLogStream(w.ctx, &client.CreateLogStreamInput{
				LogGroupName: name(group), LogStreamName: name(stream),
			})),
		"ResourceNotFoundException: The specified log group does not exist.": second(
			w.DeleteLogGroup(w.ctx, &client.DeleteLogGroupInput{LogGroupName: name("none")})),
		"ResourceNotFoundException: The specified log stream does not exist.": second(w.put("none", "0 x")),
		"InvalidParameterException: 1 validation error detected: Value 'a b' at 'logGroupName' failed to satisfy " +
			`constraint: Member must satisfy regular expression pattern: [\.\-_/#A-Za-z0-9]+`: second(
			w.CreateLogGroup(w.ctx, &client.CreateLogGroupInput{LogGroupName: name("a b")})),
		"InvalidParameterException: 1 validation error detected: Value 'a:b' at 'logStreamName' failed to satisfy " +
			"constraint: Member must satisfy regular expression pattern: [^:*]*": second(
			w.CreateLogStream(w.ctx, &client.CreateLogStreamInput{
				LogGroupName: name(group), LogStreamName: name("a:b"),
			})),
		"InvalidParameterException: Invalid LogGroup or LogStream, both must have length less than or equal to " +
			"512.": second(
			w.CreateLogGroup(w.ctx, &client.CreateLogGroupInput{LogGroupName: name(strings.Repeat("x", 513))})),
		"ValidationException: LogGroup name and LogGroup ARN are mutually exclusive parameters.": second(
			w.DescribeLogStreams(w.ctx, &client.DescribeLogStreamsInput{
				LogGroupName: name(group), LogGroupIdentifier: name(group),
			})),
		"InvalidParameterException: 1 validation error detected: Value '" + strings.Repeat("x", 1025) +
			"' at 'filterPattern' failed to satisfy constraint: Member must have length less than or equal to " +
			"1024": second(
			w.FilterLogEvents(w.ctx, &client.FilterLogEventsInput{
				LogGroupName: name(group), FilterPattern: name(strings.Repeat("x", 1025)),
			})),
		"InvalidParameterException: Log groups starting with AWS/ are reserved for AWS.": second(
			w.CreateLogGroup(w.ctx, &client.CreateLogGroupInput{LogGroupName: name("aws/x")})),
		"InvalidParameterException: Cannot order by LastEventTime with a logStreamNamePrefix.": second(
			w.DescribeLogStreams(w.ctx, &client.DescribeLogStreamsInput{
				LogGroupName: name(group), LogStreamNamePrefix: name("a"), OrderBy: types.OrderByLastEventTime,
			})),
		"InvalidParameterException: The specified nextToken is invalid.": second(
			w.GetLogEvents(w.ctx, &client.GetLogEventsInput{
				LogGroupName: name(group), LogStreamName: name(stream), NextToken: name("f/x/s"),
			})),
		"InvalidParameterException: Invalid character(s) in term 'a.b'": second(
			w.FilterLogEvents(w.ctx, &client.FilterLogEventsInput{
				LogGroupName: name(group), FilterPattern: name("a.b"),
			})),
	} {
		if fmt.Sprint(err) != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}

func second(_ any, err error) error { return err }

func TestABatchMustSatisfyAWSsLimits(t *testing.T) {
	w := newWorld(t)
	w.streams(stream)
	long := strings.Repeat("x", 1<<19)
	for want, texts := range map[string][]string{
		"Log events in a single PutLogEvents request must be in chronological order.": {"0 a", "-1 b"},
		"The batch of log events in a single PutLogEvents request cannot span more than 24 hours.": {
			"-86401 a", "0 b",
		},
		"Upload too large: 1048628 bytes exceeds limit of 1048576": {"0 " + long, "0 " + long},
		"1 validation error detected: Value at 'logEvents' failed to satisfy constraint: Member must " +
			"have length less than or equal to 10000": slices.Repeat([]string{"0 a"}, 10_001),
	} {
		if _, err := w.put(stream, texts...); fmt.Sprint(err) != "InvalidParameterException: "+want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	if got := w.filter(client.FilterLogEventsInput{}); got != "" {
		t.Errorf("of a refused batch there is %s", got)
	}
	const day = 24 * 60 * 60
	out, err := w.put(stream, fmt.Sprint(-14*day-1, " old"), fmt.Sprint(-14*day-1, " old"), "0 now", "7201 new")
	if err != nil {
		t.Fatal(err)
	}
	info := out.RejectedLogEventsInfo
	if info == nil || aws.ToInt32(info.TooOldLogEventEndIndex) != 2 ||
		aws.ToInt32(info.TooNewLogEventStartIndex) != 3 || info.ExpiredLogEventEndIndex != nil {
		t.Errorf("got %+v", info)
	}
	if got := w.filter(client.FilterLogEventsInput{}); got != "now" {
		t.Errorf("got %s", got)
	}
}

func TestTokensOfGetLogEventsRepeatAtTheEnds(t *testing.T) {
	w := newWorld(t)
	w.streams(stream)
	get := func(head bool, token *string) (string, *client.GetLogEventsOutput) {
		out, err := w.GetLogEvents(w.ctx, &client.GetLogEventsInput{
			LogGroupName: aws.String(group), LogStreamName: aws.String(stream), Limit: aws.Int32(2),
			StartFromHead: &head, NextToken: token,
		})
		if err != nil {
			t.Fatal(err)
		}
		var all []string
		for _, e := range out.Events {
			all = append(all, *e.Message)
		}
		return strings.Join(all, " "), out
	}
	_, empty := get(true, nil)
	w.must(w.put(stream, "1 a", "2 b", "3 c", "4 d", "5 e"))
	if got, _ := get(true, empty.NextForwardToken); got != "a b" {
		t.Errorf("from a token of the empty stream: %s", got)
	}
	got, out := get(false, nil)
	if got != "d e" {
		t.Errorf("the latest: %s", got)
	}
	if got, end := get(true, out.NextForwardToken); got != "" || *end.NextForwardToken != *out.NextForwardToken {
		t.Errorf("at the end: %q, %s after %s", got, *end.NextForwardToken, *out.NextForwardToken)
	} else if got, _ := get(false, end.NextBackwardToken); got != "d e" {
		t.Errorf("back from the end: %s", got)
	}
	var pages []string
	for range 3 {
		got, out = get(false, out.NextBackwardToken)
		pages = append(pages, got)
	}
	if want := []string{"b c", "a", ""}; !slices.Equal(pages, want) {
		t.Errorf("backward: got %q", pages)
	}
	got, first := get(false, out.NextBackwardToken)
	if got != "" || *first.NextBackwardToken != *out.NextBackwardToken {
		t.Errorf("at the start: %q", got)
	}
	if got, _ := get(true, out.NextForwardToken); got != "a b" {
		t.Errorf("forward from the start: %s", got)
	}
	w.must(w.put(stream, "6 f"))
	_, last := get(false, nil)
	w.must(w.put(stream, "7 g"))
	if got, _ := get(true, last.NextForwardToken); got != "g" {
		t.Errorf("what is new since: %s", got)
	}
}

func TestFilterLogEventsInterleavesStreams(t *testing.T) {
	w := newWorld(t)
	w.streams("a/1", "a/2", "b/1")
	w.must(w.put("a/1", "1 one", "4 four"))
	w.must(w.put("a/2", "2 two", "5 five"))
	w.must(w.put("b/1", "3 three"))
	at := func(seconds int) *int64 {
		return aws.Int64(w.now.Add(time.Duration(seconds) * time.Second).UnixMilli())
	}
	for _, c := range []struct {
		in   client.FilterLogEventsInput
		want string
	}{
		{client.FilterLogEventsInput{}, "one two three four five"},
		{client.FilterLogEventsInput{Limit: aws.Int32(1)}, "one two three four five"},
		{client.FilterLogEventsInput{LogStreamNamePrefix: aws.String("a/")}, "one two four five"},
		{client.FilterLogEventsInput{LogStreamNames: []string{"b/1", "a/2"}}, "two three five"},
		{client.FilterLogEventsInput{FilterPattern: aws.String("?one ?five")}, "one five"},
		{client.FilterLogEventsInput{StartTime: at(2), EndTime: at(4)}, "two three four"}, // inclusive
		{client.FilterLogEventsInput{
			StartTime: at(2), StartFromHead: aws.Bool(false), Limit: aws.Int32(3),
		}, "five four three two"},
	} {
		if got := w.filter(c.in); got != c.want {
			t.Errorf("%+v: got %s", c.in, got)
		}
	}
}

func TestEventsExpire(t *testing.T) {
	w := newWorld(t)
	w.streams(stream)
	retain := func(days int32) error {
		return second(w.PutRetentionPolicy(w.ctx, &client.PutRetentionPolicyInput{
			LogGroupName: aws.String(group), RetentionInDays: &days,
		}))
	}
	if err := retain(2); err == nil || !strings.Contains(err.Error(),
		"Value '2' at 'retentionInDays' failed to satisfy constraint: Member must satisfy enum value set: [1, 3, 5,") {
		t.Errorf("two days: %v", err)
	}
	if err := retain(1); err != nil {
		t.Fatal(err)
	}
	w.must(w.put(stream, "0 a", "3600 b"))
	w.now = w.now.Add(24*time.Hour + time.Second)
	if got := w.filter(client.FilterLogEventsInput{}); got != "b" {
		t.Errorf("after a day: %s", got)
	}
	out, err := w.put(stream, "-86401 x")
	if err != nil || aws.ToInt32(out.RejectedLogEventsInfo.ExpiredLogEventEndIndex) != 1 {
		t.Errorf("an expired event: %+v, %v", out, err)
	}
	w.must(w.DeleteRetentionPolicy(w.ctx, &client.DeleteRetentionPolicyInput{LogGroupName: aws.String(group)}))
	w.now = w.now.Add(13 * 24 * time.Hour)
	if got := w.filter(client.FilterLogEventsInput{}); got != "a b" {
		t.Errorf("without retention: %s", got)
	}
}

func TestStreamsAreListedByNameOrLastEvent(t *testing.T) {
	w := newWorld(t)
	w.streams("a", "b", "c")
	w.must(w.put("a", "3 x"))
	w.must(w.put("c", "1 x", "2 y"))
	list := func(in client.DescribeLogStreamsInput) (string, []types.LogStream) {
		var names []string
		var all []types.LogStream
		in.LogGroupIdentifier = aws.String("arn:aws:logs:us-east-1:" + identity.Account + ":log-group:" + group)
		in.Limit = aws.Int32(1)
		for {
			out, err := w.DescribeLogStreams(w.ctx, &in)
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range out.LogStreams {
				names, all = append(names, *s.LogStreamName), append(all, s)
			}
			if in.NextToken = out.NextToken; in.NextToken == nil {
				return strings.Join(names, " "), all
			}
		}
	}
	got, all := list(client.DescribeLogStreamsInput{})
	if got != "a b c" || all[1].LastEventTimestamp != nil ||
		*all[2].FirstEventTimestamp != w.now.Add(time.Second).UnixMilli() ||
		*all[2].LastIngestionTime != w.now.UnixMilli() {
		t.Errorf("got %s, %+v", got, all)
	}
	if got, _ := list(client.DescribeLogStreamsInput{Descending: aws.Bool(true)}); got != "c b a" {
		t.Errorf("descending: %s", got)
	}
	if got, _ := list(client.DescribeLogStreamsInput{LogStreamNamePrefix: aws.String("b")}); got != "b" {
		t.Errorf("with a prefix: %s", got)
	}
	in := client.DescribeLogStreamsInput{OrderBy: types.OrderByLastEventTime, Descending: aws.Bool(true)}
	if got, _ := list(in); got != "a c b" {
		t.Errorf("by last event: %s", got)
	}
}

func TestADeletedStreamsEventsDoNotReturn(t *testing.T) {
	w := newWorld(t)
	w.streams(stream)
	w.must(w.put(stream, "0 old"))
	w.must(w.DeleteLogStream(w.ctx, &client.DeleteLogStreamInput{
		LogGroupName: aws.String(group), LogStreamName: aws.String(stream),
	}))
	w.streams(stream)
	w.must(w.put(stream, "0 new"))
	if got := w.filter(client.FilterLogEventsInput{}); got != "new" {
		t.Errorf("got %s", got)
	}
	w.must(w.DeleteLogGroup(w.ctx, &client.DeleteLogGroupInput{LogGroupName: aws.String(group)}))
	if _, err := w.put(stream, "0 x"); !strings.Contains(fmt.Sprint(err), "log group does not exist") {
		t.Errorf("got %v", err)
	}
}
