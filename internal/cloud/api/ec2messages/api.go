// Package ec2messages serves the message delivery service of Systems Manager: it carries the
// commands of Run Command to the agents in machines, and their replies back. Operations and
// their members are those that github.com/aws/amazon-ssm-agent uses; the service is not
// documented and the SDK lacks it.
//
// An instance's agent calls it with the credentials of the instance's role, for that instance
// alone. Package runcommand has the rules.
package ec2messages

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/runcommand"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// Quiet are the operations that an idle agent repeats.
var Quiet = []string{"GetMessages"}

// hold is how long GetMessages waits for a message. Agents wait for 20 seconds.
const hold = 15 * time.Second

// The times, in seconds, for which a message that an agent has fetched is not handed out again.
const (
	defaultVisibility = 10
	maxVisibility     = 600
)

// Config configures an API.
type Config struct {
	Store *store.Store
}

// API implements the operations of the message delivery service.
type API struct{ Config }

// New returns an API.
func New(c Config) *API { return &API{c} }

// model returns the errors of requests that violate the API's model.
const model = constraint.Model("ValidationException")

// GetMessagesInput asks for the messages of an instance.
type GetMessagesInput struct {
	Destination                *string // id of the instance
	MessagesRequestId          *string
	VisibilityTimeoutInSeconds *int32
}

// GetMessagesOutput has the messages of an instance.
type GetMessagesOutput struct {
	Destination       *string
	Messages          []Message
	MessagesRequestId *string
}

// Message is a command or the cancellation of one.
type Message struct {
	CreatedDate, Destination, Payload, PayloadDigest, Topic *string

	MessageId *string
}

// GetMessages returns the messages that wait for an instance. If there is none, it waits for
// one.
func (a *API) GetMessages(ctx context.Context, in *GetMessagesInput) (*GetMessagesOutput, error) {
	if err := own(ctx, "destination", in.Destination); err != nil {
		return nil, err
	}
	if err := model.Between("visibilityTimeoutInSeconds", in.VisibilityTimeoutInSeconds, 0, maxVisibility); err != nil {
		return nil, err
	}
	visibility := time.Duration(constraint.Default(in.VisibilityTimeoutInSeconds, defaultVisibility)) * time.Second
	messages, err := a.wait(ctx, *in.Destination, visibility)
	if err != nil {
		return nil, err
	}
	out := &GetMessagesOutput{
		Destination: in.Destination, Messages: []Message{}, MessagesRequestId: in.MessagesRequestId,
	}
	for _, m := range messages {
		out.Messages = append(out.Messages, Message{
			CreatedDate: aws.String(m.Created.UTC().Format("2006-01-02T15:04:05.000Z")), Destination: in.Destination,
			MessageId: &m.ID, Payload: &m.Payload, PayloadDigest: aws.String(m.Digest()), Topic: &m.Topic,
		})
	}
	return out, nil
}

// wait returns the messages for an instance, none if there is none for a while.
func (a *API) wait(ctx context.Context, instance string, visibility time.Duration) ([]runcommand.Message, error) {
	region, end := wire.RegionFrom(ctx), time.Now().Add(hold)
	for {
		view, now := a.Store.View(), time.Now()
		waiting, next := runcommand.Waiting(view, region, instance, now)
		if waiting {
			messages, err := a.take(region, instance, visibility)
			if err != nil || len(messages) > 0 {
				return messages, err
			}
		}
		if !now.Before(end) || ctx.Err() != nil {
			return nil, nil
		}
		if next.IsZero() || next.After(end) {
			next = end
		}
		bounded, cancel := context.WithDeadline(ctx, next)
		_ = view.Changed(bounded, store.CommandInvocations) // at the end of either, look again
		cancel()
	}
}

func (a *API) take(
	region identity.Region, instance string, visibility time.Duration,
) (messages []runcommand.Message, err error) {
	return messages, a.Store.Update(func(tx *store.Tx) error {
		messages, err = runcommand.Take(tx, region, instance, time.Now(), visibility)
		return err
	})
}

// own returns the error of a caller that is not the instance.
func own(ctx context.Context, member string, instance *string) error {
	if aws.ToString(instance) == "" {
		return model.Null(member)
	}
	if wire.CallerFrom(ctx).Instance() != *instance {
		return wire.Errorf("AccessDeniedException", "The credentials are not those of the instance %s.", *instance)
	}
	return nil
}

// AcknowledgeMessageInput names a message.
type AcknowledgeMessageInput struct {
	MessageId *string
}

// AcknowledgeMessageOutput is empty.
type AcknowledgeMessageOutput struct{}

// AcknowledgeMessage says that an agent has taken a message on. It fails if the agent must not
// obey it any longer.
func (a *API) AcknowledgeMessage(
	ctx context.Context, in *AcknowledgeMessageInput,
) (*AcknowledgeMessageOutput, error) {
	return &AcknowledgeMessageOutput{}, a.change(ctx, in.MessageId,
		func(row *store.CommandInvocation, cancels bool) (*store.CommandInvocation, error) {
			row, obey := runcommand.Acknowledge(row, cancels)
			if !obey {
				return nil, gone(*in.MessageId)
			}
			return row, nil
		})
}

// SendReplyInput is a report about a message.
type SendReplyInput struct {
	Payload *string // JSON

	MessageId, ReplyId *string
}

// SendReplyOutput is empty.
type SendReplyOutput struct{}

// SendReply records what an agent reports about a command. Reports about a command that has
// ended change nothing.
func (a *API) SendReply(ctx context.Context, in *SendReplyInput) (*SendReplyOutput, error) {
	return &SendReplyOutput{}, a.change(ctx, in.MessageId,
		func(row *store.CommandInvocation, cancels bool) (*store.CommandInvocation, error) {
			if cancels {
				return row, nil // the command's own reply says how it ended
			}
			row, err := runcommand.Reply(row, aws.ToString(in.Payload), time.Now().UTC())
			if err != nil {
				return nil, model.Errorf("%s", err.Error())
			}
			return row, nil
		})
}

// FailMessageInput names a message that an agent cannot read.
type FailMessageInput struct {
	FailureType *string

	MessageId *string
}

// FailMessageOutput is empty.
type FailMessageOutput struct{}

// FailMessage says that an agent cannot read a message.
func (a *API) FailMessage(ctx context.Context, in *FailMessageInput) (*FailMessageOutput, error) {
	return &FailMessageOutput{}, a.change(ctx, in.MessageId,
		func(row *store.CommandInvocation, cancels bool) (*store.CommandInvocation, error) {
			return runcommand.Fail(row, cancels), nil
		})
}

// DeleteMessageInput names a message.
type DeleteMessageInput struct {
	MessageId *string
}

// DeleteMessageOutput is empty.
type DeleteMessageOutput struct{}

// DeleteMessage says that an agent does not need a message any longer.
func (a *API) DeleteMessage(ctx context.Context, in *DeleteMessageInput) (*DeleteMessageOutput, error) {
	return &DeleteMessageOutput{}, a.change(ctx, in.MessageId,
		func(row *store.CommandInvocation, cancels bool) (*store.CommandInvocation, error) {
			row, _ = runcommand.Acknowledge(row, cancels)
			return row, nil
		})
}

// change changes the invocation that a message of the caller is about.
func (a *API) change(
	ctx context.Context, message *string,
	do func(row *store.CommandInvocation, cancels bool) (*store.CommandInvocation, error),
) error {
	if aws.ToString(message) == "" {
		return model.Null("messageId")
	}
	instance := runcommand.Destination(*message)
	if err := own(ctx, "messageId", &instance); err != nil {
		return err
	}
	return a.Store.Update(func(tx *store.Tx) error {
		old, cancels, ok := runcommand.Find(tx, wire.RegionFrom(ctx), *message)
		if !ok {
			return gone(*message)
		}
		row, err := do(old, cancels)
		if err != nil {
			return err
		}
		if row != old {
			store.CommandInvocations.Put(tx, row)
		}
		return nil
	})
}

// gone is the error of a message that does not exist, or not any longer.
func gone(message string) error {
	return model.Errorf("The message %s does not exist.", message)
}
