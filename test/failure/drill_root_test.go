//go:build linux && root

package failure

import (
	"encoding/json"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"aloft.dev/aloft/internal/drill"
	"aloft.dev/aloft/test/program"
)

// TestRealDrills breaks the tutorial on real machines at 300 requests per second.
// Requests fail only within the bound that follows from the settings (by default
// health checks every 5 s), and every drill restores what it changed.
func TestRealDrills(t *testing.T) {
	c := program.Start(t)
	c.Must(t, "up", program.TutorialFolder)
	t.Run("zone", func(t *testing.T) {
		o := drilled(t, c, "zone", "--at", "us-east-1b", "--duration", "14s")
		if o.Failed == 0 {
			t.Error("no request failed: the drill did not isolate the zone")
		}
		restored(t, c)
	})
	t.Run("killed drill", func(t *testing.T) { drillKilled(t, c) })
	t.Run("instance", func(t *testing.T) {
		if o := drilledAway(t, c, "instance"); o.Failed != 0 {
			t.Errorf("%d requests failed although the server shut down in order: %v", o.Failed, o.FailedByKind)
		}
	})
	t.Run("power", func(t *testing.T) { drilledAway(t, c, "power") })
	t.Run("planned removals", func(t *testing.T) { plannedRemovals(t, c) })
}

// drilledAway runs a drill that terminates server-3, and checks that another takes its place.
func drilledAway(t *testing.T, c *program.LocalCloud, experiment string) drill.Result {
	t.Helper()
	was := c.Status(t, program.TutorialFolder).Machines[2]
	o := drilled(t, c, experiment, "--at", "server-3")
	is := c.Status(t, program.TutorialFolder).Machines[2]
	if is.InstanceID == was.InstanceID || is.Zone != was.Zone {
		t.Errorf("server-3 was %+v, is %+v", was, is)
	}
	restored(t, c)
	return o
}

// drilled runs a drill with at least six seconds of load and checks its bound.
func drilled(t *testing.T, c *program.LocalCloud, args ...string) drill.Result {
	t.Helper()
	command := []string{"drill", args[0], program.TutorialFolder, "--rate", "300", "--calm", "3s", "--json"}
	out, story, code := c.Run(t, append(command, args[1:]...)...)
	var o drill.Result
	if err := json.Unmarshal([]byte(out), &o); err != nil {
		t.Fatalf("exit %d, %v\n%s\n%s", code, err, out, story)
	}
	t.Logf("%s", out)
	if code != 0 || !o.InsideBound || o.ErrorWindow > o.Bound {
		t.Errorf("exit %d: failures outside the bound\n%s", code, story)
	}
	if o.Detected == nil || o.OutOfRotation == nil || o.Restored == nil || o.Recovered == nil {
		t.Errorf("the report lacks an event: %s", out)
	}
	if o.Sent < 1800 || o.Latency.After.P50 == 0 {
		t.Errorf("%d requests were sent", o.Sent)
	}
	return o
}

// drillKilled kills a drill while a zone is isolated. The next command, even one
// that only reads, restores the zone.
func drillKilled(t *testing.T, c *program.LocalCloud) {
	cmd := c.Command(t.Context(), "drill", "zone", program.TutorialFolder, "--at", "us-east-1c", "--calm", "1s")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	api := c.API
	program.Eventually(t, program.Patience, "the drill isolates a zone", func() bool {
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
	c.Status(t, program.TutorialFolder)
	restored(t, c)
}

// restored waits until all servers are healthy and checks that no drill left
// anything behind.
func restored(t *testing.T, c *program.LocalCloud) {
	t.Helper()
	program.Eventually(t, program.Patience, "all servers are healthy", func() bool {
		for _, m := range c.Status(t, program.TutorialFolder).Machines {
			if m.Health != "healthy" {
				return false
			}
		}
		return true
	})
	acls, err := c.API.EC2.DescribeNetworkAcls(t.Context(), &ec2.DescribeNetworkAclsInput{})
	if err != nil {
		t.Fatal(err)
	}
	for _, acl := range acls.NetworkAcls {
		if !*acl.IsDefault {
			t.Errorf("network ACL %s is left", *acl.NetworkAclId)
		}
	}
	if _, story, code := c.Run(t, "plan", program.TutorialFolder); code != 0 {
		t.Errorf("a plan after the drill is not empty: exit %d\n%s", code, story)
	}
}
