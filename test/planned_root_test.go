//go:build root

package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// plannedRemovals takes servers out of the rotation in all ways that are meant:
// under load, nobody notices.
func (p program) plannedRemovals(t *testing.T) {
	status := p.status(t, tutorialFolder)
	stop := p.underLoad(t, status.URL)
	p.must(t, "up", withSpec(t, "machines: {count: 2}")) // server-3 leaves
	p.must(t, "up", withSpec(t, "machines: {count: 3}")) // and comes back
	p.deregistered(t, status.Machines[0].InstanceID)
	p.must(t, "up", withSpec(t, "machines: {type: t3.small}")) // all are replaced

	stop()
}

// withSpec is the tutorial with another line in its spec, and 5 s to drain a target.
func withSpec(t *testing.T, line string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "tutorial")
	run(t, "cp", "-r", tutorialFolder, dir)
	file := filepath.Join(dir, "aloft.yaml")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(strings.Replace(string(text), "load_balancer:\n", "load_balancer:\n  deregistration_delay: 5s\n", 1)+"\n"+line+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// deregistered takes a target out of its group by hand, waits until it has
// drained, and puts it back.
func (p program) deregistered(t *testing.T, instance string) {
	t.Helper()
	api := p.client(t).ELB
	groups, err := api.DescribeTargetGroups(t.Context(), &elb.DescribeTargetGroupsInput{})
	if err != nil {
		t.Fatal(err)
	}
	group, target := groups.TargetGroups[0].TargetGroupArn, []types.TargetDescription{{Id: &instance}}
	if _, err := api.DeregisterTargets(t.Context(), &elb.DeregisterTargetsInput{TargetGroupArn: group, Targets: target}); err != nil {
		t.Fatal(err)
	}
	eventually(t, patience, "the target has drained", func() bool {
		health, err := api.DescribeTargetHealth(t.Context(), &elb.DescribeTargetHealthInput{TargetGroupArn: group})
		if err != nil {
			t.Fatal(err)
		}
		return len(health.TargetHealthDescriptions) == 2
	})
	if _, err := api.RegisterTargets(t.Context(), &elb.RegisterTargetsInput{TargetGroupArn: group, Targets: target}); err != nil {
		t.Fatal(err)
	}
}
