//go:build linux

package commands_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"aloft.dev/aloft/internal/cloud/api/ec2messages"
	"aloft.dev/aloft/internal/cloud/api/ssm"
	"aloft.dev/aloft/internal/cloud/runcommand"
	"aloft.dev/aloft/internal/cloud/store"
)

func TestACommandReachesItsInstanceAndItsReplyTheUser(t *testing.T) {
	inWorld(t, 2, func(w world) {
		parameters := map[string][]string{"commands": {"a", "b"}, "executionTimeout": {"60"}}
		fetched := make(chan []ec2messages.Message)
		go func() { fetched <- w.fetch(1) }()
		synctest.Wait() // the agent asks before there is anything
		c := w.send(func(in *client.SendCommandInput) { to(1)(in); in.Parameters = parameters })
		if got := *c.StatusDetails; got != "Pending" || c.TargetCount != 1 ||
			c.ExpiresAfter.Sub(*c.RequestedDateTime) != 3660*time.Second {
			t.Errorf("got %+v", c)
		}
		messages := <-fetched
		if len(messages) != 1 || *messages[0].MessageId != "aws.ssm."+*c.CommandId+"."+id(1) ||
			!strings.HasPrefix(*messages[0].Topic, "aws.ssm.sendCommand.") || *messages[0].Destination != id(1) {
			t.Fatalf("got %+v", messages)
		}
		var payload struct {
			Parameters      map[string]any
			DocumentContent struct{ SchemaVersion string }
			CommandID       string `json:"CommandId"`
		}
		if err := json.Unmarshal([]byte(*messages[0].Payload), &payload); err != nil {
			t.Fatal(err)
		}
		if fmt.Sprint(payload.Parameters) != "map[commands:[a b] executionTimeout:60 workingDirectory:]" ||
			payload.CommandID != *c.CommandId || payload.DocumentContent.SchemaVersion != "1.2" {
			t.Errorf("got %+v", payload)
		}
		if got := w.invocation(c, 1); got != "Pending/Pending" {
			t.Errorf("before the acknowledgement: %s", got)
		}
		if err := w.acknowledge(1, messages[0]); err != nil {
			t.Fatal(err)
		}
		if got := w.invocation(c, 1) + " " + w.status(c); got != "InProgress/InProgress InProgress/InProgress 1 0 0 0" {
			t.Errorf("after the acknowledgement: %s", got)
		}
		if err := w.reply(1, messages[0], "Success", 0); err != nil {
			t.Fatal(err)
		}
		got := must(w.api.GetCommandInvocation(w.user(), &client.GetCommandInvocationInput{
			CommandId: c.CommandId, InstanceId: aws.String(id(1)), PluginName: aws.String("aws:runShellScript"),
		}))
		if *got.StandardOutputContent != "out" || *got.StandardErrorContent != "err" || got.ResponseCode != 0 ||
			*got.ExecutionStartDateTime != "2026-11-23T12:00:00.000Z" || *got.ExecutionElapsedTime != "PT1.5S" {
			t.Errorf("got %+v", got)
		}
		if got := w.invocation(c, 1) + " " + w.status(c); got != "Success/Success Success/Success 1 1 0 0" {
			t.Errorf("after the reply: %s", got)
		}
		if err := w.reply(1, messages[0], "Failed", 1); err != nil || w.invocation(c, 1) != "Success/Success" {
			t.Errorf("a later reply: %v, %s", err, w.invocation(c, 1))
		}
	})
}

func TestMessagesAreForTheirInstanceAlone(t *testing.T) {
	inWorld(t, 2, func(w world) {
		w.send(to(0))
		for name, ctx := range map[string]context.Context{"another": w.agent(1), "the account": w.user()} {
			_, err := w.messages.GetMessages(ctx, &ec2messages.GetMessagesInput{Destination: aws.String(id(0))})
			if code(err) != "AccessDeniedException" {
				t.Errorf("%s fetches: %v", name, err)
			}
			message := &ec2messages.AcknowledgeMessageInput{MessageId: aws.String("aws.ssm.x." + id(0))}
			if _, err := w.messages.AcknowledgeMessage(ctx, message); code(err) != "AccessDeniedException" {
				t.Errorf("%s acknowledges: %v", name, err)
			}
			report := &ssm.UpdateInstanceInformationInput{InstanceId: aws.String(id(0))}
			_, err = w.api.UpdateInstanceInformation(ctx, report)
			if code(err) != "AccessDeniedException" {
				t.Errorf("%s reports: %v", name, err)
			}
		}
		began := time.Now()
		if got := w.fetch(1); len(got) > 0 || time.Since(began) < 10*time.Second {
			t.Errorf("got %+v after %s", got, time.Since(began))
		}
	})
}

func TestAMessageThatNobodyAcknowledgesComesAgain(t *testing.T) {
	inWorld(t, 1, func(w world) {
		c := w.send(to(0))
		first, began := w.fetch(0), time.Now()
		again := w.fetch(0)
		if len(again) != 1 || *again[0].MessageId != *first[0].MessageId || time.Since(began) != 10*time.Second {
			t.Fatalf("got %+v after %s", again, time.Since(began))
		}
		if err := errors.Join(w.acknowledge(0, again[0]), w.acknowledge(0, again[0])); err != nil {
			t.Error(err)
		}
		if got := w.fetch(0); len(got) > 0 {
			t.Errorf("got %+v, which was acknowledged", got)
		}
		fail := &ec2messages.FailMessageInput{MessageId: first[0].MessageId, FailureType: aws.String("NoHandlerExists")}
		must(w.messages.FailMessage(w.agent(0), fail))
		if got := w.invocation(c, 0); got != "Failed/Failed" {
			t.Errorf("got %s", got)
		}
		must(w.messages.DeleteMessage(w.agent(0), &ec2messages.DeleteMessageInput{MessageId: first[0].MessageId}))
	})
}

func TestOnlySoManyInstancesStartACommandAtATime(t *testing.T) {
	inWorld(t, 4, func(w world) {
		c := w.send(func(in *client.SendCommandInput) { to(0, 1, 2, 3)(in); in.MaxConcurrency = aws.String("50%") })
		first, second := w.fetch(0), w.fetch(1)
		if len(first)+len(second) != 2 {
			t.Fatalf("got %+v and %+v", first, second)
		}
		waiting := make(chan []ec2messages.Message)
		go func() { waiting <- w.fetch(2) }()
		synctest.Wait()
		if err := w.reply(0, first[0], "Success", 0); err != nil {
			t.Fatal(err)
		}
		if got := <-waiting; len(got) != 1 {
			t.Errorf("got %+v after one has ended", got)
		}
		if got := w.status(c); got != "InProgress/InProgress 4 1 0 0" {
			t.Errorf("got %s", got)
		}
	})
}

func TestAMachineRunsFiveCommandsAtATime(t *testing.T) {
	inWorld(t, 1, func(w world) {
		for range 6 {
			w.send(to(0))
		}
		fetched := w.fetch(0)
		if len(fetched) != 5 {
			t.Fatalf("got %d commands", len(fetched))
		}
		for _, m := range fetched {
			if err := w.acknowledge(0, m); err != nil {
				t.Fatal(err)
			}
		}
		if got := w.fetch(0); len(got) > 0 {
			t.Errorf("got %d more", len(got))
		}
		if err := w.reply(0, fetched[0], "Success", 0); err != nil {
			t.Fatal(err)
		}
		if got := w.fetch(0); len(got) != 1 {
			t.Errorf("got %d after the end of one", len(got))
		}
	})
}

func TestAfterTooManyErrorsNoFurtherInstanceStarts(t *testing.T) {
	for most, want := range map[string]string{
		"0": "Failed/Failed 4 4 1 0", "1": "Failed/Failed 4 4 2 0", "75%": "Failed/Incomplete 4 4 2 0",
	} {
		inWorld(t, 4, func(w world) {
			c := w.send(func(in *client.SendCommandInput) {
				to(0, 1, 2, 3)(in)
				in.MaxErrors, in.MaxConcurrency = &most, aws.String("1")
			})
			w.run(0, "Failed", 3)
			if most != "0" {
				w.run(1, "TimedOut", 137)
			}
			if most == "75%" {
				w.run(2, "Success", 0)
				w.run(3, "Success", 0)
			} else if got := w.invocation(c, 3); got != "Cancelled/Terminated" {
				t.Errorf("MaxErrors %s: %s", most, got)
			}
			if most == "1" {
				want = "Failed/Failed 4 4 2 0"
			}
			if got := w.status(c); got != want {
				t.Errorf("MaxErrors %s: %s, want %s", most, got, want)
			}
		})
	}
}

func TestACommandThatIsNotDeliveredTimesOut(t *testing.T) {
	inWorld(t, 2, func(w world) {
		c := w.send(func(in *client.SendCommandInput) { to(0, 1)(in); in.TimeoutSeconds = aws.Int32(90) })
		time.Sleep(time.Minute)
		if got := w.invocation(c, 0); got != "Pending/Delayed" {
			t.Errorf("after a minute: %s", got)
		}
		w.run(1, "Success", 0)
		time.Sleep(time.Minute)
		if got := w.fetch(0); len(got) > 0 {
			t.Errorf("got %+v, which must have started before", got)
		}
		time.Sleep(time.Until(*c.ExpiresAfter))
		got := w.invocation(c, 0) + " " + w.status(c)
		if got != "TimedOut/DeliveryTimedOut TimedOut/DeliveryTimedOut 2 2 0 1" {
			t.Errorf("after its end: %s", got)
		}
	})
}

func TestCancellation(t *testing.T) {
	inWorld(t, 3, func(w world) {
		c := w.send(to(0, 1, 2))
		running, fetched := w.fetch(0)[0], w.fetch(1)[0]
		if err := w.acknowledge(0, running); err != nil {
			t.Fatal(err)
		}
		must(w.api.CancelCommand(w.user(), &client.CancelCommandInput{CommandId: c.CommandId}))
		if got := w.invocation(c, 0) + " " + w.invocation(c, 1) + " " + w.invocation(c, 2) + " " + w.status(c); got !=
			"Cancelling/Cancelling Cancelling/Cancelling Cancelled/Cancelled Cancelling/Cancelling 3 1 0 0" {
			t.Errorf("got %s", got)
		}
		if err := w.acknowledge(1, fetched); code(err) != "ValidationException" {
			t.Errorf("an agent may start what is cancelled: %v", err)
		}
		cancel := w.fetch(0)
		if len(cancel) != 1 || !strings.HasPrefix(*cancel[0].Topic, "aws.ssm.cancelCommand.") ||
			*cancel[0].Payload != `{"CancelMessageId":"`+*running.MessageId+`"}` {
			t.Fatalf("got %+v", cancel)
		}
		if err := errors.Join(w.acknowledge(0, cancel[0]), w.reply(0, running, "Cancelled", 137)); err != nil {
			t.Error(err)
		}
		time.Sleep(10 * time.Second)
		if got := w.invocation(c, 0) + " " + w.invocation(c, 1) + " " + w.status(c); got !=
			"Cancelled/Cancelled Cancelled/Cancelled Cancelled/Cancelled 3 3 0 0" {
			t.Errorf("got %s", got)
		}
		if got := w.fetch(0); len(got) > 0 {
			t.Errorf("got %+v", got)
		}
	})
}

func TestAnInstanceThatIsGone(t *testing.T) {
	inWorld(t, 2, func(w world) {
		c := w.send(to(0, 1))
		w.update(func(tx *store.Tx) {
			store.Instances.Edit(tx, id(0), func(row *store.Instance) { row.State = store.Terminated })
		})
		if got := w.invocation(c, 0) + " " + w.status(c); got != "Failed/Undeliverable InProgress/InProgress 2 1 0 0" {
			t.Errorf("got %s", got)
		}
		listed := must(w.api.DescribeInstanceInformation(w.user(), &client.DescribeInstanceInformationInput{}))
		if len(listed.InstanceInformationList) != 1 {
			t.Errorf("got %+v", listed.InstanceInformationList)
		}
		if _, ok := store.ManagedInstances.Get(w.store.View(), id(0)); ok {
			t.Error("its agent is not forgotten")
		}
		_, err := w.api.SendCommand(w.user(), &client.SendCommandInput{
			DocumentName: aws.String("AWS-RunShellScript"), InstanceIds: []string{id(0), id(1), id(7)},
			Parameters: map[string][]string{"commands": {"true"}},
		})
		if code(err) != "InvalidInstanceId" || !strings.HasSuffix(err.Error(),
			"Instances [["+id(0)+", "+id(7)+"]] not in a valid state for account 000000000000") {
			t.Errorf("got %v", err)
		}
	})
}

func TestTheConnectionOfAnAgentThatDoesNotReportIsLost(t *testing.T) {
	inWorld(t, 1, func(w world) {
		status := func() types.PingStatus {
			return must(w.api.DescribeInstanceInformation(w.user(), &client.DescribeInstanceInformationInput{})).
				InstanceInformationList[0].PingStatus
		}
		time.Sleep(5 * time.Minute)
		if got := status(); got != types.PingStatusOnline {
			t.Errorf("got %s", got)
		}
		time.Sleep(6 * time.Minute)
		if got := status(); got != types.PingStatusConnectionLost {
			t.Errorf("got %s", got)
		}
		w.report(0)
		if got := status(); got != types.PingStatusOnline {
			t.Errorf("got %s", got)
		}
	})
}

func TestTargetsSelectInstancesThatHaveAll(t *testing.T) {
	inWorld(t, 4, func(w world) {
		target := func(key string, values ...string) types.Target { return types.Target{Key: &key, Values: values} }
		for _, c := range []struct {
			targets []types.Target
			want    string
		}{
			{[]types.Target{target("tag:odd", "true")}, "Pending/Pending 2 0 0 0"},
			{[]types.Target{target("tag:odd", "true", "false")}, "Pending/Pending 4 0 0 0"},
			{
				[]types.Target{target("tag:odd", "true"), target("tag:Name", "server-3", "server-2")},
				"Pending/Pending 1 0 0 0",
			},
			{[]types.Target{target("InstanceIds", id(0), id(9))}, "Pending/Pending 1 0 0 0"},
			{[]types.Target{target("tag:none", "x")}, "Success/NoInstancesInTag 0 0 0 0"},
		} {
			sent := w.send(func(in *client.SendCommandInput) { in.Targets = c.targets })
			if got := w.status(sent); got != c.want {
				t.Errorf("%v: got %s, want %s", c.want, got, c.want)
			}
		}
	})
}

func TestOldCommandsAreForgotten(t *testing.T) {
	inWorld(t, 1, func(w world) {
		old := w.send(to(0))
		w.run(0, "Success", 0)
		time.Sleep(runcommand.Kept - time.Hour)
		w.send(to(0))
		w.run(0, "Success", 0)
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		_, err := w.api.GetCommandInvocation(w.user(), &client.GetCommandInvocationInput{
			CommandId: old.CommandId, InstanceId: aws.String(id(0)),
		})
		if code(err) != "InvocationDoesNotExist" {
			t.Errorf("got %v", err)
		}
		for range runcommand.KeptMost + 5 {
			w.send(func(in *client.SendCommandInput) {
				in.Targets = []types.Target{{Key: aws.String("tag:none"), Values: []string{"x"}}}
			})
		}
		synctest.Wait()
		if left := len(store.Commands.List(w.store.View())); left != runcommand.KeptMost {
			t.Errorf("%d commands are left", left)
		}
		if left := len(store.CommandInvocations.List(w.store.View())); left != 0 {
			t.Errorf("%d invocations are left", left)
		}
	})
}
