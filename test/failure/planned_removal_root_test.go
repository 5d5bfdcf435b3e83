//go:build linux && root

package failure

import (
	"testing"

	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"aloft.dev/aloft/test/program"
)

// plannedRemovals removes servers under load in every planned way. No request fails.
func plannedRemovals(t *testing.T, c *program.LocalCloud) {
	status := c.Status(t, program.TutorialFolder)
	stop := program.UnderLoad(t, status.URL)
	c.Must(t, "up", program.WithSpec(t, "machines: {count: 2}")) // removes server-3
	c.Must(t, "up", program.WithSpec(t, "machines: {count: 3}")) // adds it again
	deregistered(t, c, status.Machines[0].InstanceID)
	c.Must(t, "up", program.WithSpec(t, "machines: {type: t3.small}")) // replaces all servers

	stop()
}

// deregistered deregisters a target by hand, waits until it has drained, and
// registers it again.
func deregistered(t *testing.T, c *program.LocalCloud, instance string) {
	t.Helper()
	api := c.API.ELB
	groups, err := api.DescribeTargetGroups(t.Context(), &elb.DescribeTargetGroupsInput{})
	if err != nil {
		t.Fatal(err)
	}
	group, target := groups.TargetGroups[0].TargetGroupArn, []types.TargetDescription{{Id: &instance}}
	if _, err := api.DeregisterTargets(t.Context(), &elb.DeregisterTargetsInput{
		TargetGroupArn: group, Targets: target,
	}); err != nil {
		t.Fatal(err)
	}
	program.Eventually(t, program.Patience, "the target has drained", func() bool {
		health, err := api.DescribeTargetHealth(t.Context(), &elb.DescribeTargetHealthInput{TargetGroupArn: group})
		if err != nil {
			t.Fatal(err)
		}
		return len(health.TargetHealthDescriptions) == 2
	})
	if _, err := api.RegisterTargets(t.Context(), &elb.RegisterTargetsInput{
		TargetGroupArn: group, Targets: target,
	}); err != nil {
		t.Fatal(err)
	}
}
