package ssm

import (
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/runcommand"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// maxCommands is the size of the largest page of commands and invocations, and the default.
const maxCommands = 50

// commandIDSize is the length of a command's id.
const commandIDSize = 36

// checkCommandID refuses a text that cannot be a command's id. nil stands for any command.
func checkCommandID(id *string) error {
	switch {
	case id == nil || len(*id) == commandIDSize:
		return nil
	case len(*id) < commandIDSize:
		return model.Refuse("commandId", *id, "have length greater than or equal to %d", commandIDSize)
	}
	return model.TooLong("commandId", commandIDSize)
}

// findCommand returns the command with an id.
func findCommand(r store.Reader, region identity.Region, id string) (*store.Command, error) {
	row, ok := store.Commands.Get(r, store.CommandKey(region, id))
	if !ok {
		return nil, &wire.Error{Code: "InvalidCommandId"}
	}
	return row, nil
}

// ListCommands lists commands, the newest first.
func (a *API) ListCommands(ctx context.Context, in *ssm.ListCommandsInput) (*ssm.ListCommandsOutput, error) {
	matches, err := commandFilter(in.Filters, true)
	if err != nil {
		return nil, err
	}
	query := commandQuery{in.CommandId, in.InstanceId, in.MaxResults, in.NextToken}
	view, region, last, err := a.readCommands(ctx, query)
	if err != nil {
		return nil, err
	}
	var found []*store.Command
	for _, row := range store.Commands.InRegion(view, region) {
		all := runcommand.Invocations(view, row)
		summary := runcommand.Summarize(row, all)
		concerned := in.InstanceId == nil || slices.ContainsFunc(all, func(i *store.CommandInvocation) bool {
			return i.InstanceID == *in.InstanceId
		})
		candidate := filtered{row.Document, row.Requested, summary.Status, summary.Details, row.Done}
		if concerned && (in.CommandId == nil || row.ID == *in.CommandId) && matches(candidate) {
			found = append(found, row)
		}
	}
	key := func(row *store.Command) string { return newestFirst(row.Requested, row.ID) }
	found, next := commandPage(sortedBy(found, key), last, in.MaxResults, key)
	out := &ssm.ListCommandsOutput{Commands: []types.Command{}, NextToken: next}
	for _, row := range found {
		out.Commands = append(out.Commands, *describeCommand(row, runcommand.Invocations(view, row)))
	}
	return out, nil
}

// describeCommand returns a command as responses have it.
func describeCommand(row *store.Command, all []*store.CommandInvocation) *types.Command {
	summary := runcommand.Summarize(row, all)
	out := &types.Command{
		CommandId: &row.ID, Comment: &row.Comment, DocumentName: &row.Document, DocumentVersion: &row.DocumentVersion,
		Parameters: row.Parameters, InstanceIds: append([]string{}, row.InstanceIDs...), Targets: []types.Target{},
		MaxConcurrency: &row.MaxConcurrency, MaxErrors: &row.MaxErrors,
		TimeoutSeconds:    aws.Int32(int32(row.Timeout / time.Second)), //nolint:gosec // at most 30 days
		RequestedDateTime: &row.Requested, ExpiresAfter: aws.Time(row.Expires()),
		Status: types.CommandStatus(summary.Status), StatusDetails: &summary.Details,
		TargetCount: size(summary.Targets), CompletedCount: size(summary.Completed), ErrorCount: size(summary.Errors),
		DeliveryTimedOutCount: size(summary.DeliveryTimedOut),
		OutputS3BucketName:    aws.String(""), OutputS3KeyPrefix: aws.String(""), ServiceRole: aws.String(""),
		CloudWatchOutputConfig: noLogs(), NotificationConfig: noNotifications(),
	}
	for _, t := range row.Targets {
		out.Targets = append(out.Targets, types.Target{Key: aws.String(t.Key), Values: t.Values})
	}
	return out
}

func size(n int) int32 { return int32(n) } //nolint:gosec // a count of instances

func noLogs() *types.CloudWatchOutputConfig {
	return &types.CloudWatchOutputConfig{CloudWatchLogGroupName: aws.String("")}
}

func noNotifications() *types.NotificationConfig {
	return &types.NotificationConfig{
		NotificationArn: aws.String(""), NotificationEvents: []types.NotificationEvent{}, NotificationType: "",
	}
}

// CancelCommand cancels a command on some instances, or on all. What has not started does not
// start, and what runs is ended.
func (a *API) CancelCommand(ctx context.Context, in *ssm.CancelCommandInput) (*ssm.CancelCommandOutput, error) {
	if in.CommandId == nil {
		return nil, model.Null("commandId")
	}
	if err := checkCommandID(in.CommandId); err != nil {
		return nil, err
	}
	if err := checkInstances(in.InstanceIds); err != nil {
		return nil, err
	}
	return &ssm.CancelCommandOutput{}, a.change(ctx, func(tx *store.Tx, region identity.Region) error {
		command, err := findCommand(tx, region, *in.CommandId)
		if err != nil {
			return err
		}
		for _, id := range in.InstanceIds {
			key := store.CommandInvocationKey(region, command.ID, id)
			if _, ok := store.CommandInvocations.Get(tx, key); !ok {
				return wire.Errorf("InvalidInstanceId", "The command was not sent to the instance %s.", id)
			}
		}
		for _, i := range runcommand.Invocations(tx, command) {
			if len(in.InstanceIds) == 0 || slices.Contains(in.InstanceIds, i.InstanceID) {
				store.CommandInvocations.Put(tx, runcommand.Cancel(i, a.random.UUID(), a.Now().UTC()))
			}
		}
		store.Commands.Edit(tx, store.CommandKey(region, command.ID), func(row *store.Command) {
			row.Cancelled = row.Cancelled || !row.Done
		})
		return nil
	})
}

// commandQuery holds the fields that ListCommands and ListCommandInvocations share.
type commandQuery struct {
	command, instance *string
	maxResults        *int32
	token             *string
}

// check refuses an invalid query, and returns the key of the last row of the page before.
func (q commandQuery) check() (last string, err error) {
	if err := checkCommandID(q.command); err != nil {
		return "", err
	}
	if err := checkInstance(q.instance); err != nil {
		return "", err
	}
	if err := model.Between("maxResults", q.maxResults, 1, maxCommands); err != nil {
		return "", err
	}
	last, ok := pageTokens.Last(q.token)
	if !ok {
		return "", invalidToken()
	}
	return last, nil
}

// readCommands starts a list of commands or invocations. It returns what the list is read from,
// and the key of the last row of the page before. It refuses an invalid query and an unknown
// command.
func (a *API) readCommands(
	ctx context.Context, q commandQuery,
) (view store.Reader, region identity.Region, last string, err error) {
	if last, err = q.check(); err != nil {
		return nil, "", "", err
	}
	if view, region, err = a.read(ctx); err != nil {
		return nil, "", "", err
	}
	if q.command != nil {
		_, err = findCommand(view, region, *q.command)
	}
	return view, region, last, err
}
