package ssm

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"aloft.dev/aloft/internal/cloud/runcommand"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// GetCommandInvocation describes a command on an instance, with its output.
func (a *API) GetCommandInvocation(
	ctx context.Context, in *ssm.GetCommandInvocationInput,
) (*ssm.GetCommandInvocationOutput, error) {
	switch {
	case in.CommandId == nil:
		return nil, model.Null("commandId")
	case in.InstanceId == nil:
		return nil, model.Null("instanceId")
	}
	if err := checkCommandID(in.CommandId); err != nil {
		return nil, err
	}
	if err := checkInstance(in.InstanceId); err != nil {
		return nil, err
	}
	view, region, err := a.read(ctx)
	if err != nil {
		return nil, err
	}
	row, ok := store.CommandInvocations.Get(view, store.CommandInvocationKey(region, *in.CommandId, *in.InstanceId))
	command, known := store.Commands.Get(view, store.CommandKey(region, *in.CommandId))
	switch {
	case !ok || !known:
		return nil, &wire.Error{Code: "InvocationDoesNotExist"}
	case in.PluginName != nil && *in.PluginName != runcommand.PluginOf(command):
		return nil, &wire.Error{Code: "InvalidPluginName"}
	}
	return &ssm.GetCommandInvocationOutput{
		CommandId: &row.CommandID, InstanceId: &row.InstanceID, Comment: &command.Comment,
		DocumentName: &command.Document, DocumentVersion: &command.DocumentVersion,
		PluginName: aws.String(runcommand.PluginOf(command)), ResponseCode: row.Code,
		ExecutionStartDateTime: timeText(row.Started), ExecutionEndDateTime: timeText(row.Ended),
		ExecutionElapsedTime: elapsed(row.Started, row.Ended),
		Status:               types.CommandInvocationStatus(row.Status), StatusDetails: &row.Details,
		StandardOutputContent: &row.Stdout, StandardOutputUrl: aws.String(""),
		StandardErrorContent: &row.Stderr, StandardErrorUrl: aws.String(""), CloudWatchOutputConfig: noLogs(),
	}, nil
}

// timeText returns a time as GetCommandInvocation has it: "" for none.
func timeText(t time.Time) *string {
	if t.IsZero() {
		return aws.String("")
	}
	return aws.String(t.UTC().Format("2006-01-02T15:04:05.000Z"))
}

// elapsed returns a duration in ISO 8601, "PT1H0.271S": "" before the end.
func elapsed(started, ended time.Time) *string {
	if ended.IsZero() {
		return aws.String("")
	}
	took := max(ended.Sub(started), 0)
	text := "PT"
	if hours := took / time.Hour; hours > 0 {
		text += fmt.Sprintf("%dH", hours)
	}
	if minutes := took % time.Hour / time.Minute; minutes > 0 {
		text += fmt.Sprintf("%dM", minutes)
	}
	seconds := fmt.Sprintf("%.3f", (took % time.Minute).Seconds())
	return aws.String(text + strings.TrimRight(strings.TrimRight(seconds, "0"), ".") + "S")
}

// ListCommandInvocations lists commands on instances, the newest first.
func (a *API) ListCommandInvocations(
	ctx context.Context, in *ssm.ListCommandInvocationsInput,
) (*ssm.ListCommandInvocationsOutput, error) {
	matches, err := commandFilter(in.Filters, false)
	if err != nil {
		return nil, err
	}
	query := commandQuery{in.CommandId, in.InstanceId, in.MaxResults, in.NextToken}
	view, region, last, err := a.readCommands(ctx, query)
	if err != nil {
		return nil, err
	}
	type found struct {
		*store.CommandInvocation
		command *store.Command
	}
	var rows []found
	for _, row := range store.CommandInvocations.InRegion(view, region) {
		command, ok := store.Commands.Get(view, store.CommandKey(region, row.CommandID))
		if !ok || in.CommandId != nil && row.CommandID != *in.CommandId ||
			in.InstanceId != nil && row.InstanceID != *in.InstanceId {
			continue
		}
		if matches(filtered{command.Document, row.Requested, row.Status, row.Details, runcommand.Ended(row)}) {
			rows = append(rows, found{row, command})
		}
	}
	key := func(f found) string { return newestFirst(f.Requested, f.CommandID+"/"+f.InstanceID) }
	rows, next := commandPage(sortedBy(rows, key), last, in.MaxResults, key)
	out := &ssm.ListCommandInvocationsOutput{CommandInvocations: []types.CommandInvocation{}, NextToken: next}
	for _, f := range rows {
		described := describeInvocation(f.CommandInvocation, f.command, in.Details)
		out.CommandInvocations = append(out.CommandInvocations, described)
	}
	return out, nil
}

// describeInvocation returns an invocation as lists have it.
func describeInvocation(row *store.CommandInvocation, c *store.Command, details bool) types.CommandInvocation {
	out := types.CommandInvocation{
		CommandId: &row.CommandID, InstanceId: &row.InstanceID, InstanceName: &row.InstanceName, Comment: &c.Comment,
		DocumentName: &c.Document, DocumentVersion: &c.DocumentVersion, RequestedDateTime: &row.Requested,
		Status: types.CommandInvocationStatus(row.Status), StatusDetails: &row.Details,
		StandardOutputUrl: aws.String(""), StandardErrorUrl: aws.String(""), CommandPlugins: []types.CommandPlugin{},
		ServiceRole: aws.String(""), NotificationConfig: noNotifications(), CloudWatchOutputConfig: noLogs(),
	}
	if details {
		out.CommandPlugins = append(out.CommandPlugins, describePlugin(row, c))
	}
	return out
}

// describePlugin returns the only plugin of an invocation.
func describePlugin(row *store.CommandInvocation, c *store.Command) types.CommandPlugin {
	plugin := types.CommandPlugin{
		Name: aws.String(runcommand.PluginOf(c)), Status: types.CommandPluginStatus(row.Status),
		StatusDetails: &row.Details, ResponseCode: row.Code, Output: &row.Output,
		StandardOutputUrl: aws.String(""), StandardErrorUrl: aws.String(""),
		OutputS3BucketName: aws.String(""), OutputS3KeyPrefix: aws.String(""),
	}
	if row.Status == runcommand.Cancelling {
		plugin.Status = types.CommandPluginStatusInProgress
	}
	if !row.Started.IsZero() {
		plugin.ResponseStartDateTime, plugin.ResponseFinishDateTime = &row.Started, &row.Ended
	}
	return plugin
}
