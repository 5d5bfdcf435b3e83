//go:build linux

package commands_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"aloft.dev/aloft/internal/cloud/api/ec2messages"
	"aloft.dev/aloft/internal/cloud/api/ssm"
	"aloft.dev/aloft/internal/cloud/control/commands"
	"aloft.dev/aloft/internal/cloud/seal"
	"aloft.dev/aloft/internal/cloud/session"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

const region = "us-east-1"

// world is Run Command with agents that are as many tests need them, in a bubble of time.
type world struct {
	*testing.T
	store    *store.Store
	api      *ssm.API
	messages *ec2messages.API
}

// inWorld runs a test in a world with instances, whose agents have reported.
func inWorld(t *testing.T, instances int, test func(w world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s, err := store.Open("")
		if err != nil {
			t.Fatal(err)
		}
		w := world{
			t, s, ssm.New(ssm.Config{Store: s, Key: seal.NewRandomKey()}),
			ec2messages.New(ec2messages.Config{Store: s}),
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- (&commands.Loop{Store: s, Log: slog.New(slog.DiscardHandler)}).Run(ctx) }()
		for n := range instances {
			w.launch(n)
			w.report(n)
		}
		test(w)
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// id returns the id of an instance.
func id(n int) string { return fmt.Sprintf("i-%017x", n) }

func (w world) update(change func(tx *store.Tx)) {
	w.Helper()
	if err := w.store.Update(func(tx *store.Tx) error { change(tx); return nil }); err != nil {
		w.Fatal(err)
	}
}

func (w world) launch(n int) {
	w.update(func(tx *store.Tx) {
		store.Instances.Put(tx, &store.Instance{
			ID: id(n), Region: region, State: store.Running,
			Tags: store.Tags{"Name": fmt.Sprint("server-", n), "odd": fmt.Sprint(n%2 == 1)},
		})
	})
}

// user returns the context of a user's calls.
func (w world) user() context.Context {
	return wire.WithCaller(w.Context(), wire.Caller{Region: region})
}

// agent returns the context of an instance's calls.
func (w world) agent(n int) context.Context {
	own := &session.Session{RoleName: "web", Name: id(n), Instance: id(n)}
	return wire.WithCaller(w.Context(), wire.Caller{Region: region, Principal: wire.Principal{Session: own}})
}

func must[Out any](out Out, err error) Out {
	if err != nil {
		panic(err)
	}
	return out
}

func code(err error) string {
	if refusal, ok := errors.AsType[*wire.Error](err); ok {
		return refusal.Code
	}
	return fmt.Sprint(err)
}

func (w world) report(n int) {
	must(w.api.UpdateInstanceInformation(w.agent(n), &ssm.UpdateInstanceInformationInput{
		InstanceId: aws.String(id(n)), PlatformType: aws.String("Linux"), AgentVersion: aws.String("3.3.0.0"),
	}))
}

// send sends a command, to all instances with a tag unless the request says otherwise.
func (w world) send(change func(in *client.SendCommandInput)) *types.Command {
	w.Helper()
	in := &client.SendCommandInput{
		DocumentName: aws.String("AWS-RunShellScript"), Parameters: map[string][]string{"commands": {"true"}},
	}
	change(in)
	out, err := w.api.SendCommand(w.user(), in)
	if err != nil {
		w.Fatal(err)
	}
	return out.Command
}

// to sends a command to instances.
func to(n ...int) func(in *client.SendCommandInput) {
	return func(in *client.SendCommandInput) {
		for _, n := range n {
			in.InstanceIds = append(in.InstanceIds, id(n))
		}
	}
}

// fetch returns the messages of an instance.
func (w world) fetch(n int) []ec2messages.Message {
	w.Helper()
	return must(w.messages.GetMessages(w.agent(n), &ec2messages.GetMessagesInput{
		Destination: aws.String(id(n)), MessagesRequestId: aws.String("x"), VisibilityTimeoutInSeconds: aws.Int32(10),
	})).Messages
}

func (w world) acknowledge(n int, m ec2messages.Message) error {
	_, err := w.messages.AcknowledgeMessage(w.agent(n), &ec2messages.AcknowledgeMessageInput{MessageId: m.MessageId})
	return err
}

// reply reports the end of a command.
func (w world) reply(n int, m ec2messages.Message, status string, exit int) error {
	payload := fmt.Sprintf(`{"documentStatus": %q, "runtimeStatus": {"aws:runShellScript": {
		"status": %[1]q, "code": %d, "output": "both", "standardOutput": "out", "standardError": "err",
		"startDateTime": "2026-11-23T12:00:00.000Z", "endDateTime": "2026-11-23T12:00:01.500Z"}}}`, status, exit)
	_, err := w.messages.SendReply(w.agent(n), &ec2messages.SendReplyInput{
		MessageId: m.MessageId, Payload: &payload, ReplyId: aws.String("r"),
	})
	return err
}

// run takes the only command of an instance on, and ends it.
func (w world) run(n int, status string, exit int) {
	w.Helper()
	fetched := w.fetch(n)
	if len(fetched) != 1 {
		w.Fatalf("%s fetches %d messages", id(n), len(fetched))
	}
	if err := errors.Join(w.acknowledge(n, fetched[0]), w.reply(n, fetched[0], status, exit)); err != nil {
		w.Fatal(err)
	}
	synctest.Wait()
}

// invocation returns the status and the details of a command on an instance.
func (w world) invocation(command *types.Command, n int) string {
	w.Helper()
	synctest.Wait()
	out := must(w.api.GetCommandInvocation(w.user(), &client.GetCommandInvocationInput{
		CommandId: command.CommandId, InstanceId: aws.String(id(n)),
	}))
	return string(out.Status) + "/" + *out.StatusDetails
}

// status returns the status, the details and the counts of a command: targets, completed,
// errors, delivery timeouts.
func (w world) status(command *types.Command) string {
	w.Helper()
	synctest.Wait()
	c := must(w.api.ListCommands(w.user(), &client.ListCommandsInput{CommandId: command.CommandId})).Commands[0]
	return fmt.Sprintf("%s/%s %d %d %d %d", c.Status, *c.StatusDetails, c.TargetCount, c.CompletedCount, c.ErrorCount,
		c.DeliveryTimedOutCount)
}
