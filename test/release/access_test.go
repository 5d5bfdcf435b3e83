//go:build linux

package release

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/resource"
	"aloft.dev/aloft/test/simulation"
)

// While a release is made, SSH is open to the machine on which it is made, and to no
// server that may receive requests.
func TestTemporaryAccessOpensOnlyTheMachineThatIsMade(t *testing.T) {
	s := &simulation.Application{Cloud: simulation.New(t), Keys: t.TempDir(), Spec: simulation.Tutorial(t)}
	client := s.Client(t, nil)
	made := 0
	during := func() {
		made++
		var open []string
		for address, reachable := range reachableOverSSH(t, client) {
			if reachable {
				open = append(open, address)
			}
		}
		if len(open) != 1 || open[0] == "server-2" || open[0] == "server-3" {
			t.Errorf("SSH is open to %v, want the machine on which the release is made alone", open)
		}
	}
	for _, release := range []string{"r1", "r2"} {
		simulation.Up(t, s.Deployment(t, &simulation.Builder{ReleaseName: release, During: during}))
		for address, reachable := range reachableOverSSH(t, client) {
			if reachable {
				t.Errorf("after %s: SSH is open to %s", release, address)
			}
		}
	}
	if made != 3 { // two builds and a proof
		t.Errorf("looked %d times, want 3", made)
	}
}

// reachableOverSSH returns, for each running instance by its address, whether a security
// group of it has a temporary rule.
func reachableOverSSH(t *testing.T, client *awsapi.Client) map[string]bool {
	t.Helper()
	groups, err := client.EC2.DescribeSecurityGroups(t.Context(), &ec2.DescribeSecurityGroupsInput{})
	if err != nil {
		t.Fatal(err)
	}
	open := map[string]bool{}
	for _, g := range groups.SecurityGroups {
		for _, p := range g.IpPermissions {
			for _, r := range p.IpRanges {
				open[aws.ToString(g.GroupId)] = open[aws.ToString(g.GroupId)] ||
					aws.ToString(r.Description) == resource.TemporaryRule
			}
		}
	}
	instances, err := client.EC2.DescribeInstances(t.Context(), &ec2.DescribeInstancesInput{
		Filters: []types.Filter{awsapi.Filter("instance-state-name", "running")},
	})
	if err != nil {
		t.Fatal(err)
	}
	reachable := map[string]bool{}
	for _, r := range instances.Reservations {
		for _, i := range r.Instances {
			address := aws.ToString(i.InstanceId)
			for _, tag := range i.Tags {
				if strings.HasSuffix(aws.ToString(tag.Key), ":address") {
					address = aws.ToString(tag.Value)
				}
			}
			for _, g := range i.SecurityGroups {
				reachable[address] = reachable[address] || open[aws.ToString(g.GroupId)]
			}
		}
	}
	return reachable
}
