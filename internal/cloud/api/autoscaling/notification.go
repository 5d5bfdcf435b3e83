package autoscaling

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"aloft.dev/aloft/internal/cloud/scaling/announcement"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// DescribeAutoScalingNotificationTypes lists what a group can tell topics of.
func (a *API) DescribeAutoScalingNotificationTypes(
	context.Context, *autoscaling.DescribeAutoScalingNotificationTypesInput,
) (*autoscaling.DescribeAutoScalingNotificationTypesOutput, error) {
	return &autoscaling.DescribeAutoScalingNotificationTypesOutput{
		AutoScalingNotificationTypes: announcement.Types(),
	}, nil
}

// PutNotificationConfiguration makes a group tell a topic of its activities, instead of those
// that it told the topic of before. The topic receives a test message.
func (a *API) PutNotificationConfiguration(
	ctx context.Context, in *autoscaling.PutNotificationConfigurationInput,
) (*autoscaling.PutNotificationConfigurationOutput, error) {
	return &autoscaling.PutNotificationConfigurationOutput{}, a.Store.Update(func(tx *store.Tx) error {
		n, g, err := findNotification(ctx, tx, in.AutoScalingGroupName, in.TopicARN)
		if err != nil {
			return err
		}
		if err := model.Required("notificationTypes", in.NotificationTypes != nil); err != nil {
			return err
		}
		n.Types = nil
		for _, kind := range in.NotificationTypes {
			switch {
			case !slices.Contains(announcement.Types(), kind):
				return invalid("Invalid notification type: %s. Valid values are %s", kind, announcement.Types())
			case !slices.Contains(n.Types, kind):
				n.Types = append(n.Types, kind)
			}
		}
		topic, exists := store.Topics.Get(tx, n.Topic)
		_, known := store.ScalingNotifications.Get(tx, n.Key())
		switch {
		case !exists || topic.Region != n.Region:
			return invalid("Unable to publish test message to notification target %s. "+
				"Please check your target and try to put the notification configuration again.", n.Topic)
		case !known && len(store.ScalingNotificationsByGroup.List(tx, g.Key())) >= maxTopics:
			return wire.Errorf("LimitExceeded", "You have reached the limit of %d topics for the Auto Scaling group",
				maxTopics)
		}
		store.ScalingNotifications.Put(tx, n)
		announcement.TestMessage(tx, a.IDs, g, n.Topic, a.Now())
		return nil
	})
}

// findNotification returns what a request's group tells a topic, as a new row.
func findNotification(
	ctx context.Context, r store.Reader, groupName, topic *string,
) (*store.ScalingNotification, *store.ScalingGroup, error) {
	g, err := findGroup(r, wire.RegionFrom(ctx), groupName)
	if err == nil {
		err = model.Required("topicARN", aws.ToString(topic) != "")
	}
	if err != nil {
		return nil, nil, err
	}
	return &store.ScalingNotification{Region: g.Region, Group: g.Name, Topic: *topic}, g, nil
}

// DeleteNotificationConfiguration makes a group tell a topic nothing more.
func (a *API) DeleteNotificationConfiguration(
	ctx context.Context, in *autoscaling.DeleteNotificationConfigurationInput,
) (*autoscaling.DeleteNotificationConfigurationOutput, error) {
	return &autoscaling.DeleteNotificationConfigurationOutput{}, a.Store.Update(func(tx *store.Tx) error {
		n, _, err := findNotification(ctx, tx, in.AutoScalingGroupName, in.TopicARN)
		if err == nil {
			store.ScalingNotifications.Delete(tx, n.Key())
		}
		return err
	})
}

// DescribeNotificationConfigurations lists what the region's groups, or those with the given
// names, tell topics of: an item for each topic and type.
func (a *API) DescribeNotificationConfigurations(
	ctx context.Context, in *autoscaling.DescribeNotificationConfigurationsInput,
) (*autoscaling.DescribeNotificationConfigurationsOutput, error) {
	found, view := []types.NotificationConfiguration{}, a.Store.Read(ctx)
	for _, n := range store.ScalingNotifications.InRegion(view, wire.RegionFrom(ctx)) {
		if names := in.AutoScalingGroupNames; len(names) > 0 && !slices.Contains(names, n.Group) {
			continue
		}
		for _, kind := range slices.Sorted(slices.Values(n.Types)) {
			found = append(found, types.NotificationConfiguration{
				AutoScalingGroupName: aws.String(n.Group), TopicARN: aws.String(n.Topic),
				NotificationType: aws.String(kind),
			})
		}
	}
	key := func(n types.NotificationConfiguration) string {
		return *n.AutoScalingGroupName + "\x00" + *n.TopicARN + "\x00" + *n.NotificationType
	}
	found, next, err := paginate(pageRequest{in.MaxRecords, in.NextToken, 50, 100}, sortedBy(found, key), key)
	return &autoscaling.DescribeNotificationConfigurationsOutput{
		NotificationConfigurations: found, NextToken: next,
	}, err
}
