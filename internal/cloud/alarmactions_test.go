//go:build linux

package cloud

import (
	"strings"
	"testing"
	"time"

	"aloft.dev/aloft/internal/cloud/alarm"
	"aloft.dev/aloft/internal/cloud/api/ec2"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
)

func TestAlarmTellsATopicOfItsRegion(t *testing.T) {
	rows, err := store.Open("")
	if err != nil {
		t.Fatal(err)
	}
	const topic = "arn:aws:sns:us-east-1:000000000000:web"
	actions := alarmActions{ids: identity.New(nil), region: strings.ToUpper}
	tell := func(region identity.Region) (err error) {
		if updateErr := rows.Update(func(tx *store.Tx) error {
			err = actions.Execute(tx, topic, alarm.Firing{
				Alarm: &store.Alarm{Name: "busy", Region: region, State: alarm.InAlarm}, At: time.Now(),
			})
			return nil
		}); updateErr != nil {
			t.Fatal(updateErr)
		}
		return err
	}
	if err := tell("us-east-1"); err == nil {
		t.Error("a topic that does not exist was told")
	}
	if err := rows.Update(func(tx *store.Tx) error {
		store.Topics.Put(tx, &store.Topic{ARN: topic, Region: "us-east-1", Name: "web"})
		store.Subscriptions.Put(tx, &store.Subscription{
			ARN: topic + ":1", Region: "us-east-1", Topic: topic, Protocol: "email", Confirmed: true,
		})
		store.Subscriptions.Put(tx, &store.Subscription{
			ARN: topic + ":2", Region: "us-east-1", Topic: topic, Protocol: "email",
		})
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := tell("eu-west-1"); err == nil {
		t.Error("a topic of another region was told")
	}
	if err := tell("us-east-1"); err != nil {
		t.Fatal(err)
	}
	sent := store.Deliveries.List(rows.View())
	if len(sent) != 1 || sent[0].Subscription != topic+":1" || sent[0].Subject != `ALARM: "busy" in US-EAST-1` {
		t.Errorf("got %+v", sent)
	}
}

func TestAlarmChangesTheInstanceThatItIsAbout(t *testing.T) {
	rows, err := store.Open("")
	if err != nil {
		t.Fatal(err)
	}
	actions := alarmActions{compute: ec2.New(ec2.Config{Store: rows})}
	run := func(dimensions ...store.MetricDimension) (err error) {
		if updateErr := rows.Update(func(tx *store.Tx) error {
			store.Instances.Put(tx, &store.Instance{ID: "i-0123456789abcdef0", Region: "r", State: store.Running})
			err = actions.Execute(tx, "arn:aws:automate:r:ec2:stop", alarm.Firing{
				Alarm: &store.Alarm{Region: "r", Dimensions: dimensions}, At: time.Now(),
			})
			return nil
		}); updateErr != nil {
			t.Fatal(updateErr)
		}
		return err
	}
	if err := run(store.MetricDimension{Name: "ImageId", Value: "i-0123456789abcdef0"}); err == nil {
		t.Error("an alarm that is about no instance changed one")
	}
	if err := run(store.MetricDimension{Name: "InstanceId", Value: "i-0123456789abcdef1"}); err == nil {
		t.Error("an instance that does not exist changed")
	}
	if err := run(store.MetricDimension{Name: "InstanceId", Value: "i-0123456789abcdef0"}); err != nil {
		t.Fatal(err)
	}
	if row, _ := store.Instances.Get(rows.View(), "i-0123456789abcdef0"); row.Desired != store.Stopped {
		t.Errorf("the instance is desired to be %q", row.Desired)
	}
}
