package sns

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	"aloft.dev/aloft/internal/cloud/notification"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// Limits of messages (Amazon SNS API Reference, Publish and PublishBatch).
const (
	maxMessage = 256 << 10 // bytes of a message or a batch, attributes included
	maxSubject = 100
	maxBatch   = 10
)

var batchID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)

// Publish sends a message to a topic's subscriptions.
func (a *API) Publish(ctx context.Context, in *sns.PublishInput) (*sns.PublishOutput, error) {
	switch {
	case in.PhoneNumber != nil:
		return nil, wire.NotImplemented("text messages")
	case in.TopicArn == nil && in.TargetArn == nil:
		return nil, invalid("TopicArn or TargetArn Reason: no value for required parameter")
	case in.TopicArn != nil && in.TargetArn != nil:
		return nil, invalid("TopicArn or TargetArn Reason: both are specified")
	case in.MessageDeduplicationId != nil:
		return nil, fifoOnly("MessageDeduplicationId")
	}
	parameter, arn := "TopicArn", in.TopicArn
	if arn == nil {
		parameter, arn = "TargetArn", in.TargetArn
	}
	m, err := read(in.Message, in.Subject, in.MessageStructure, in.MessageAttributes)
	if err != nil {
		return nil, err
	}
	m.ID = a.IDs.UUID()
	return &sns.PublishOutput{MessageId: &m.ID}, a.Store.Update(func(tx *store.Tx) error {
		to, err := topic(ctx, tx, parameter, arn)
		if err != nil {
			return err
		}
		notification.Publish(tx, to, m, a.Now())
		return nil
	})
}

func fifoOnly(parameter string) error {
	return invalid(parameter + " Reason: The request includes " + parameter +
		" parameter that is not valid for this topic type")
}

// PublishBatch sends up to ten messages. Each succeeds or fails by itself.
func (a *API) PublishBatch(ctx context.Context, in *sns.PublishBatchInput) (*sns.PublishBatchOutput, error) {
	if err := checkBatch(in.PublishBatchRequestEntries); err != nil {
		return nil, err
	}
	out := &sns.PublishBatchOutput{
		Successful: []types.PublishBatchResultEntry{}, Failed: []types.BatchResultErrorEntry{},
	}
	var messages []notification.Message
	for _, e := range in.PublishBatchRequestEntries {
		m, err := read(e.Message, e.Subject, e.MessageStructure, e.MessageAttributes)
		if e.MessageDeduplicationId != nil {
			err = fifoOnly("MessageDeduplicationId")
		}
		if refusal, ok := errors.AsType[*wire.Error](err); ok {
			out.Failed = append(out.Failed, types.BatchResultErrorEntry{
				Id: e.Id, Code: &refusal.Code, Message: &refusal.Message, SenderFault: true,
			})
			continue
		}
		m.ID = a.IDs.UUID()
		messages = append(messages, m)
		out.Successful = append(out.Successful, types.PublishBatchResultEntry{Id: e.Id, MessageId: &m.ID})
	}
	err := a.Store.Update(func(tx *store.Tx) error {
		to, err := topic(ctx, tx, "TopicArn", in.TopicArn)
		if err != nil {
			return err
		}
		for _, m := range messages {
			notification.Publish(tx, to, m, a.Now())
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func checkBatch(entries []types.PublishBatchRequestEntry) error {
	switch {
	case len(entries) == 0:
		return wire.Errorf("EmptyBatchRequest", "The batch request doesn't contain any entries.")
	case len(entries) > maxBatch:
		return wire.Errorf("TooManyEntriesInBatchRequest",
			"The batch request contains more entries than permissible (more than %d).", maxBatch)
	}
	seen, size := map[string]bool{}, 0
	for _, e := range entries {
		id := aws.ToString(e.Id)
		switch {
		case !batchID.MatchString(id):
			return wire.Errorf("InvalidBatchEntryId",
				"The Id of a batch entry in a batch request doesn't abide by the specification.")
		case seen[id]:
			return wire.Errorf("BatchEntryIdsNotDistinct",
				"Two or more batch entries in the request have the same Id.")
		}
		seen[id] = true
		size += sizeOf(e.Message, e.MessageAttributes)
	}
	if size > maxMessage {
		return wire.Errorf("BatchRequestTooLong",
			"The length of all the batch messages put together is more than the limit.")
	}
	return nil
}

// read returns the message in a request.
func read(
	text, subject, structure *string, attributes map[string]types.MessageAttributeValue,
) (notification.Message, error) {
	m := notification.Message{Subject: aws.ToString(subject), Text: aws.ToString(text)}
	switch {
	case m.Text == "":
		return m, invalid("Empty message")
	case sizeOf(text, attributes) > maxMessage:
		return m, invalid("Message too long")
	case subject != nil && !validSubject(*subject):
		return m, invalid("Subject")
	}
	switch aws.ToString(structure) {
	case "":
	case "json":
		var byProtocol map[string]any
		if json.Unmarshal([]byte(m.Text), &byProtocol) != nil {
			return m, invalid("Message Structure - JSON message body failed to parse")
		}
		m.ByProtocol = map[string]string{}
		for protocol, value := range byProtocol {
			if text, ok := value.(string); ok { // AWS ignores other values
				m.ByProtocol[protocol] = text
			}
		}
		var ok bool
		if m.Text, ok = m.ByProtocol["default"]; !ok {
			return m, invalid("Message Structure - No default entry in JSON message body")
		}
	default:
		return m, invalid("MessageStructure")
	}
	var err error
	m.Attributes, err = readAttributes(attributes)
	return m, err
}

// validSubject reports whether a subject can be the subject of an email: printable ASCII
// that starts with a letter, number or punctuation mark.
func validSubject(s string) bool {
	return s != "" && len(s) <= maxSubject && s[0] != ' ' &&
		!strings.ContainsFunc(s, func(r rune) bool { return r > unicode.MaxASCII || unicode.IsControl(r) })
}

func sizeOf(text *string, attributes map[string]types.MessageAttributeValue) int {
	size := len(aws.ToString(text))
	for name, a := range attributes {
		size += len(name) + len(aws.ToString(a.DataType)) + len(aws.ToString(a.StringValue)) + len(a.BinaryValue)
	}
	return size
}

func readAttributes(attributes map[string]types.MessageAttributeValue) (out []store.MessageAttribute, err error) {
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		a := attributes[name]
		kind, _, _ := strings.Cut(aws.ToString(a.DataType), ".")
		value := aws.ToString(a.StringValue)
		switch {
		case kind == "Binary":
			value = base64.StdEncoding.EncodeToString(a.BinaryValue)
		case kind != "String" && kind != "Number":
			return nil, attributeError("The message attribute '" + name +
				"' has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and " +
				"String.")
		}
		if value == "" {
			return nil, attributeError("The message attribute '" + name +
				"' must contain non-empty message attribute value for message attribute type '" +
				aws.ToString(a.DataType) + "'.")
		}
		out = append(out, store.MessageAttribute{Name: name, Type: *a.DataType, Value: value})
	}
	return out, nil
}

func attributeError(why string) error {
	return &wire.Error{Code: "ParameterValueInvalid", Message: why, Status: http.StatusBadRequest}
}
