//go:build linux

package autoscaling_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	api "aloft.dev/aloft/internal/cloud/api/autoscaling"
	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
	"aloft.dev/aloft/internal/cloud/store"
)

const (
	topicARN = "arn:aws:sns:us-east-1:000000000000:events"
	roleARN  = "arn:aws:iam::000000000000:role/hooks"
)

// addTopic adds a topic with a subscriber, and a role that may publish to it.
func (w *world) addTopic() {
	w.t.Helper()
	w.update(func(tx *store.Tx) {
		store.Topics.Put(tx, &store.Topic{ARN: topicARN, Region: here, Name: "events"})
		store.Subscriptions.Put(tx, &store.Subscription{
			ARN: topicARN + ":1", Region: here, Topic: topicARN, Protocol: "http", Confirmed: true,
		})
		store.Roles.Put(tx, &store.Role{Name: "hooks", ARN: roleARN})
	})
}

// messages returns the messages on their way to the subscriber, by their subjects, and forgets
// them.
func (w *world) messages() map[string]map[string]any {
	w.t.Helper()
	out := map[string]map[string]any{}
	w.update(func(tx *store.Tx) {
		for _, d := range store.Deliveries.List(tx) {
			var message map[string]any
			if err := json.Unmarshal([]byte(d.Message), &message); err != nil {
				w.t.Fatal(err)
			}
			out[d.Subject] = message
			store.Deliveries.Delete(tx, d.ID)
		}
	})
	return out
}

// notify makes the group tell the topic of types.
func (w *world) notify(kinds ...string) error {
	_, err := w.PutNotificationConfiguration(w.ctx, &autoscaling.PutNotificationConfigurationInput{
		AutoScalingGroupName: new("g"), TopicARN: new(topicARN), NotificationTypes: kinds,
	})
	return err
}

func TestTopicsAreToldOfLaunchesAndTerminations(t *testing.T) {
	withLoop(t, func(w *world) {
		w.addTopic()
		ids := w.createGroup(nil)
		if err := w.notify("autoscaling:EC2_INSTANCE_LAUNCH", "autoscaling:EC2_INSTANCE_TERMINATE"); err != nil {
			t.Fatal(err)
		}
		sent := w.messages()
		test := sent[`Auto Scaling: test notification for group "g"`]
		check(t, "number of messages", len(sent), 1)
		check(t, "Event", test["Event"], any("autoscaling:TEST_NOTIFICATION"))
		check(t, "Service", test["Service"], any("AWS Auto Scaling"))
		must(w.TerminateInstanceInAutoScalingGroup(w.ctx, &autoscaling.TerminateInstanceInAutoScalingGroupInput{
			InstanceId: &ids[0], ShouldDecrementDesiredCapacity: new(false),
		}))(t)
		w.waitForLoop()
		sent = w.messages()
		check(t, "number of messages", len(sent), 2)
		gone := sent[`Auto Scaling: termination for group "g"`]
		check(t, "EC2InstanceId", gone["EC2InstanceId"], any(ids[0]))
		check(t, "Event", gone["Event"], any("autoscaling:EC2_INSTANCE_TERMINATE"))
		check(t, "Description", gone["Description"], any("Terminating EC2 instance: "+ids[0]))
		check(t, "Destination", gone["Destination"], any("EC2"))
		launched := sent[`Auto Scaling: launch for group "g"`]
		check(t, "StatusCode", launched["StatusCode"], any("InProgress"))
		check(t, "Progress", launched["Progress"], any(50.0))
		check(t, "StatusMessage", launched["StatusMessage"], any(""))
		check(t, "Destination", launched["Destination"], any("AutoScalingGroup"))
		check(t, "RequestId", launched["RequestId"], launched["ActivityId"])
		zone, _ := launched["Details"].(map[string]any)["Availability Zone"].(string)
		if !strings.HasPrefix(zone, here) {
			t.Errorf("Details are %v", launched["Details"])
		}
		must(w.DeleteNotificationConfiguration(w.ctx, &autoscaling.DeleteNotificationConfigurationInput{
			AutoScalingGroupName: new("g"), TopicARN: new(topicARN),
		}))(t)
		must(w.SetDesiredCapacity(w.ctx, &autoscaling.SetDesiredCapacityInput{
			AutoScalingGroupName: new("g"), DesiredCapacity: new(int32(4)),
		}))(t)
		w.waitForLoop()
		check(t, "messages of a deleted configuration", len(w.messages()), 0)
	})
}

func TestFailedLaunchesAreErrors(t *testing.T) {
	withLoop(t, func(w *world) {
		w.addTopic()
		w.createGroup(func(in *createInput) { in.DesiredCapacity = new(int32(1)) })
		if err := w.notify("autoscaling:EC2_INSTANCE_LAUNCH_ERROR"); err != nil {
			t.Fatal(err)
		}
		w.messages()
		w.update(func(tx *store.Tx) {
			store.Images.Edit(tx, w.image, func(i *store.Image) { i.State = "failed" })
		})
		must(w.SetDesiredCapacity(w.ctx, &autoscaling.SetDesiredCapacityInput{
			AutoScalingGroupName: new("g"), DesiredCapacity: new(int32(2)),
		}))(t)
		w.waitForLoop()
		failed := w.messages()[`Auto Scaling: failed launch for group "g"`]
		check(t, "StatusCode", failed["StatusCode"], any("Failed"))
		check(t, "Progress", failed["Progress"], any(100.0))
		text, _ := failed["StatusMessage"].(string)
		if !strings.HasSuffix(text, "Launching EC2 instance failed.") {
			t.Errorf("StatusMessage is %s", text)
		}
	})
}

func TestNotificationConfigurationsAreDescribedByTopicAndType(t *testing.T) {
	w := newWorld(t)
	w.addTopic()
	must(w.CreateAutoScalingGroup(w.ctx, w.groupOfThree()))(t)
	wantError(t, w.notify("autoscaling:NO"), "ValidationError", "autoscaling:NO")
	kinds := must(w.DescribeAutoScalingNotificationTypes(w.ctx, nil))(t).AutoScalingNotificationTypes
	if err := w.notify(append(kinds, kinds[0])...); err != nil {
		t.Fatal(err)
	}
	if err := w.notify(kinds[1], kinds[0]); err != nil { // replaces what was told before
		t.Fatal(err)
	}
	describe := func(groups ...string) []types.NotificationConfiguration {
		return must(w.DescribeNotificationConfigurations(
			w.ctx, &autoscaling.DescribeNotificationConfigurationsInput{AutoScalingGroupNames: groups},
		))(t).NotificationConfigurations
	}
	want := []types.NotificationConfiguration{
		{AutoScalingGroupName: new("g"), TopicARN: new(topicARN), NotificationType: &kinds[0]},
		{AutoScalingGroupName: new("g"), TopicARN: new(topicARN), NotificationType: &kinds[1]},
	}
	check(t, "configurations", describe("g"), want)
	check(t, "configurations of an unknown group", len(describe("other")), 0)
	page := must(w.DescribeNotificationConfigurations(w.ctx, &autoscaling.DescribeNotificationConfigurationsInput{
		MaxRecords: new(int32(1)),
	}))(t)
	check(t, "page", page.NotificationConfigurations, want[:1])
	page = must(w.DescribeNotificationConfigurations(w.ctx, &autoscaling.DescribeNotificationConfigurationsInput{
		NextToken: page.NextToken,
	}))(t)
	check(t, "next page", page.NotificationConfigurations, want[1:])
	_, err := w.PutNotificationConfiguration(w.ctx, &autoscaling.PutNotificationConfigurationInput{
		AutoScalingGroupName: new("g"), TopicARN: new(topicARN + "2"), NotificationTypes: kinds,
	})
	wantError(t, err, "ValidationError", "Unable to publish test message to notification target "+topicARN+"2")
	w.update(func(tx *store.Tx) { scalinggroup.Delete(tx, here+"/g", w.Now()) })
	check(t, "configurations of a deleted group", len(describe()), 0)
}

func TestTopicsAreToldOfLifecycleActions(t *testing.T) {
	withLoop(t, func(w *world) {
		w.addTopic()
		w.createGroup(nil)
		for _, transition := range []string{scalinggroup.Launching, scalinggroup.Terminating} {
			must(w.PutLifecycleHook(w.ctx, &autoscaling.PutLifecycleHookInput{
				AutoScalingGroupName: new("g"), LifecycleHookName: &transition, LifecycleTransition: &transition,
				NotificationTargetARN: new(topicARN), RoleARN: new(roleARN), NotificationMetadata: new("m"),
			}))(t)
		}
		test := w.messages()[`Auto Scaling: test notification for group "g"`]
		check(t, "Event", test["Event"], any("autoscaling:TEST_NOTIFICATION"))
		hook := must(w.DescribeLifecycleHooks(w.ctx, &autoscaling.DescribeLifecycleHooksInput{
			AutoScalingGroupName: new("g"),
		}))(t).LifecycleHooks[0]
		check(t, "NotificationTargetARN and RoleARN", *hook.NotificationTargetARN+*hook.RoleARN, topicARN+roleARN)
		must(w.SetDesiredCapacity(w.ctx, &autoscaling.SetDesiredCapacityInput{
			AutoScalingGroupName: new("g"), DesiredCapacity: new(int32(4)),
		}))(t)
		w.waitForLoop()
		var waiting string
		for _, i := range w.describeGroup().Instances {
			if i.LifecycleState == types.LifecycleStatePendingWait {
				waiting = *i.InstanceId
			}
		}
		sent := w.messages()
		message := sent["Auto Scaling:  Lifecycle action 'LAUNCHING' for instance "+waiting+" in progress."]
		check(t, "number of messages", len(sent), 1)
		check(t, "LifecycleActionToken", message["LifecycleActionToken"], any(w.hookWaits(waiting)[0].Token))
		check(t, "LifecycleTransition", message["LifecycleTransition"], any(scalinggroup.Launching))
		check(t, "NotificationMetadata", message["NotificationMetadata"], any("m"))
		check(t, "Origin", message["Origin"], any("EC2"))
		// Without its role, the hook tells nobody.
		w.update(func(tx *store.Tx) { store.Roles.Delete(tx, store.NameKey("", "hooks")) })
		other := w.describeGroup().Instances
		serving := slices.IndexFunc(other, func(i types.Instance) bool { return *i.InstanceId != waiting })
		must(w.TerminateInstanceInAutoScalingGroup(w.ctx, &autoscaling.TerminateInstanceInAutoScalingGroupInput{
			InstanceId: other[serving].InstanceId, ShouldDecrementDesiredCapacity: new(true),
		}))(t)
		w.waitForLoop()
		check(t, "lifecycle states", w.lifecycleStates(), "[InService:2 Pending:Wait:1 Terminating:Wait:1]")
		check(t, "number of messages without a role", len(w.messages()), 0)
	})
}

func TestHookTargetsMustBePublishable(t *testing.T) {
	w := newWorld(t)
	w.addTopic()
	w.API = api.New(api.Config{
		Store: w.store, Templates: w.ec2,
		Publisher: func(_ store.Reader, _ *store.Role, topic *store.Topic) bool { return topic.DisplayName == "" },
	})
	must(w.CreateAutoScalingGroup(w.ctx, w.groupOfThree()))(t)
	put := func(target, role string) error {
		_, err := w.PutLifecycleHook(w.ctx, &autoscaling.PutLifecycleHookInput{
			AutoScalingGroupName: new("g"), LifecycleHookName: new("h"),
			LifecycleTransition: new(scalinggroup.Launching), NotificationTargetARN: &target, RoleARN: &role,
		})
		return err
	}
	const unable = "Unable to publish test message to notification target "
	wantError(t, put("arn:aws:sqs:us-east-1:000000000000:q", roleARN), "NotImplemented", "NotificationTargetARN")
	wantError(t, put(topicARN, ""), "ValidationError", "role")
	wantError(t, put(topicARN+"2", roleARN), "ValidationError", unable+topicARN+"2 using IAM role "+roleARN+". Please")
	wantError(t, put(topicARN, roleARN+"2"), "ValidationError", unable)
	if err := put(topicARN, roleARN); err != nil {
		t.Fatal(err)
	}
	if err := put("", ""); err != nil { // no more notifications
		t.Fatal(err)
	}
	w.update(func(tx *store.Tx) {
		store.Topics.Edit(tx, topicARN, func(t *store.Topic) { t.DisplayName = "forbidden" })
	})
	wantError(t, put(topicARN, roleARN), "ValidationError", unable)
}
