package cloudwatchlogs

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"aloft.dev/aloft/internal/cloud/eventlog"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// Limits of a batch and of a page (CloudWatch Logs API Reference, PutLogEvents and
// GetLogEvents).
const (
	maxEvents = 10_000
	maxBytes  = 1 << 20
	maxSpan   = 24 * time.Hour
	maxAge    = 14 * 24 * time.Hour
	maxFuture = 2 * time.Hour
)

// PutLogEvents adds a batch of events to a stream. Sequence tokens are ignored, as on AWS.
func (a *API) PutLogEvents(
	ctx context.Context, in *cloudwatchlogs.PutLogEventsInput,
) (*cloudwatchlogs.PutLogEventsOutput, error) {
	if err := checkNames(in.LogGroupName, in.LogStreamName); err != nil {
		return nil, err
	}
	if err := checkBatch(in.LogEvents); err != nil {
		return nil, err
	}
	view, region := a.Store.Read(ctx), wire.RegionFrom(ctx)
	group, err := findGroup(view, region, *in.LogGroupName)
	if err != nil {
		return nil, err
	}
	stream, err := findStream(view, region, *in.LogGroupName, *in.LogStreamName)
	if err != nil {
		return nil, err
	}
	out := &cloudwatchlogs.PutLogEventsOutput{NextSequenceToken: aws.String(sequenceToken(stream.ID))}
	if in.Entity != nil { // the local cloud relates events to no entity
		out.RejectedEntityInfo = &types.RejectedEntityInfo{
			ErrorType: types.EntityRejectionErrorTypeUnsupportedLogGroupType,
		}
	}
	accepted, rejected := a.accept(group, in.LogEvents)
	out.RejectedLogEventsInfo = rejected
	if err := checkSpan(accepted); err != nil {
		return nil, err
	}
	err = a.Events.Append(stream.ID, a.Now(), accepted)
	if errors.Is(err, eventlog.ErrNoStream) {
		return nil, noStream()
	}
	if err != nil {
		return nil, err
	}
	a.measure(group, accepted)
	return out, nil
}

// sequenceToken returns the token that AWS still returns, and ignores.
func sequenceToken(id string) string { return "4" + strings.Repeat("0", 31) + id }

func checkBatch(batch []types.InputLogEvent) error {
	switch {
	case batch == nil:
		return model.Null("logEvents")
	case len(batch) == 0:
		return model.RefuseWithoutValue("logEvents", "have length greater than or equal to 1")
	case len(batch) > maxEvents:
		return model.TooLong("logEvents", maxEvents)
	}
	size, before := 0, int64(0)
	for _, e := range batch {
		switch {
		case e.Message == nil:
			return model.Null("logEvents.member.message")
		case *e.Message == "":
			return model.Empty("logEvents.member.message")
		case e.Timestamp == nil:
			return model.Null("logEvents.member.timestamp")
		case *e.Timestamp < 0:
			return model.Refuse("logEvents.member.timestamp", *e.Timestamp, "have value greater than or equal to 0")
		case *e.Timestamp < before:
			return model.Errorf("Log events in a single PutLogEvents request must be in chronological order.")
		}
		before = *e.Timestamp
		size += eventlog.EventSize(*e.Message)
	}
	if size > maxBytes {
		return model.Errorf("Upload too large: %d bytes exceeds limit of %d", size, maxBytes)
	}
	return nil
}

// checkSpan refuses events that are too far from one another.
func checkSpan(events []eventlog.Event) error {
	if n := len(events); n > 0 && events[n-1].Time-events[0].Time > maxSpan.Milliseconds() {
		return model.Errorf("The batch of log events in a single PutLogEvents request cannot span more than 24 hours.")
	}
	return nil
}

// accept returns the events that are neither too old nor too new, and where the others are.
func (a *API) accept(
	group *store.LogGroup, batch []types.InputLogEvent,
) (accepted []eventlog.Event, rejected *types.RejectedLogEventsInfo) {
	now := a.Now()
	tooOld, tooNew := now.Add(-maxAge).UnixMilli(), now.Add(maxFuture).UnixMilli()
	expired := retained(group, now)
	var info types.RejectedLogEventsInfo
	for i, e := range batch { // in chronological order
		switch at := *e.Timestamp; {
		case at < tooOld:
			info.TooOldLogEventEndIndex, rejected = aws.Int32(int32(i)+1), &info
		case at < expired:
			info.ExpiredLogEventEndIndex, rejected = aws.Int32(int32(i)+1), &info
		case at > tooNew:
			if info.TooNewLogEventStartIndex == nil {
				info.TooNewLogEventStartIndex, rejected = aws.Int32(int32(i)), &info
			}
		default:
			accepted = append(accepted, eventlog.Event{Time: at, Message: *e.Message})
		}
	}
	return accepted, rejected
}

// retained returns the time in milliseconds before which events of a group have expired.
func retained(group *store.LogGroup, now time.Time) int64 {
	if group.RetentionDays == 0 {
		return 0
	}
	return now.AddDate(0, 0, -int(group.RetentionDays)).UnixMilli()
}
