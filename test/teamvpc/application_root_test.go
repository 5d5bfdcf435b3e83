//go:build linux && root

package teamvpc_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aloft.dev/aloft/test/program"
	"aloft.dev/aloft/test/teamvpc"
)

const spec = `app: lodger
start: node server.js
port: 8080
machines: {count: 2}
load_balancer: {port: 8080, deregistration_delay: 0s}
release: {watch: 1s, bake: 0s}
security: {access: endpoint}
network:
  vpc: %s
  subnets:
    public: [%s]
    private: [%s]
`

// drained is how long interfaces of load balancers and terminated machines may stay.
const drained = time.Minute

func TestRealApplicationLodgesInAVPCOfOthers(t *testing.T) {
	c, dir := program.Start(t), filepath.Join(t.TempDir(), "lodger")
	vpc := teamvpc.New(t, c.API.EC2)
	vpc.AddNAT(t)
	endpoint := vpc.AddEndpoint(t, "10.9.0.0/16")
	before := vpc.Describe(t)
	program.Write(t, filepath.Join(dir, "aloft.yaml"), fmt.Sprintf(
		spec, vpc.ID, strings.Join(vpc.Public, ", "), strings.Join(vpc.Private, ", "),
	))
	program.Write(t, filepath.Join(dir, "server.js"), fmt.Sprintf(program.Greeter, "one"))
	program.Write(t, filepath.Join(dir, "package.json"), `{"name": "lodger", "engines": {"node": "22"}}`)

	plan, _, code := c.Run(t, "plan", dir)
	if code != 2 {
		t.Errorf("aloft plan: exit %d", code)
	}
	for _, word := range append([]string{vpc.ID + " exists", "through " + endpoint}, vpc.Private...) {
		if !strings.Contains(plan, word) {
			t.Errorf("the plan does not say %q:\n%s", word, plan)
		}
	}
	c.Must(t, "up", dir)
	status := c.Status(t, dir)
	if status.VPC != vpc.ID {
		t.Errorf("the application is in VPC %s", status.VPC)
	}
	for _, m := range status.Machines {
		if m.PublicIP != "" || !strings.HasPrefix(m.PrivateIP, "10.9.1") {
			t.Errorf("%s has the addresses %s and %q", m.Name, m.PrivateIP, m.PublicIP)
		}
	}
	if code, body, err := program.Get(status.URL); err != nil || code != 200 || !strings.Contains(body, "one") {
		t.Errorf("%d %q %v", code, body, err)
	}
	c.Must(t, "verify", dir)
	ssh := c.Command(t.Context(), "ssh", dir, "server-1")
	ssh.Args = append(ssh.Args, "--", "id -un")
	if out, err := ssh.CombinedOutput(); err != nil || string(out) != "admin\n" {
		t.Errorf("aloft ssh: %v\n%s", err, out)
	}
	c.Refused(t, []string{"drill", "zone", dir, "--at", "us-east-1b"}, []string{"--change-network-acls"})
	c.Refused(t, []string{"drill", "zone", dir, "--at", "us-east-1a", "--change-network-acls"},
		[]string{"network interfaces of others"}) // the NAT gateway and the endpoint
	c.Must(t, "drill", "zone", dir, "--at", "us-east-1b", "--change-network-acls", "--calm", "2s")
	c.Must(t, "down", dir, "--yes", "--images")
	c.NothingTagged(t, "lodger")
	after, until := "", time.Now().Add(drained)
	program.Eventually(t, 2*drained, "the VPC is as before, or it takes too long", func() bool {
		after = vpc.Describe(t)
		return after == before || time.Now().After(until)
	})
	if after != before {
		t.Errorf("the VPC has changed:\n%s", cmp.Diff(before, after))
	}
}
