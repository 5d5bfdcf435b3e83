package cloudwatchlogs

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/api/page"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// maxDescribed is both the largest page of groups and streams and the default.
const maxDescribed = 50

const (
	groupTokens  page.Prefix = "log-groups-after:"
	streamTokens page.Prefix = "log-streams-after:"
)

// CreateLogGroup creates a log group, whose events never expire.
func (a *API) CreateLogGroup(
	ctx context.Context, in *cloudwatchlogs.CreateLogGroupInput,
) (*cloudwatchlogs.CreateLogGroupOutput, error) {
	if err := checkCreateGroup(in); err != nil {
		return nil, err
	}
	tags, err := mergeTags(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	return &cloudwatchlogs.CreateLogGroupOutput{}, a.change(ctx, func(tx *store.Tx, region identity.Region) error {
		if _, err := findGroup(tx, region, *in.LogGroupName); err == nil {
			return wire.Errorf("ResourceAlreadyExistsException", "The specified log group already exists")
		}
		store.LogGroups.Put(tx, &store.LogGroup{
			Region: region, Name: *in.LogGroupName, Created: a.Now(), Tags: tags,
		})
		return nil
	})
}

func checkCreateGroup(in *cloudwatchlogs.CreateLogGroupInput) error {
	if err := checkGroupName(in.LogGroupName); err != nil {
		return err
	}
	switch {
	case strings.HasPrefix(*in.LogGroupName, reserved):
		return model.Errorf("Log groups starting with %s are reserved for AWS.", strings.ToUpper(reserved))
	case in.KmsKeyId != nil:
		return wire.NotImplemented("the parameter KmsKeyId of CloudWatch Logs")
	case aws.ToBool(in.DeletionProtectionEnabled):
		return wire.NotImplemented("the parameter DeletionProtectionEnabled of CloudWatch Logs")
	case in.LogGroupClass != "" && in.LogGroupClass != types.LogGroupClassStandard:
		return wire.NotImplemented("log groups of class %s: it has only STANDARD", in.LogGroupClass)
	}
	return nil
}

// DeleteLogGroup deletes a log group with its streams and their events.
func (a *API) DeleteLogGroup(
	ctx context.Context, in *cloudwatchlogs.DeleteLogGroupInput,
) (*cloudwatchlogs.DeleteLogGroupOutput, error) {
	if err := checkGroupName(in.LogGroupName); err != nil {
		return nil, err
	}
	var streams []*store.LogStream
	err := a.change(ctx, func(tx *store.Tx, region identity.Region) error {
		if _, err := findGroup(tx, region, *in.LogGroupName); err != nil {
			return err
		}
		key := store.LogGroupKey(region, *in.LogGroupName)
		streams = store.LogStreamsByGroup.List(tx, key)
		for _, s := range streams {
			store.LogStreams.Delete(tx, store.LogStreamKey(s.Region, s.Group, s.Name))
		}
		store.LogGroups.Delete(tx, key)
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, s := range streams {
		a.removeEvents(s)
	}
	return &cloudwatchlogs.DeleteLogGroupOutput{}, nil
}

// removeEvents deletes the events of a stream that no longer exists. What stays, the next
// start of the daemon deletes (DeleteLeftovers).
func (a *API) removeEvents(s *store.LogStream) {
	if err := a.Events.Remove(s.ID); err != nil {
		a.Log.Warn("the events of a deleted log stream remain", "group", s.Group, "stream", s.Name, "error", err)
	}
}

// DescribeLogGroups lists log groups by name.
func (a *API) DescribeLogGroups(
	ctx context.Context, in *cloudwatchlogs.DescribeLogGroupsInput,
) (*cloudwatchlogs.DescribeLogGroupsOutput, error) {
	if err := checkDescribeGroups(in); err != nil {
		return nil, err
	}
	last, ok := groupTokens.Last(in.NextToken)
	if !ok {
		return nil, invalidToken()
	}
	view, region := a.Store.Read(ctx), wire.RegionFrom(ctx)
	identified, err := identifiedGroups(region, in.LogGroupIdentifiers)
	if err != nil {
		return nil, err
	}
	var found []*store.LogGroup
	for _, row := range store.LogGroups.InRegion(view, region) {
		if strings.HasPrefix(row.Name, aws.ToString(in.LogGroupNamePrefix)) &&
			strings.Contains(strings.ToLower(row.Name), strings.ToLower(aws.ToString(in.LogGroupNamePattern))) &&
			(identified == nil || identified[row.Name]) {
			found = append(found, row)
		}
	}
	name := func(row *store.LogGroup) string { return row.Name }
	slices.SortFunc(found, func(x, y *store.LogGroup) int { return strings.Compare(x.Name, y.Name) })
	size := int(constraint.Default(in.Limit, maxDescribed))
	found, next := page.First(groupTokens, page.After(found, last, name), size, name)
	out := &cloudwatchlogs.DescribeLogGroupsOutput{LogGroups: []types.LogGroup{}, NextToken: next}
	for _, row := range found {
		described := a.describeGroup(view, row)
		if in.LogGroupNamePattern != nil { // AWS omits them
			described.StoredBytes, described.DeletionProtectionEnabled = nil, nil
		}
		out.LogGroups = append(out.LogGroups, described)
	}
	return out, nil
}

func checkDescribeGroups(in *cloudwatchlogs.DescribeLogGroupsInput) error {
	switch {
	case in.LogGroupNamePrefix != nil && in.LogGroupNamePattern != nil:
		return model.Errorf("LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.")
	case aws.ToBool(in.IncludeLinkedAccounts) || len(in.AccountIdentifiers) > 0:
		return wire.NotImplemented("log groups of other accounts")
	case len(in.LogGroupIdentifiers) > maxDescribed:
		return model.TooLong("logGroupIdentifiers", maxDescribed)
	}
	if in.LogGroupNamePrefix != nil {
		if err := checkText("logGroupNamePrefix", in.LogGroupNamePrefix, groupForm, groupPattern); err != nil {
			return err
		}
	}
	if err := checkClass(in.LogGroupClass); err != nil {
		return err
	}
	return model.Between("limit", in.Limit, 1, maxDescribed)
}

// checkClass refuses the classes that no log group has.
func checkClass(class types.LogGroupClass) error {
	switch {
	case class != "" && !slices.Contains(class.Values(), class):
		return model.OutOfSet("logGroupClass", class, "STANDARD", "INFREQUENT_ACCESS", "DELIVERY")
	case class != "" && class != types.LogGroupClassStandard:
		return wire.NotImplemented("log groups of class %s: it has only STANDARD", class)
	}
	return nil
}

// identifiedGroups returns the names of groups in a request, or nil if it has none.
func identifiedGroups(region identity.Region, identifiers []string) (map[string]bool, error) {
	if identifiers == nil {
		return nil, nil
	}
	names := map[string]bool{}
	for i := range identifiers {
		name, err := groupNamed(region, nil, &identifiers[i])
		if err != nil {
			return nil, err
		}
		names[name] = true
	}
	return names, nil
}

func (a *API) describeGroup(r store.Reader, row *store.LogGroup) types.LogGroup {
	out := types.LogGroup{
		LogGroupName: &row.Name, LogGroupArn: aws.String(arnOf(row)), Arn: aws.String(arnOf(row) + ":*"),
		CreationTime: milliseconds(row.Created), StoredBytes: new(int64),
		MetricFilterCount: aws.Int32(int32(len(row.MetricFilters))),
		LogGroupClass:     types.LogGroupClassStandard, DeletionProtectionEnabled: aws.Bool(false),
	}
	if row.RetentionDays > 0 {
		out.RetentionInDays = &row.RetentionDays
	}
	for _, s := range store.LogStreamsByGroup.List(r, store.LogGroupKey(row.Region, row.Name)) {
		*out.StoredBytes += a.Events.Size(s.ID)
	}
	return out
}

// retentions are the possible retentions in days (CloudWatch Logs API Reference,
// PutRetentionPolicy).
var retentions = []int32{
	1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
}

// PutRetentionPolicy makes events expire some days after their times.
func (a *API) PutRetentionPolicy(
	ctx context.Context, in *cloudwatchlogs.PutRetentionPolicyInput,
) (*cloudwatchlogs.PutRetentionPolicyOutput, error) {
	switch {
	case in.RetentionInDays == nil:
		return nil, model.Null("retentionInDays")
	case !slices.Contains(retentions, *in.RetentionInDays):
		return nil, model.Refuse("retentionInDays", *in.RetentionInDays, "satisfy enum value set: [%s]",
			strings.Trim(strings.ReplaceAll(fmt.Sprint(retentions), " ", ", "), "[]"))
	}
	return &cloudwatchlogs.PutRetentionPolicyOutput{}, a.retain(ctx, in.LogGroupName, *in.RetentionInDays)
}

// DeleteRetentionPolicy makes events never expire.
func (a *API) DeleteRetentionPolicy(
	ctx context.Context, in *cloudwatchlogs.DeleteRetentionPolicyInput,
) (*cloudwatchlogs.DeleteRetentionPolicyOutput, error) {
	return &cloudwatchlogs.DeleteRetentionPolicyOutput{}, a.retain(ctx, in.LogGroupName, 0)
}

func (a *API) retain(ctx context.Context, name *string, days int32) error {
	return a.editGroup(ctx, name, func(row *store.LogGroup) error {
		row.RetentionDays = days
		return nil
	})
}

// editGroup changes a log group.
func (a *API) editGroup(ctx context.Context, name *string, edit func(row *store.LogGroup) error) error {
	if err := checkGroupName(name); err != nil {
		return err
	}
	return a.change(ctx, func(tx *store.Tx, region identity.Region) error {
		old, err := findGroup(tx, region, *name)
		if err != nil {
			return err
		}
		row := *old
		if err := edit(&row); err != nil {
			return err
		}
		store.LogGroups.Put(tx, &row)
		return nil
	})
}
