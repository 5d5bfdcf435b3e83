//go:build root

package e2e

import (
	"encoding/json"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"aloft.dev/aloft/internal/drill"
)

// TestRealDrills breaks the tutorial on real machines, at 300 requests a second:
// failures come only within the bound that the settings promise (health checks
// every 5 s, which are the defaults), and all is put back.
func TestRealDrills(t *testing.T) {
	p, before := newProgram(t), kernelObjects(t)
	lendImages(t, p.state)
	t.Cleanup(func() {
		p.must(t, "local", "reset", "--yes")
		if left := added(before, kernelObjects(t)); left != "" {
			t.Errorf("left behind:\n%s", left)
		}
	})
	p.must(t, "local", "start", "--address", localAddress)
	p.must(t, "up", tutorialFolder)
	t.Run("a zone that is cut off", func(t *testing.T) {
		o := p.drilled(t, "zone", "--at", "us-east-1b")
		if o.Failed == 0 {
			t.Error("nothing failed: was the zone cut off at all?")
		}
		p.whole(t)
	})
	t.Run("a drill that was killed", p.drillKilled)
	t.Run("a server that is terminated", func(t *testing.T) {
		was := p.status(t, tutorialFolder).Machines[2]
		p.drilled(t, "instance", "--at", "server-3")
		if is := p.status(t, tutorialFolder).Machines[2]; is.InstanceID == was.InstanceID || is.Zone != was.Zone {
			t.Errorf("server-3 was %+v, is %+v", was, is)
		}
		p.whole(t)
	})
	t.Run("what is removed on purpose", p.plannedRemovals)
}

// drilled runs a drill, with at least six seconds of load, and holds it against its
// bound.
func (p program) drilled(t *testing.T, args ...string) drill.Result {
	t.Helper()
	out, story, code := p.run(
		t,
		append([]string{"drill", args[0], tutorialFolder, "--rate", "300", "--calm", "3s", "--json"}, args[1:]...)...)
	var o drill.Result
	if err := json.Unmarshal([]byte(out), &o); err != nil {
		t.Fatalf("exit %d, %v\n%s\n%s", code, err, out, story)
	}
	t.Logf("%s", out)
	if code != 0 || !o.InsideBound || o.ErrorWindow > o.Bound {
		t.Errorf("exit %d: failures outside the bound\n%s", code, story)
	}
	if o.Detected == nil || o.OutOfRotation == nil || o.Restored == nil || o.Recovered == nil {
		t.Errorf("not all was seen: %s", out)
	}
	if o.Sent < 1800 || o.Latency.After.P50 == 0 {
		t.Errorf("%d requests were sent", o.Sent)
	}
	return o
}

// drillKilled kills a drill while a zone is cut off; the next command that only
// looks puts the zone back.
func (p program) drillKilled(t *testing.T) {
	cmd := p.command(t.Context(), "drill", "zone", tutorialFolder, "--at", "us-east-1c", "--calm", "1s")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	api := p.client(t)
	eventually(t, patience, "a zone is cut off", func() bool {
		acls, err := api.EC2.DescribeNetworkAcls(t.Context(), &ec2.DescribeNetworkAclsInput{})
		if err != nil {
			t.Fatal(err)
		}
		for _, acl := range acls.NetworkAcls {
			if !*acl.IsDefault && len(acl.Associations) > 0 {
				return true
			}
		}
		return false
	})
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	p.status(t, tutorialFolder)
	p.whole(t)
}

// whole waits until all servers are healthy, and checks that no drill left
// anything in the cloud.
func (p program) whole(t *testing.T) {
	t.Helper()
	eventually(t, patience, "all servers are healthy", func() bool {
		for _, m := range p.status(t, tutorialFolder).Machines {
			if m.Health != "healthy" {
				return false
			}
		}
		return true
	})
	acls, err := p.client(t).EC2.DescribeNetworkAcls(t.Context(), &ec2.DescribeNetworkAclsInput{})
	if err != nil {
		t.Fatal(err)
	}
	for _, acl := range acls.NetworkAcls {
		if !*acl.IsDefault {
			t.Errorf("network ACL %s is left", *acl.NetworkAclId)
		}
	}
	if _, story, code := p.run(t, "plan", tutorialFolder); code != 0 {
		t.Errorf("a plan after the drill is not empty: exit %d\n%s", code, story)
	}
}
