package cloudwatchlogs_test

import (
	"errors"
	"maps"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"aloft.dev/aloft/internal/cloud/wire"
	"aloft.dev/aloft/internal/cloud/wire/wiretest"
)

func TestTheSDKKeepsALog(t *testing.T) {
	w := newWorld(t)
	c := client.NewFromConfig(wiretest.Serve(t, "us-east-1", wire.Service{Name: "logs", API: w.API}))
	name := aws.String("tagged")
	_, err := c.CreateLogGroup(t.Context(), &client.CreateLogGroupInput{
		LogGroupName: name, Tags: map[string]string{"a": "1", "b": "2"},
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.CreateLogGroup(t.Context(), &client.CreateLogGroupInput{LogGroupName: name})
	if _, ok := errors.AsType[*types.ResourceAlreadyExistsException](err); !ok {
		t.Errorf("a second group: %v", err)
	}
	listed, err := c.DescribeLogGroups(t.Context(), &client.DescribeLogGroupsInput{
		LogGroupNamePrefix: aws.String("tag"),
	})
	if err != nil || len(listed.LogGroups) != 1 || *listed.LogGroups[0].CreationTime != w.now.UnixMilli() {
		t.Fatalf("got %+v, %v", listed, err)
	}
	arn := listed.LogGroups[0].LogGroupArn
	if *listed.LogGroups[0].Arn != *arn+":*" {
		t.Errorf("got ARNs %s and %s", *arn, *listed.LogGroups[0].Arn)
	}
	w.must(c.UntagResource(t.Context(), &client.UntagResourceInput{ResourceArn: arn, TagKeys: []string{"a"}}))
	old := &client.TagLogGroupInput{LogGroupName: name, Tags: map[string]string{"c": "3"}}
	w.must(c.TagLogGroup(t.Context(), old)) //nolint:staticcheck // clients still call it
	tags, err := c.ListTagsForResource(t.Context(), &client.ListTagsForResourceInput{ResourceArn: arn})
	if err != nil || !maps.Equal(tags.Tags, map[string]string{"b": "2", "c": "3"}) {
		t.Errorf("got tags %v, %v", tags, err)
	}
	w.must(c.CreateLogStream(t.Context(), &client.CreateLogStreamInput{LogGroupName: name, LogStreamName: name}))
	w.must(c.PutLogEvents(t.Context(), &client.PutLogEventsInput{
		LogGroupName: name, LogStreamName: name, SequenceToken: aws.String("wrong"),
		LogEvents: []types.InputLogEvent{{Timestamp: aws.Int64(w.now.UnixMilli()), Message: aws.String("ä\n\"")}},
	}))
	got, err := c.FilterLogEvents(t.Context(), &client.FilterLogEventsInput{LogGroupIdentifier: arn})
	if err != nil || len(got.Events) != 1 || *got.Events[0].Message != "ä\n\"" || len(*got.Events[0].EventId) != 56 {
		t.Errorf("got %+v, %v", got, err)
	}
	if _, err := c.StartQuery(t.Context(), &client.StartQueryInput{
		QueryString: aws.String("fields @message"), StartTime: aws.Int64(0), EndTime: aws.Int64(1), LogGroupName: name,
	}); err == nil {
		t.Error("a query starts, which the local cloud cannot run")
	}
}
