package s3

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/notification"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// record is a change in a bucket, as messages to topics have it (Amazon S3 User Guide, "Event message structure").
type record struct {
	EventVersion string `json:"eventVersion"`
	EventSource  string `json:"eventSource"`
	Region       string `json:"awsRegion"`
	Time         string `json:"eventTime"`
	Name         string `json:"eventName"`
	User         struct {
		ID string `json:"principalId"`
	} `json:"userIdentity"`
	Request struct {
		Address string `json:"sourceIPAddress"`
	} `json:"requestParameters"`
	Response struct {
		RequestID string `json:"x-amz-request-id"`
		HostID    string `json:"x-amz-id-2"`
	} `json:"responseElements"`
	S3 struct {
		Version       string       `json:"s3SchemaVersion"`
		Configuration string       `json:"configurationId"`
		Bucket        recordBucket `json:"bucket"`
		Object        recordObject `json:"object"`
	} `json:"s3"`
}

type recordBucket struct {
	Name  string `json:"name"`
	Owner struct {
		ID string `json:"principalId"`
	} `json:"ownerIdentity"`
	ARN string `json:"arn"`
}

type recordObject struct {
	Key       string  `json:"key"`
	Size      *int64  `json:"size,omitempty"`
	ETag      string  `json:"eTag,omitempty"`
	Version   *string `json:"versionId,omitempty"`
	Sequencer string  `json:"sequencer"`
}

// eventTime is the form of times in records.
const eventTime = "2006-01-02T15:04:05.000Z"

// The kinds of changes.
const (
	created  = "ObjectCreated"
	removed  = "ObjectRemoved"
	expires  = "LifecycleExpiration"
	retagged = "ObjectTagging"
)

// notify notifies the topics of a bucket of a change: its kind, and what of that kind has happened to a version.
// Without a caller, S3 itself has made it.
func (a *API) notify(ctx context.Context, tx *store.Tx, bucket *store.Bucket, kind, what string, o *store.Object) {
	if len(bucket.Topics) == 0 {
		return
	}
	name := kind + ":" + what
	for _, n := range bucket.Topics {
		wanted := false
		for _, e := range n.Events {
			wanted = wanted || isEvent(e, "s3:"+name)
		}
		if wanted && strings.HasPrefix(o.Key, aws.ToString(n.Prefix)) &&
			strings.HasSuffix(o.Key, aws.ToString(n.Suffix)) {
			r := a.record(ctx, bucket, name, o)
			r.S3.Configuration = n.ID
			text, _ := json.Marshal(struct{ Records []record }{[]record{r}}) // texts and numbers always encode
			a.publish(tx, bucket, n.Topic, string(text))
		}
	}
}

func (a *API) record(ctx context.Context, bucket *store.Bucket, name string, o *store.Object) record {
	now, caller := a.Now().UTC(), wire.CallerFrom(ctx)
	r := record{
		EventVersion: "2.1", EventSource: "aws:s3", Region: bucket.Region.Name(), Time: now.Format(eventTime),
		Name: name,
	}
	kind, _, _ := strings.Cut(name, ":")
	if kind == expires || kind == retagged {
		r.EventVersion = "2.3"
	}
	if caller.AccessKeyID == "" {
		r.User.ID, r.Request.Address = "s3.amazonaws.com", "s3.amazonaws.com"
	} else {
		r.User.ID = "AWS:" + cmp.Or(caller.Principal.UserID, identity.UserID(caller.Region.Account()))
		r.Request.Address = caller.SourceIP
	}
	r.Response.RequestID, r.Response.HostID = caller.RequestID, caller.RequestID
	r.S3.Version = "1.0"
	r.S3.Bucket = recordBucket{Name: bucket.Name, ARN: bucketARN(bucket.Name)}
	r.S3.Bucket.Owner.ID = bucket.Region.Account()
	r.S3.Object = recordObject{
		Key: strings.ReplaceAll(url.QueryEscape(o.Key), "%2F", "/"), ETag: o.ETag,
		Sequencer: fmt.Sprintf("%018X", now.UnixNano()),
	}
	if kind == created {
		r.S3.Object.Size = &o.Size
	}
	if kind == removed && !o.Marker {
		r.S3.Object.ETag = ""
	}
	if bucket.Versioning != "" {
		r.S3.Object.Version = aws.String(store.VersionIDOf(o))
	}
	return r
}

// publish sends a message to a topic that exists and takes messages of a bucket.
func (a *API) publish(tx *store.Tx, bucket *store.Bucket, arn, text string) {
	topic, ok := store.Topics.Get(tx, arn)
	if !ok || !mayPublish(topic, bucket) {
		return
	}
	notification.Publish(tx, topic, notification.Message{
		ID: a.ids.UUID(), Subject: "Amazon S3 Notification", Text: text,
	}, a.Now())
}

// testEvent is the message that a topic gets when it is configured (Amazon S3 User Guide, "Event message structure").
func (a *API) testEvent(ctx context.Context, bucket string) string {
	id := wire.CallerFrom(ctx).RequestID
	text, _ := json.Marshal(struct { // texts always encode
		Service, Event, Time, Bucket string
		RequestID                    string `json:"RequestId"`
		HostID                       string `json:"HostId"`
	}{"Amazon S3", "s3:TestEvent", a.Now().UTC().Format(time.RFC3339), bucket, id, id})
	return string(text)
}
