package resource

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

var logGroupKind = kind{
	name:   stack.KindLogGroup,
	find:   findLogGroups,
	create: created((*Provisioner).createLogGroup),
	update: updated((*Provisioner).updateLogGroup),
	remove: (*Provisioner).deleteLogGroup,
}

// Logs is the part of CloudWatch Logs that the package uses.
type Logs interface {
	CreateLogGroup(
		context.Context, *cloudwatchlogs.CreateLogGroupInput, ...func(*cloudwatchlogs.Options),
	) (*cloudwatchlogs.CreateLogGroupOutput, error)
	DeleteLogGroup(
		context.Context, *cloudwatchlogs.DeleteLogGroupInput, ...func(*cloudwatchlogs.Options),
	) (*cloudwatchlogs.DeleteLogGroupOutput, error)
	DescribeLogGroups(
		context.Context, *cloudwatchlogs.DescribeLogGroupsInput, ...func(*cloudwatchlogs.Options),
	) (*cloudwatchlogs.DescribeLogGroupsOutput, error)
	ListTagsForResource(
		context.Context, *cloudwatchlogs.ListTagsForResourceInput, ...func(*cloudwatchlogs.Options),
	) (*cloudwatchlogs.ListTagsForResourceOutput, error)
	TagResource(
		context.Context, *cloudwatchlogs.TagResourceInput, ...func(*cloudwatchlogs.Options),
	) (*cloudwatchlogs.TagResourceOutput, error)
	UntagResource(
		context.Context, *cloudwatchlogs.UntagResourceInput, ...func(*cloudwatchlogs.Options),
	) (*cloudwatchlogs.UntagResourceOutput, error)
	PutRetentionPolicy(
		context.Context, *cloudwatchlogs.PutRetentionPolicyInput, ...func(*cloudwatchlogs.Options),
	) (*cloudwatchlogs.PutRetentionPolicyOutput, error)
}

// findLogGroups finds the log group by its name. A group of that name without the
// application's tag is somebody else's.
func findLogGroups(ctx context.Context, d *discovery) ([]plan.Found, error) {
	name := stack.LogGroupName(d.App)
	groups, err := collect(ctx,
		cloudwatchlogs.NewDescribeLogGroupsPaginator(d.Logs, &cloudwatchlogs.DescribeLogGroupsInput{
			LogGroupNamePrefix: &name,
		}),
		func(page *cloudwatchlogs.DescribeLogGroupsOutput) []types.LogGroup { return page.LogGroups })
	if d.unneeded(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list log groups: %w", err)
	}
	for _, g := range groups {
		if aws.ToString(g.LogGroupName) == name {
			return d.logGroup(ctx, g)
		}
	}
	return nil, nil
}

// logGroup returns a log group if it is the application's.
func (c *Cloud) logGroup(ctx context.Context, g types.LogGroup) ([]plan.Found, error) {
	name := aws.ToString(g.LogGroupName)
	out, err := c.Logs.ListTagsForResource(ctx, &cloudwatchlogs.ListTagsForResourceInput{ResourceArn: g.LogGroupArn})
	if awsapi.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the tags of log group %s: %w", name, err)
	}
	if out.Tags[stack.TagApp] != c.App {
		return nil, nil
	}
	f := plan.Found{
		Address: out.Tags[stack.TagAddress], Kind: stack.KindLogGroup, ID: name, Name: name,
		Created: time.UnixMilli(aws.ToInt64(g.CreationTime)).UTC().Format("2006-01-02T15:04:05Z"),
	}
	f.Set(stack.AttrName, name)
	f.Set(stack.AttrRetention, stack.Retention(aws.ToInt32(g.RetentionInDays)))
	f.Status.TagIDs = []string{aws.ToString(g.LogGroupArn)}
	setTags(&f, out.Tags)
	return []plan.Found{f}, nil
}

func logGroupTags(tags []tag) map[string]string {
	all := map[string]string{}
	for _, t := range tags {
		all[t.key] = t.value
	}
	return all
}

func (p *Provisioner) logGroupTagger(arn string) tagger {
	return tagger{
		set: func(ctx context.Context, tags []tag) error {
			_, err := p.Logs.TagResource(ctx, &cloudwatchlogs.TagResourceInput{
				ResourceArn: &arn, Tags: logGroupTags(tags),
			})
			return err
		},
		remove: func(ctx context.Context, keys []string) error {
			_, err := p.Logs.UntagResource(ctx, &cloudwatchlogs.UntagResourceInput{ResourceArn: &arn, TagKeys: keys})
			return err
		},
	}
}

func (p *Provisioner) createLogGroup(ctx context.Context, r stack.Resource, body stack.LogGroup) (plan.Found, error) {
	_, err := p.Logs.CreateLogGroup(ctx, &cloudwatchlogs.CreateLogGroupInput{
		LogGroupName: &body.GroupName, Tags: logGroupTags(p.tags(r)),
	})
	if awsapi.IsExists(err) {
		return plan.Found{}, nameTaken(r, "a log group", body.GroupName, err)
	}
	if err != nil {
		return plan.Found{}, fmt.Errorf("create log group %s: %w", body.GroupName, err)
	}
	f := plan.Found{Address: r.Address, Kind: stack.KindLogGroup, ID: body.GroupName, Name: body.GroupName}
	return f, p.updateLogGroup(ctx, r, body, f)
}

func (p *Provisioner) updateLogGroup(ctx context.Context, _ stack.Resource, body stack.LogGroup, _ plan.Found) error {
	return retryEventual(ctx, "set the retention of log group "+body.GroupName, func(ctx context.Context) error {
		_, err := p.Logs.PutRetentionPolicy(ctx, &cloudwatchlogs.PutRetentionPolicyInput{
			LogGroupName: &body.GroupName, RetentionInDays: &body.Days,
		})
		return err
	})
}

// deleteLogGroup deletes the log group with all lines in it.
func (p *Provisioner) deleteLogGroup(ctx context.Context, f plan.Found) error {
	_, err := p.Logs.DeleteLogGroup(ctx, &cloudwatchlogs.DeleteLogGroupInput{LogGroupName: &f.ID})
	return ignoreNotFound("delete log group "+f.ID, err)
}
