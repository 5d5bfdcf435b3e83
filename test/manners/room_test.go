//go:build linux

package manners

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"aloft.dev/aloft/internal/cloud/manners"
)

// activities returns the group's scaling activities, the oldest first.
func (w *world) activities() []astypes.Activity {
	found := do(w, w.ASG.DescribeScalingActivities, &autoscaling.DescribeScalingActivitiesInput{
		AutoScalingGroupName: aws.String("web"),
	}).Activities
	slices.Reverse(found)
	return found
}

// accounts is how many clouds of different seeds the tests try. A group chooses its zone at
// random, so with a dozen it happens that none is short of anything.
const accounts = 48

func TestScalingGroupSaysThatThereIsNoRoomAndLaunchesLater(t *testing.T) {
	shortages := 0
	for seed := range uint64(accounts) {
		withManner(t, manners.Room, seed, func(w *world) {
			do(w, w.ASG.CreateAutoScalingGroup, w.groupOfOne())
			time.Sleep(time.Second)
			first := w.activities()[0]
			if first.StatusCode != astypes.ScalingActivityStatusCodeFailed {
				return
			}
			shortages++
			text := *first.StatusMessage
			for _, words := range []string{
				"We currently do not have sufficient t3.micro capacity in the Availability Zone you requested (",
				"or choosing us-east-1", ". Launching EC2 instance failed.",
			} {
				if !strings.Contains(text, words) {
					t.Errorf("the activity says %q, want %q", text, words)
				}
			}
			time.Sleep(30 * time.Minute)
			if n := len(do(w, w.EC2.DescribeInstances, &ec2.DescribeInstancesInput{}).Reservations); n != 1 {
				t.Errorf("%d instances half an hour later, want 1", n)
			}
		})
	}
	if shortages < 1 || shortages > accounts*7/12 {
		t.Errorf("%d of %d groups met a shortage", shortages, accounts)
	}
}

func TestScalingGroupSaysThatTheZoneLacksTheType(t *testing.T) {
	lacking := 0
	for seed := range uint64(accounts) {
		withManner(t, manners.Zones, seed, func(w *world) {
			do(w, w.ASG.CreateAutoScalingGroup, w.groupOfOne())
			time.Sleep(time.Second)
			first := w.activities()[0]
			if first.StatusCode != astypes.ScalingActivityStatusCodeFailed {
				return
			}
			lacking++
			if text := *first.StatusMessage; !strings.HasPrefix(text, "Your requested instance type (t3.micro) is not "+
				"supported in your requested Availability Zone (us-east-1") {
				t.Errorf("the activity says %q", text)
			}
		})
	}
	if lacking < 1 || lacking > accounts/2 {
		t.Errorf("the zone lacks the type for %d of %d accounts", lacking, accounts)
	}
}
