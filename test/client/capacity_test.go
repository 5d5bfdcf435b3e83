//go:build linux

package client

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/test/simulation"
)

// each is how many instances one request launches.
const each = 50

// work counts the calls that the planes received.
type work struct{ prepared, booted, removed, networks int }

func workOf(c *simulation.Cloud) work {
	return work{
		c.Machines.Calls("Prepare"),
		c.Machines.Calls("Boot"),
		c.Machines.Calls("Remove"),
		c.Network.Calls("Set"),
	}
}

// inState returns the ids of the instances in a state and reports whether there are n.
func inState(t *testing.T, client *awsapi.Client, n int, state types.InstanceStateName) (ids []string, all bool) {
	t.Helper()
	pages := ec2.NewDescribeInstancesPaginator(client.EC2, &ec2.DescribeInstancesInput{
		MaxResults: aws.Int32(70),
		Filters:    []types.Filter{{Name: aws.String("instance-state-name"), Values: []string{string(state)}}},
	})
	seen := map[string]bool{}
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range page.Reservations {
			for _, i := range r.Instances {
				if seen[*i.InstanceId] {
					t.Fatalf("%s is on two pages", *i.InstanceId)
				}
				seen[*i.InstanceId] = true
				ids = append(ids, *i.InstanceId)
			}
		}
	}
	return ids, len(ids) == n
}

// lives launches n instances through the API, terminates them when all are running,
// and returns the calls that the planes received.
func lives(t *testing.T, n int) work {
	t.Helper()
	c := simulation.New(t)
	client := c.Client(t, nil)
	var image string
	simulation.Eventually(t, func() bool {
		out, err := client.EC2.DescribeImages(t.Context(), &ec2.DescribeImagesInput{
			Filters: []types.Filter{{Name: aws.String("state"), Values: []string{"available"}}},
		})
		if err != nil {
			t.Fatal(err)
		}
		if len(out.Images) > 0 {
			image = *out.Images[0].ImageId
		}
		return image != ""
	})
	before := workOf(c)
	for range n / each {
		if _, err := client.EC2.RunInstances(t.Context(), &ec2.RunInstancesInput{
			ImageId: &image, InstanceType: types.InstanceTypeT3Micro, MinCount: aws.Int32(each),
			MaxCount: aws.Int32(each),
		}); err != nil {
			t.Fatal(err)
		}
	}
	var ids []string
	simulation.Eventually(
		t, func() (all bool) { ids, all = inState(t, client, n, types.InstanceStateNameRunning); return all },
	)
	if got := len(c.Machines.List()); got != n {
		t.Errorf("%d machines for %d instances", got, n)
	}
	if _, err := client.EC2.TerminateInstances(
		t.Context(), &ec2.TerminateInstancesInput{InstanceIds: ids},
	); err != nil {
		t.Fatal(err)
	}
	simulation.Eventually(
		t, func() bool { _, all := inState(t, client, n, types.InstanceStateNameTerminated); return all },
	)
	view := c.Store.View()
	machines, volumes := len(c.Machines.List()), len(store.Volumes.List(view))
	if nics := len(store.NetworkInterfaces.List(view)); machines+nics+volumes != 0 {
		t.Errorf("left: %d machines, %d interfaces, %d volumes", machines, nics, volumes)
	}
	after := workOf(c)
	return work{
		after.prepared - before.prepared,
		after.booted - before.booted,
		after.removed - before.removed,
		after.networks - before.networks,
	}
}

func TestWorkPerMachineDoesNotGrowWithTheirNumber(t *testing.T) {
	few, many := lives(t, each), lives(t, 6*each)
	t.Logf("%d machines: %+v; %d machines: %+v", each, few, 6*each, many)
	for n, got := range map[int]work{each: few, 6 * each: many} {
		if got.prepared != n || got.booted != n || got.removed != n {
			t.Errorf("%d machines: %+v", n, got)
		}
		// At most: one application of the network to connect and one to cut off
		// each machine, and one after each of the four changes of its row.
		if got.networks > 6*n {
			t.Errorf("%d machines: the network was set %d times", n, got.networks)
		}
	}
}
