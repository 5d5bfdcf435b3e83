package cloudwatchlogs

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"aloft.dev/aloft/internal/cloud/api/page"
	"aloft.dev/aloft/internal/cloud/eventlog"
	"aloft.dev/aloft/internal/cloud/filterpattern"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// Limits of FilterLogEvents (CloudWatch Logs API Reference, FilterLogEvents).
const (
	maxStreamNames = 100
	maxPattern     = 1024
)

// Tokens of FilterLogEvents hold the position of the next page, and so that they keep their
// direction, start differently.
const (
	filterForward  page.Prefix = "log-events-from:"
	filterBackward page.Prefix = "log-events-before:"
)

// backwardSince is the first start time of a search that begins with the latest events
// (CloudWatch Logs API Reference, FilterLogEvents).
var backwardSince = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)

// FilterLogEvents returns the events of a group's streams that match a pattern, together in
// the order of their times. A page may be empty although more follow.
func (a *API) FilterLogEvents(
	ctx context.Context, in *cloudwatchlogs.FilterLogEventsInput,
) (*cloudwatchlogs.FilterLogEventsOutput, error) {
	view, region := a.Store.Read(ctx), wire.RegionFrom(ctx)
	name, err := groupNamed(region, in.LogGroupName, in.LogGroupIdentifier)
	if err == nil {
		err = checkFilter(in)
	}
	if err != nil {
		return nil, err
	}
	pattern, err := parsePattern(in.FilterPattern)
	if err != nil {
		return nil, err
	}
	group, err := findGroup(view, region, name)
	if err != nil {
		return nil, err
	}
	ids, names, err := filteredStreams(view, group, in)
	if err != nil {
		return nil, err
	}
	end := in.EndTime
	if end != nil { // unlike that of GetLogEvents, it is inclusive
		end = aws.Int64(*end + 1)
	}
	q := query(in.StartTime, end, in.Limit, retained(group, a.Now()))
	q.Match, q.Backward = pattern.Match, in.StartFromHead != nil && !*in.StartFromHead
	if err := q.filterFrom(in.NextToken); err != nil {
		return nil, err
	}
	found, err := a.Events.Read(ids, q.Query)
	if err != nil {
		return nil, err
	}
	out := &cloudwatchlogs.FilterLogEventsOutput{
		Events: []types.FilteredLogEvent{}, SearchedLogStreams: []types.SearchedLogStream{},
	}
	if found.More {
		out.NextToken = q.prefix().Token(found.Next.String())
	}
	for _, e := range found.Events {
		out.Events = append(out.Events, types.FilteredLogEvent{
			EventId: aws.String(e.ID()), LogStreamName: aws.String(names[e.Stream]), Message: &e.Message,
			Timestamp: &e.Event.Time, IngestionTime: aws.Int64(e.Ingested()),
		})
	}
	return out, nil
}

func checkFilter(in *cloudwatchlogs.FilterLogEventsInput) error {
	switch {
	case len(in.LogStreamNames) > 0 && in.LogStreamNamePrefix != nil:
		return model.Errorf("logStreamNames and logStreamNamePrefix cannot both be specified.")
	case in.LogStreamNames != nil && len(in.LogStreamNames) == 0:
		return model.RefuseWithoutValue("logStreamNames", "have length greater than or equal to 1")
	case len(in.LogStreamNames) > maxStreamNames:
		return model.TooLong("logStreamNames", maxStreamNames)
	case in.StartFromHead != nil && !*in.StartFromHead && aws.ToInt64(in.StartTime) < backwardSince.UnixMilli():
		return model.Errorf("startFromHead can be false only if startTime is on or after Jan 1, 2024 00:00:00 UTC.")
	}
	for i := range in.LogStreamNames {
		if err := checkText("logStreamNames", &in.LogStreamNames[i], streamForm, streamPattern); err != nil {
			return err
		}
	}
	if in.LogStreamNamePrefix != nil {
		err := checkText("logStreamNamePrefix", in.LogStreamNamePrefix, streamForm, streamPattern)
		if err != nil {
			return err
		}
	}
	return checkRead(in.StartTime, in.EndTime, in.Limit)
}

func parsePattern(text *string) (filterpattern.Pattern, error) {
	if len(aws.ToString(text)) > maxPattern {
		return filterpattern.Pattern{}, model.TextTooLong("filterPattern", *text, maxPattern)
	}
	p, err := filterpattern.Parse(aws.ToString(text))
	if err != nil {
		return p, model.Errorf("%v", err)
	}
	return p, nil
}

// filteredStreams returns the ids of the streams to search, and their names by id.
func filteredStreams(
	r store.Reader, group *store.LogGroup, in *cloudwatchlogs.FilterLogEventsInput,
) (ids []string, names map[string]string, err error) {
	names = map[string]string{}
	prefix := aws.ToString(in.LogStreamNamePrefix)
	for _, s := range store.LogStreamsByGroup.List(r, store.LogGroupKey(group.Region, group.Name)) {
		named := in.LogStreamNames == nil || slices.Contains(in.LogStreamNames, s.Name)
		if named && strings.HasPrefix(s.Name, prefix) {
			ids, names[s.ID] = append(ids, s.ID), s.Name
		}
	}
	if len(in.LogStreamNames) > 0 && len(ids) == 0 {
		return nil, nil, noStream()
	}
	return ids, names, nil
}

func (q *reading) prefix() page.Prefix {
	if q.Backward {
		return filterBackward
	}
	return filterForward
}

// filterFrom makes the query continue at a token of FilterLogEvents.
func (q *reading) filterFrom(token *string) error {
	text, ok := filterForward.Last(token)
	switch {
	case ok && text == "": // the first page
		return nil
	case ok:
		q.Backward = false
	default:
		if text, ok = filterBackward.Last(token); !ok {
			return invalidToken()
		}
		q.Backward = true
	}
	at, ok := eventlog.ParsePosition(text)
	switch {
	case !ok:
		return invalidToken()
	case q.Backward && at.Compare(q.Until) < 0:
		q.Until = at
	case !q.Backward && at.Compare(q.From) > 0:
		q.From = at
	}
	return nil
}
