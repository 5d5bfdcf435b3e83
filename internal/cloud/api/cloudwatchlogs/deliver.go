package cloudwatchlogs

import (
	"context"
	"errors"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"

	"aloft.dev/aloft/internal/cloud/eventlog"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// Deliver adds events, in the order of their times, to a stream on behalf of a service. It creates the
// group and the stream if they do not exist.
func (a *API) Deliver(region identity.Region, group, stream string, events []eventlog.Event) error {
	ctx := wire.WithCaller(context.Background(), wire.Caller{Region: region})
	if _, ok := store.LogGroups.Get(a.Store.View(), store.LogGroupKey(region, group)); !ok {
		_, err := a.CreateLogGroup(ctx, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String(group)})
		if err != nil && !alreadyExists(err) {
			return err
		}
	}
	key := store.LogStreamKey(region, group, stream)
	if _, ok := store.LogStreams.Get(a.Store.View(), key); !ok {
		_, err := a.CreateLogStream(ctx, &cloudwatchlogs.CreateLogStreamInput{
			LogGroupName: aws.String(group), LogStreamName: aws.String(stream),
		})
		if err != nil && !alreadyExists(err) {
			return err
		}
	}
	row, err := findStream(a.Store.View(), region, group, stream)
	if err != nil {
		return err
	}
	for batch := range slices.Chunk(events, maxEvents) {
		if err := a.Events.Append(row.ID, a.Now(), batch); err != nil {
			return err
		}
	}
	if row, ok := store.LogGroups.Get(a.Store.View(), store.LogGroupKey(region, group)); ok {
		a.measure(row, events)
	}
	return nil
}

func alreadyExists(err error) bool {
	refusal, ok := errors.AsType[*wire.Error](err)
	return ok && refusal.Code == "ResourceAlreadyExistsException"
}
