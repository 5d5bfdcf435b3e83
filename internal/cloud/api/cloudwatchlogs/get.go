package cloudwatchlogs

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/eventlog"
	"aloft.dev/aloft/internal/cloud/wire"
)

// Tokens of GetLogEvents start with their direction. They are positions in the stream: a
// forward one continues with the events after it, a backward one with those before it.
const (
	forward  = "f/"
	backward = "b/"
)

// GetLogEvents returns events of a stream in the order of their times: the latest ones
// unless StartFromHead is set. At an end of the stream it returns the token that it was
// given.
func (a *API) GetLogEvents(
	ctx context.Context, in *cloudwatchlogs.GetLogEventsInput,
) (*cloudwatchlogs.GetLogEventsOutput, error) {
	view, region := a.Store.Read(ctx), wire.RegionFrom(ctx)
	name, err := groupNamed(region, in.LogGroupName, in.LogGroupIdentifier)
	if err == nil {
		err = checkStreamName(in.LogStreamName)
	}
	if err == nil {
		err = checkRead(in.StartTime, in.EndTime, in.Limit)
	}
	if err != nil {
		return nil, err
	}
	group, err := findGroup(view, region, name)
	if err != nil {
		return nil, err
	}
	stream, err := findStream(view, region, name, *in.LogStreamName)
	if err != nil {
		return nil, err
	}
	q := query(in.StartTime, in.EndTime, in.Limit, retained(group, a.Now()))
	q.Backward = !aws.ToBool(in.StartFromHead)
	token, err := q.continueAt(in.NextToken)
	if err != nil {
		return nil, err
	}
	page, err := a.Events.Read([]string{stream.ID}, q.Query)
	if err != nil {
		return nil, err
	}
	if q.Backward {
		slices.Reverse(page.Events)
	}
	before, after := token, token
	if n := len(page.Events); n > 0 {
		before, after = page.Events[0].Position, page.Events[n-1].After()
	} else if page.More {
		before, after = page.Next, page.Next
	}
	out := &cloudwatchlogs.GetLogEventsOutput{
		Events: []types.OutputLogEvent{}, NextForwardToken: aws.String(forward + after.String() + "/s"),
		NextBackwardToken: aws.String(backward + before.String() + "/s"),
	}
	for _, e := range page.Events {
		out.Events = append(out.Events, types.OutputLogEvent{
			Timestamp: &e.Event.Time, Message: &e.Message, IngestionTime: aws.Int64(e.Ingested()),
		})
	}
	return out, nil
}

// checkRead refuses an invalid range or size of a page.
func checkRead(start, end *int64, limit *int32) error {
	for member, at := range map[string]*int64{"startTime": start, "endTime": end} {
		if at != nil && *at < 0 {
			return model.Refuse(member, *at, "have value greater than or equal to 0")
		}
	}
	return model.Between("limit", limit, 1, maxEvents)
}

// reading is a query of an operation.
type reading struct{ eventlog.Query }

// query returns a query for the events from start to before end, which have not expired.
func query(start, end *int64, limit *int32, expired int64) reading {
	q := reading{eventlog.Query{
		From: eventlog.At(max(aws.ToInt64(start), expired)), Until: eventlog.End,
		Limit: int(constraint.Default(limit, maxEvents)), Bytes: maxBytes,
	}}
	if end != nil {
		q.Until = eventlog.At(*end)
	}
	return q
}

// continueAt makes the query continue where a token of GetLogEvents points to, and returns
// that position.
func (q *reading) continueAt(token *string) (at eventlog.Position, err error) {
	if aws.ToString(token) == "" {
		return q.From, nil
	}
	text, ended := strings.CutSuffix(*token, "/s")
	direction, place := text[:min(len(text), len(forward))], strings.TrimPrefix(text, backward)
	at, ok := eventlog.ParsePosition(strings.TrimPrefix(place, forward))
	switch {
	case !ok || !ended:
		return at, invalidToken()
	case direction == forward:
		q.Backward = false
		if at.Compare(q.From) > 0 {
			q.From = at
		}
	case direction == backward:
		q.Backward = true
		if at.Compare(q.Until) < 0 {
			q.Until = at
		}
	default:
		return at, invalidToken()
	}
	return at, nil
}
