//go:build linux && root

package mainjob

import (
	"bufio"
	"context"
	"encoding/json"
	"net"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"aloft.dev/aloft/test/program"
)

// deployed is the local cloud on which the tutorial runs.
type deployed struct {
	*program.LocalCloud

	idBefore string // server-1's machine-id before the image was made of it
}

// TestRealMainJob deploys the tutorial once and checks on it what Aloft promises of
// a deployment on real machines.
func TestRealMainJob(t *testing.T) {
	c := &deployed{
		LocalCloud: program.StartAfter(t, "a port that is taken is reported before anything changes", takenPort),
	}
	for _, proof := range []struct {
		promise string
		prove   func(*testing.T)
	}{
		{"the next up finishes one that was killed during the installation", c.killed},
		{"requests reach three servers in three zones evenly", c.spread},
		{"a second up and a plan change nothing", c.settled},
	} {
		if !t.Run(proof.promise, proof.prove) {
			t.FailNow()
		}
	}
	t.Run("machines share the image's files but not its identity", c.identities)
	t.Run("a stopped local cloud leaves nothing in the kernel and starts everything again", c.stopAndStart)
	t.Run("a rule applies at once to new flows and not to established ones", c.rules)
	t.Run("a rebooted server serves again", c.reboot)
	t.Run("a terminated server is replaced while the others serve", c.replace)
	t.Run("another version of aloft is refused and takes over after a restart", c.otherVersion)
	t.Run("a git repository is cloned on the machine, or here if it is private", c.git)
	t.Run("a failing install or start stops the run before the image", c.failing)
	t.Run("a full disk is reported and the next up finishes", c.fullDisk)
	t.Run("down leaves nothing and the next up starts from the kept image", c.away)
}

// builtBefore is a file that the build writes on server-1.
const builtBefore = "/etc/written-before-the-image"

// killed kills aloft in the middle of the installation and runs it again.
func (c *deployed) killed(t *testing.T) {
	if _, _, code := c.Run(t, "plan", program.TutorialFolder); code != 2 {
		t.Errorf("plan of something not deployed: exit %d, want 2", code)
	}
	first := c.Command(t.Context(), "up", program.TutorialFolder)
	story, err := first.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Start(); err != nil {
		t.Fatal(err)
	}
	var told []string
	lines := bufio.NewScanner(story)
	for lines.Scan() {
		told = append(told, lines.Text())
		if strings.Contains(lines.Text(), "npm install --no-save nodemon") {
			break // npm is installing
		}
	}
	if err := first.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := first.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Fatalf("aloft ended before it could be killed: %v\n%s", err, strings.Join(told, "\n"))
	}
	if n := c.TemporaryRules(t); n != 1 {
		t.Errorf("%d temporary rules after the kill, want 1: the kill came too early or too late", n)
	}
	half := c.Status(t, program.TutorialFolder)
	if len(half.Machines) != 1 {
		t.Fatalf("machines after the kill: %+v", half.Machines)
	}
	c.OpenSSH(t, "tutorial", half.Machines[0].PublicIP, "echo a promise | sudo tee "+builtBefore)
	c.idBefore = c.OpenSSH(t, "tutorial", half.Machines[0].PublicIP, machineID)

	c.Must(t, "up", program.TutorialFolder)
	whole := c.Status(t, program.TutorialFolder)
	if whole.Machines[0].InstanceID != half.Machines[0].InstanceID {
		t.Errorf(
			"server-1 was %s and is %s: the second run did not go on from the first",
			half.Machines[0].InstanceID,
			whole.Machines[0].InstanceID,
		)
	}
	if n := c.TemporaryRules(t); n != 0 {
		t.Errorf("%d temporary rules are left", n)
	}
}

func (c *deployed) spread(t *testing.T) {
	d := c.Status(t, program.TutorialFolder)
	if len(d.Machines) != 3 {
		t.Fatalf("machines: %+v", d)
	}
	zones := map[string]bool{}
	for _, m := range d.Machines {
		zones[m.Zone] = true
		if m.State != "running" || m.Health != "healthy" {
			t.Errorf("%s is %s and %s", m.Name, m.State, m.Health)
		}
	}
	if len(zones) != 3 {
		t.Errorf("zones: %v", zones)
	}
	served := map[string]int{}
	for range 60 {
		var answer struct{ Host string }
		body := program.Fetch(t, d.URL)
		if err := json.Unmarshal([]byte(body), &answer); err != nil {
			t.Fatalf("%v: %s", err, body)
		}
		served[answer.Host]++
	}
	if len(served) != 3 {
		t.Errorf("served by %v, want three hosts", served)
	}
	for host, n := range served {
		if !strings.HasPrefix(host, "ip-10-0-") || n < 16 || n > 24 {
			t.Errorf("%s answered %d of 60, want 20 within 20 %%", host, n)
		}
	}
}

func (c *deployed) settled(t *testing.T) {
	d := c.Status(t, program.TutorialFolder)
	if out, _, code := c.Run(t, "plan", program.TutorialFolder); code != 0 {
		t.Errorf("a plan right after up is not empty: exit %d\n%s", code, out)
	}
	c.Must(t, "up", program.TutorialFolder)
	again := c.Status(t, program.TutorialFolder)
	if !slices.Equal(again.Machines, d.Machines) || again.ImageID != d.ImageID {
		t.Errorf("a second up changed %+v into %+v", d, again)
	}
	c.Must(t, "verify", program.TutorialFolder)
}

// reboot reboots server-2 and no other server.
func (c *deployed) reboot(t *testing.T) {
	m := c.Status(t, program.TutorialFolder).Machines[1]
	began := time.Now()
	if _, err := c.API.EC2.RebootInstances(t.Context(), &ec2.RebootInstancesInput{
		InstanceIds: []string{m.InstanceID},
	}); err != nil {
		t.Fatal(err)
	}
	program.Eventually(t, program.Patience, "the application runs anew on "+m.Name, func() bool {
		var health struct{ Uptime float64 }
		_, body, err := program.Get("http://" + net.JoinHostPort(m.PublicIP, "3000") + "/health")
		return err == nil && json.Unmarshal([]byte(body), &health) == nil && body != "" &&
			health.Uptime <= time.Since(began).Seconds()
	})
	program.Eventually(
		t,
		program.Patience,
		m.Name+" is healthy",
		func() bool { return c.Status(t, program.TutorialFolder).Machines[1].Health == "healthy" },
	)
	if now := c.Status(t, program.TutorialFolder).Machines[1]; now != m {
		t.Errorf("%+v became %+v", m, now)
	}
}

// replace terminates server-3 under load and brings the application up again.
func (c *deployed) replace(t *testing.T) {
	d := c.Status(t, program.TutorialFolder)
	if _, err := c.API.EC2.TerminateInstances(t.Context(), &ec2.TerminateInstancesInput{
		InstanceIds: []string{d.Machines[2].InstanceID},
	}); err != nil {
		t.Fatal(err)
	}
	program.Eventually(t, program.Patience, "the load balancer sends nothing to the server that is gone", func() bool {
		for _, m := range c.Status(t, program.TutorialFolder).Machines {
			if m.InstanceID == d.Machines[2].InstanceID && m.Health != "unhealthy" && m.Health != "unused" &&
				m.Health != "draining" &&
				m.Health != "unregistered" {
				return false
			}
		}
		return true
	})
	ctx, stop := context.WithCancel(t.Context())
	counted := make(chan [2]int)
	go func() {
		var answered, failed int
		for ctx.Err() == nil {
			if status, body, err := program.Get(d.URL); err == nil && status == http.StatusOK {
				answered++
			} else {
				failed++
				t.Logf("request: %d %s %v", status, body, err)
			}
		}
		counted <- [2]int{answered, failed}
	}()
	c.Must(t, "up", program.TutorialFolder)
	stop()
	if n := <-counted; n[0] == 0 || n[1] != 0 {
		t.Errorf("%d requests were answered and %d were not", n[0], n[1])
	} else {
		t.Logf("%d requests were answered", n[0])
	}
	now := c.Status(t, program.TutorialFolder)
	if len(now.Machines) != 3 || now.Machines[0] != d.Machines[0] || now.Machines[1] != d.Machines[1] {
		t.Fatalf("other servers changed: %+v became %+v", d.Machines, now.Machines)
	}
	if m := now.Machines[2]; m.InstanceID == d.Machines[2].InstanceID || m.Zone != d.Machines[2].Zone ||
		m.Health != "healthy" {
		t.Errorf("%+v was replaced by %+v", d.Machines[2], m)
	}
}

func (c *deployed) away(t *testing.T) {
	c.Must(t, "down", program.TutorialFolder, "--yes")
	if _, _, code := c.Run(t, "status", program.TutorialFolder); code != 1 {
		t.Errorf("status after down: exit %d, want 1", code)
	}
	c.Must(t, "up", program.TutorialFolder)
	c.Must(t, "down", program.TutorialFolder, "--yes", "--images")
	c.NothingTagged(t, "tutorial")
}

// stopAndStart stops the local cloud while machines run, and starts it again.
func (c *deployed) stopAndStart(t *testing.T) {
	d := c.Status(t, program.TutorialFolder)
	c.Must(t, "local", "stop")
	if left := program.Added(c.Before, c.KernelObjects(t)); left != "" {
		t.Errorf("left behind:\n%s", left)
	}
	c.Must(t, "local", "start", "--address", program.LocalAddress)
	served, now := map[string]int{}, program.Status{}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("served: %v\nbefore: %+v\nnow: %+v\n%s", served, d.Machines, now.Machines, c.Log())
		}
	})
	program.Eventually(t, program.Patience, "all servers serve again", func() bool {
		clear(served)
		for range 12 { // each of the three nodes has its own rotation
			var answer struct{ Host string }
			if status, body, err := program.Get(d.URL); err == nil && status == http.StatusOK &&
				json.Unmarshal([]byte(body), &answer) == nil {
				served[answer.Host]++
			}
		}
		now = c.Status(t, program.TutorialFolder)
		return len(served) == 3 && slices.Equal(now.Machines, d.Machines)
	})
}

// ends stops a process that a test started and waits for it.
func ends(cmd *exec.Cmd) {
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
}
