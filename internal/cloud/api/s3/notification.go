package s3

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"aloft.dev/aloft/internal/cloud/access"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/policydocument"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// maxFilterValue is the size of the longest prefix or suffix of a filter, in bytes.
const maxFilterValue = 1024

// PutBucketNotificationConfiguration sets which topics are notified of which changes in a bucket. Each gets a
// message at once.
func (a *API) PutBucketNotificationConfiguration(
	ctx context.Context, in *s3.PutBucketNotificationConfigurationInput,
) (*s3.PutBucketNotificationConfigurationOutput, error) {
	c := in.NotificationConfiguration
	if err := cmp.Or(check(in), a.has(ctx, in.Bucket, in.ExpectedBucketOwner)); err != nil {
		return nil, err
	}
	switch {
	case c == nil:
		return nil, malformedXML()
	case len(c.QueueConfigurations) > 0:
		return nil, wire.NotImplemented("notifications of S3 to queues")
	case len(c.LambdaFunctionConfigurations) > 0:
		return nil, wire.NotImplemented("notifications of S3 to functions")
	case c.EventBridgeConfiguration != nil:
		return nil, wire.NotImplemented("notifications of S3 to Amazon EventBridge")
	}
	var rows []store.BucketNotification
	for _, t := range c.TopicConfigurations {
		row, err := a.notification(t)
		if err != nil {
			return nil, err
		}
		if err := checkOverlap(rows, row); err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	return &s3.PutBucketNotificationConfigurationOutput{}, a.Store.Update(func(tx *store.Tx) error {
		old, err := findBucket(ctx, tx, in.Bucket, in.ExpectedBucketOwner)
		if err != nil {
			return err
		}
		bucket := *old
		bucket.Topics = rows
		for _, row := range rows {
			if !aws.ToBool(in.SkipDestinationValidation) {
				if err := checkDestination(tx, &bucket, row.Topic); err != nil {
					return err
				}
				a.publish(tx, &bucket, row.Topic, a.testEvent(ctx, bucket.Name))
			}
		}
		store.Buckets.Put(tx, &bucket)
		return nil
	})
}

// notification returns the row for a part of a configuration.
func (a *API) notification(t types.TopicConfiguration) (store.BucketNotification, error) {
	row := store.BucketNotification{ID: aws.ToString(t.Id), Topic: aws.ToString(t.TopicArn)}
	if row.ID == "" {
		row.ID = a.ids.UUID()
	}
	if parts := strings.Split(row.Topic, ":"); len(parts) != 6 || parts[0] != "arn" || parts[2] != "sns" {
		return row, invalidArgument("The ARN could not be parsed")
	}
	if len(t.Events) == 0 {
		return row, malformedXML()
	}
	for _, e := range t.Events {
		if !slices.Contains(e.Values(), e) {
			return row, invalidArgument("The event is not supported for notifications")
		}
		row.Events = append(row.Events, string(e))
	}
	if t.Filter == nil || t.Filter.Key == nil {
		return row, nil
	}
	err := setFilter(&row, t.Filter.Key.FilterRules)
	return row, err
}

// setFilter sets the keys that a row is about.
func setFilter(row *store.BucketNotification, rules []types.FilterRule) error {
	for _, rule := range rules {
		name, value := strings.ToLower(string(rule.Name)), aws.ToString(rule.Value)
		end, ok := map[string]**string{"prefix": &row.Prefix, "suffix": &row.Suffix}[name]
		switch {
		case !ok:
			return invalidArgument("filter rule name must be either prefix or suffix")
		case *end != nil:
			return invalidArgument(fmt.Sprintf("Cannot specify more than one %s rule in a filter.", name))
		case len(value) > maxFilterValue:
			return invalidArgument("Size of filter rule value cannot exceed 1024 bytes in UTF-8 representation")
		}
		*end = &value
	}
	return nil
}

// checkOverlap refuses a part of a configuration that would notify topics of a change twice.
func checkOverlap(rows []store.BucketNotification, row store.BucketNotification) error {
	for _, other := range rows {
		if other.ID == row.ID {
			return invalidArgument("Same ID used for multiple configurations. Configuration IDs must be unique.")
		}
		common := slices.ContainsFunc(row.Events, func(e string) bool {
			return slices.ContainsFunc(other.Events, func(o string) bool { return isEvent(e, o) || isEvent(o, e) })
		})
		p, q := aws.ToString(row.Prefix), aws.ToString(other.Prefix)
		s, u := aws.ToString(row.Suffix), aws.ToString(other.Suffix)
		switch {
		case !common, !strings.HasPrefix(p, q) && !strings.HasPrefix(q, p),
			!strings.HasSuffix(s, u) && !strings.HasSuffix(u, s):
		case p+q+s+u == "":
			return invalidArgument("Configurations overlap. Configurations on the same bucket cannot share a common " +
				"event type.")
		default:
			return invalidArgument("An object key name filtering rule defined with overlapping prefixes, overlapping " +
				"suffixes, or overlapping combinations of prefixes and suffixes for the same event types.")
		}
	}
	return nil
}

// isEvent reports whether a configured event, which may end in *, is an event.
func isEvent(configured, event string) bool {
	start, all := strings.CutSuffix(configured, "*")
	return configured == event || all && strings.HasPrefix(event, start)
}

// checkDestination refuses a topic that cannot be notified of changes in a bucket.
func checkDestination(r store.Reader, bucket *store.Bucket, arn string) error {
	topic, ok := store.Topics.Get(r, arn)
	switch {
	case identity.RegionOfARN(arn).Name() != bucket.Region.Name():
		return invalidArgument("The notification destination service region is not valid for the bucket location " +
			"constraint")
	case !ok || !mayPublish(topic, bucket):
		return invalidArgument("Unable to validate the following destination configurations")
	}
	return nil
}

// mayPublish reports whether a topic's policy lets S3 publish changes in a bucket.
func mayPublish(topic *store.Topic, bucket *store.Bucket) bool {
	if topic.Policy == "" {
		return false
	}
	policy, err := policydocument.Parse(policydocument.Resource, topic.Policy)
	if err != nil {
		return false
	}
	return access.EvaluateResource(policy, access.Trustee{Service: "s3.amazonaws.com"}, topic.ARN, access.Request{
		Action: "sns:Publish", Resources: []string{topic.ARN},
		Context: map[string][]string{
			"aws:SourceArn": {bucketARN(bucket.Name)}, "aws:SourceAccount": {bucket.Region.Account()},
			"aws:PrincipalIsAWSService": {"true"}, "aws:PrincipalServiceName": {"s3.amazonaws.com"},
			"aws:SecureTransport": {"true"}, "aws:RequestedRegion": {bucket.Region.Name()},
		},
	}) == access.Trusted
}

// GetBucketNotificationConfiguration returns which topics are notified of which changes in a bucket.
func (a *API) GetBucketNotificationConfiguration(
	ctx context.Context, in *s3.GetBucketNotificationConfigurationInput,
) (*s3.GetBucketNotificationConfigurationOutput, error) {
	bucket, err := findBucket(ctx, a.Store.View(), in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	out := &s3.GetBucketNotificationConfigurationOutput{}
	for i := range bucket.Topics {
		row := &bucket.Topics[i]
		t := types.TopicConfiguration{Id: &row.ID, TopicArn: &row.Topic}
		for _, e := range row.Events {
			t.Events = append(t.Events, types.Event(e))
		}
		var rules []types.FilterRule
		for _, end := range []struct {
			name  string
			value *string
		}{{"Prefix", row.Prefix}, {"Suffix", row.Suffix}} {
			if end.value != nil {
				rules = append(rules, types.FilterRule{Name: types.FilterRuleName(end.name), Value: end.value})
			}
		}
		if rules != nil {
			t.Filter = &types.NotificationConfigurationFilter{Key: &types.S3KeyFilter{FilterRules: rules}}
		}
		out.TopicConfigurations = append(out.TopicConfigurations, t)
	}
	return out, nil
}
