package cloudwatchlogs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/api/page"
	"aloft.dev/aloft/internal/cloud/eventlog"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// streamIDDigits is the length of a stream's id.
const streamIDDigits = 24

func checkNames(group, stream *string) error {
	if err := checkGroupName(group); err != nil {
		return err
	}
	return checkStreamName(stream)
}

// CreateLogStream creates a log stream.
func (a *API) CreateLogStream(
	ctx context.Context, in *cloudwatchlogs.CreateLogStreamInput,
) (*cloudwatchlogs.CreateLogStreamOutput, error) {
	if err := checkNames(in.LogGroupName, in.LogStreamName); err != nil {
		return nil, err
	}
	group, name, region := *in.LogGroupName, *in.LogStreamName, wire.RegionFrom(ctx)
	// Most calls find the stream, and need no folder.
	if err := checkNewStream(a.Store.Read(ctx), region, group, name); err != nil {
		return nil, err
	}
	id := a.random.Hex(streamIDDigits)
	// A folder without a row is deleted at the next start (DeleteLeftovers). A row without
	// a folder would refuse events for ever.
	if err := a.Events.Create(id); err != nil {
		return nil, err
	}
	row := &store.LogStream{Region: region, Group: group, Name: name, ID: id, Created: a.Now()}
	err := a.change(ctx, func(tx *store.Tx, region identity.Region) error {
		if err := checkNewStream(tx, region, group, name); err != nil {
			return err
		}
		store.LogStreams.Put(tx, row)
		return nil
	})
	if err != nil {
		a.removeEvents(row)
		return nil, err
	}
	return &cloudwatchlogs.CreateLogStreamOutput{}, nil
}

func checkNewStream(r store.Reader, region identity.Region, group, name string) error {
	if _, err := findGroup(r, region, group); err != nil {
		return err
	}
	if _, ok := store.LogStreams.Get(r, store.LogStreamKey(region, group, name)); ok {
		return wire.Errorf("ResourceAlreadyExistsException", "The specified log stream already exists")
	}
	return nil
}

// DeleteLogStream deletes a log stream with its events.
func (a *API) DeleteLogStream(
	ctx context.Context, in *cloudwatchlogs.DeleteLogStreamInput,
) (*cloudwatchlogs.DeleteLogStreamOutput, error) {
	if err := checkNames(in.LogGroupName, in.LogStreamName); err != nil {
		return nil, err
	}
	var row *store.LogStream
	err := a.change(ctx, func(tx *store.Tx, region identity.Region) (err error) {
		if row, err = findStream(tx, region, *in.LogGroupName, *in.LogStreamName); err != nil {
			return err
		}
		store.LogStreams.Delete(tx, store.LogStreamKey(region, row.Group, row.Name))
		return nil
	})
	if err != nil {
		return nil, err
	}
	a.removeEvents(row)
	return &cloudwatchlogs.DeleteLogStreamOutput{}, nil
}

// described is a stream with its place in the order of a list.
type described struct {
	*store.LogStream
	eventlog.Summary
	place string
}

// DescribeLogStreams lists the streams of a group, by name or by the time of their last
// events.
func (a *API) DescribeLogStreams(
	ctx context.Context, in *cloudwatchlogs.DescribeLogStreamsInput,
) (*cloudwatchlogs.DescribeLogStreamsOutput, error) {
	view, region := a.Store.Read(ctx), wire.RegionFrom(ctx)
	group, err := groupNamed(region, in.LogGroupName, in.LogGroupIdentifier)
	if err == nil {
		err = checkDescribeStreams(in)
	}
	if err == nil {
		_, err = findGroup(view, region, group)
	}
	if err != nil {
		return nil, err
	}
	last, ok := streamTokens.Last(in.NextToken)
	if !ok {
		return nil, invalidToken()
	}
	var found []described
	for _, row := range store.LogStreamsByGroup.List(view, store.LogGroupKey(region, group)) {
		if !strings.HasPrefix(row.Name, aws.ToString(in.LogStreamNamePrefix)) {
			continue
		}
		d := described{LogStream: row, place: row.Name}
		if in.OrderBy == types.OrderByLastEventTime {
			if d.Summary, err = a.summary(row); err != nil {
				return nil, err
			}
			d.place = fmt.Sprintf("%020d %s", d.Last, row.Name)
		}
		found = append(found, d)
	}
	found = inOrder(found, aws.ToBool(in.Descending), last)
	size := int(constraint.Default(in.Limit, maxDescribed))
	found, next := page.First(streamTokens, found, size, func(d described) string { return d.place })
	out := &cloudwatchlogs.DescribeLogStreamsOutput{LogStreams: []types.LogStream{}, NextToken: next}
	for _, d := range found {
		if d.Summary, err = a.summary(d.LogStream); err != nil {
			return nil, err
		}
		out.LogStreams = append(out.LogStreams, describeStream(d))
	}
	return out, nil
}

func checkDescribeStreams(in *cloudwatchlogs.DescribeLogStreamsInput) error {
	if in.LogStreamNamePrefix != nil {
		err := checkText("logStreamNamePrefix", in.LogStreamNamePrefix, streamForm, streamPattern)
		if err != nil {
			return err
		}
	}
	switch {
	case in.OrderBy != "" && !slices.Contains(in.OrderBy.Values(), in.OrderBy):
		return model.OutOfSet("orderBy", in.OrderBy, "LogStreamName", "LastEventTime")
	case in.OrderBy == types.OrderByLastEventTime && in.LogStreamNamePrefix != nil:
		return model.Errorf("Cannot order by LastEventTime with a logStreamNamePrefix.")
	}
	return model.Between("limit", in.Limit, 1, maxDescribed)
}

// inOrder returns the streams after the last one of the page before.
func inOrder(streams []described, descending bool, last string) []described {
	compare := func(x, y string) int {
		if descending {
			return strings.Compare(y, x)
		}
		return strings.Compare(x, y)
	}
	slices.SortFunc(streams, func(x, y described) int { return compare(x.place, y.place) })
	if last == "" {
		return streams
	}
	return slices.DeleteFunc(streams, func(d described) bool { return compare(d.place, last) <= 0 })
}

// summary describes the events of a stream, which may have been deleted meanwhile.
func (a *API) summary(row *store.LogStream) (eventlog.Summary, error) {
	s, err := a.Events.Summary(row.ID)
	if errors.Is(err, eventlog.ErrNoStream) {
		return eventlog.Summary{}, nil
	}
	return s, err
}

func describeStream(d described) types.LogStream {
	out := types.LogStream{
		LogStreamName: &d.Name, Arn: aws.String(streamARN(d.LogStream)), CreationTime: milliseconds(d.Created),
		StoredBytes: new(int64), //nolint:staticcheck // deprecated, and 0 since 2019
	}
	if d.Ingested > 0 {
		out.FirstEventTimestamp, out.LastEventTimestamp, out.LastIngestionTime = &d.First, &d.Last, &d.Ingested
		out.UploadSequenceToken = aws.String(sequenceToken(d.ID))
	}
	return out
}
