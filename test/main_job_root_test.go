//go:build root

package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/resource"
)

const tutorialFolder = "../examples/tutorial"

// browser resolves names under .localhost to loopback, as browsers do (RFC 6761,
// section 6.3), with a connection for every request.
var browser = &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{
	DisableKeepAlives: true,
	DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		host, port, _ := net.SplitHostPort(address)
		if strings.HasSuffix(host, ".localhost") {
			host = "127.0.0.1"
		}
		return (&net.Dialer{}).DialContext(ctx, network, net.JoinHostPort(host, port))
	},
}}

func get(url string) (status int, body string, err error) {
	response, err := browser.Get(url)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = response.Body.Close() }()
	data, err := io.ReadAll(response.Body)
	return response.StatusCode, string(data), err
}

func fetch(t *testing.T, url string) string {
	t.Helper()
	status, body, err := get(url)
	if err != nil || status != http.StatusOK {
		t.Fatalf("%s: %d %s %v", url, status, body, err)
	}
	return body
}

// real is one local cloud with the tutorial on it, which all the proofs share.
type real struct {
	program
	api    *awsapi.Client
	before string // what the kernel had when nothing had begun
}

// TestRealMainJob deploys the tutorial once and proves on it what the product
// promises of a deployment on real machines.
func TestRealMainJob(t *testing.T) {
	c := &real{program: newProgram(t), before: kernelObjects(t)}
	t.Run("a port that is taken is told before anything is changed", c.takenPort)
	lendImages(t, c.state)
	t.Cleanup(func() {
		c.must(t, "local", "reset", "--yes")
		if left := added(c.before, kernelObjects(t)); left != "" {
			t.Errorf("left behind:\n%s", left)
		}
	})
	c.must(t, "local", "start", "--address", localAddress)
	c.api = c.client(t)
	for _, proof := range []struct {
		promise string
		prove   func(*testing.T)
	}{
		{"an up that is killed while it installs is finished by the next", c.killed},
		{"requests reach three servers in three zones evenly", c.spread},
		{"a second up and a plan have nothing to do", c.settled},
	} {
		if !t.Run(proof.promise, proof.prove) {
			t.FailNow()
		}
	}
	t.Run("machines of the image have its files and identities of their own", c.identities)
	t.Run("a local cloud that was stopped leaves nothing in the kernel and brings everything back", c.stopAndStart)
	t.Run("a rule changes at once on a running machine while established flows live on", c.rules)
	t.Run("a server that reboots serves again by itself", c.reboot)
	t.Run("a server that was terminated is replaced while the others serve", c.replace)
	t.Run("an aloft of another version is told and takes over with machines running", c.otherVersion)
	t.Run("a git repository is cloned on the machine or here when only the user may read it", c.git)
	t.Run("a failing install or start stops the run and bakes nothing until it is mended", c.failing)
	t.Run("a release and going back lose no request and one that fails touches nothing that serves", c.releases)
	t.Run("a full disk is told while others serve on and the next up finishes", c.fullDisk)
	t.Run("down leaves nothing and another up starts from the image that was kept", c.away)
}

// builtBefore is a file that is written on server-1 while it is built.
const builtBefore = "/etc/written-before-the-image"

// killed kills aloft in the middle of the installation and runs it again.
func (c *real) killed(t *testing.T) {
	if _, _, code := c.run(t, "plan", tutorialFolder); code != 2 {
		t.Errorf("plan of something not deployed: exit %d, want 2", code)
	}
	first := c.command(t.Context(), "up", tutorialFolder)
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
		if strings.Contains(lines.Text(), "Unpacking ") || strings.Contains(lines.Text(), "Get:") {
			break // apt is at work
		}
	}
	if err := first.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := first.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Fatalf("aloft ended before it could be killed: %v\n%s", err, strings.Join(told, "\n"))
	}
	if n := c.temporaryRules(t); n != 1 {
		t.Errorf("%d temporary rules after the kill, want 1: the test proves nothing", n)
	}
	half := c.status(t, tutorialFolder)
	if len(half.Machines) != 1 {
		t.Fatalf("machines after the kill: %+v", half.Machines)
	}
	c.openssh(t, "tutorial", half.Machines[0].PublicIP, "echo a promise | sudo tee "+builtBefore)

	c.must(t, "up", tutorialFolder)
	whole := c.status(t, tutorialFolder)
	if whole.Machines[0].InstanceID != half.Machines[0].InstanceID {
		t.Errorf(
			"server-1 was %s and is %s: the second run did not go on from the first",
			half.Machines[0].InstanceID,
			whole.Machines[0].InstanceID,
		)
	}
	if n := c.temporaryRules(t); n != 0 {
		t.Errorf("%d temporary rules are left", n)
	}
}

func (c *real) temporaryRules(t *testing.T) (n int) {
	t.Helper()
	found, err := c.api.EC2.DescribeSecurityGroupRules(t.Context(), &ec2.DescribeSecurityGroupRulesInput{})
	if err != nil {
		t.Fatal(err)
	}
	for _, rule := range found.SecurityGroupRules {
		if aws.ToString(rule.Description) == resource.Temporary {
			n++
		}
	}
	return n
}

func (c *real) spread(t *testing.T) {
	d := c.status(t, tutorialFolder)
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
		body := fetch(t, d.URL)
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

func (c *real) settled(t *testing.T) {
	d := c.status(t, tutorialFolder)
	if out, _, code := c.run(t, "plan", tutorialFolder); code != 0 {
		t.Errorf("a plan right after up is not empty: exit %d\n%s", code, out)
	}
	c.must(t, "up", tutorialFolder)
	if again := c.status(t, tutorialFolder); !slices.Equal(again.Machines, d.Machines) || again.ImageID != d.ImageID {
		t.Errorf("a second up changed %+v into %+v", d, again)
	}
	c.must(t, "verify", tutorialFolder)
}

// reboot reboots server-2 and touches nothing else.
func (c *real) reboot(t *testing.T) {
	m := c.status(t, tutorialFolder).Machines[1]
	began := time.Now()
	if _, err := c.api.EC2.RebootInstances(t.Context(), &ec2.RebootInstancesInput{InstanceIds: []string{m.InstanceID}}); err != nil {
		t.Fatal(err)
	}
	eventually(t, patience, "the application runs anew on "+m.Name, func() bool {
		var health struct{ Uptime float64 }
		_, body, err := get("http://" + net.JoinHostPort(m.PublicIP, "3000") + "/health")
		return err == nil && json.Unmarshal([]byte(body), &health) == nil && body != "" &&
			health.Uptime <= time.Since(began).Seconds()
	})
	eventually(
		t,
		patience,
		m.Name+" is healthy",
		func() bool { return c.status(t, tutorialFolder).Machines[1].Health == "healthy" },
	)
	if now := c.status(t, tutorialFolder).Machines[1]; now != m {
		t.Errorf("%+v became %+v", m, now)
	}
}

// replace terminates server-3 and lets aloft put another in its place, with
// requests all the while.
func (c *real) replace(t *testing.T) {
	d := c.status(t, tutorialFolder)
	if _, err := c.api.EC2.TerminateInstances(t.Context(), &ec2.TerminateInstancesInput{InstanceIds: []string{d.Machines[2].InstanceID}}); err != nil {
		t.Fatal(err)
	}
	eventually(t, patience, "the load balancer sends nothing to the server that is gone", func() bool {
		for _, m := range c.status(t, tutorialFolder).Machines {
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
			if status, body, err := get(d.URL); err == nil && status == http.StatusOK {
				answered++
			} else {
				failed++
				t.Logf("request: %d %s %v", status, body, err)
			}
		}
		counted <- [2]int{answered, failed}
	}()
	c.must(t, "up", tutorialFolder)
	stop()
	if n := <-counted; n[0] == 0 || n[1] != 0 {
		t.Errorf("%d requests were answered and %d were not", n[0], n[1])
	} else {
		t.Logf("%d requests were answered", n[0])
	}
	now := c.status(t, tutorialFolder)
	if len(now.Machines) != 3 || now.Machines[0] != d.Machines[0] || now.Machines[1] != d.Machines[1] {
		t.Fatalf("the others were touched: %+v became %+v", d.Machines, now.Machines)
	}
	if m := now.Machines[2]; m.InstanceID == d.Machines[2].InstanceID || m.Zone != d.Machines[2].Zone ||
		m.Health != "healthy" {
		t.Errorf("in place of %+v stands %+v", d.Machines[2], m)
	}
}

func (c *real) away(t *testing.T) {
	c.must(t, "down", tutorialFolder, "--yes")
	if _, _, code := c.run(t, "status", tutorialFolder); code != 1 {
		t.Errorf("status after down: exit %d, want 1", code)
	}
	c.must(t, "up", tutorialFolder)
	c.must(t, "down", tutorialFolder, "--yes", "--images")
	c.nothingTagged(t, "tutorial")
}

// nothingTagged asks EC2 whether anything of an application is left.
func (c *real) nothingTagged(t *testing.T, app string) {
	t.Helper()
	found, err := c.api.EC2.DescribeTags(
		t.Context(),
		&ec2.DescribeTagsInput{Filters: []types.Filter{{Name: aws.String("tag:aloft:app"), Values: []string{app}}}},
	)
	if err != nil {
		t.Fatal(err)
	}
	for _, tag := range found.Tags {
		if tag.ResourceType != types.ResourceTypeInstance &&
			tag.ResourceType != types.ResourceTypeNetworkInterface { // terminated ones are shown for a while
			t.Errorf("left: %s %s", tag.ResourceType, aws.ToString(tag.ResourceId))
		}
	}
}

// stopAndStart stops the local cloud with the machines running.
func (c *real) stopAndStart(t *testing.T) {
	d := c.status(t, tutorialFolder)
	c.must(t, "local", "stop")
	if left := added(c.before, kernelObjects(t)); left != "" {
		t.Errorf("left behind:\n%s", left)
	}
	c.must(t, "local", "start", "--address", localAddress)
	served, now := map[string]int{}, statusDocument{}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("served: %v\nbefore: %+v\nnow: %+v\n%s", served, d.Machines, now.Machines, c.log())
		}
	})
	eventually(t, patience, "all servers serve again", func() bool {
		clear(served)
		for range 12 { // each of the three nodes takes its own turns
			var answer struct{ Host string }
			if status, body, err := get(d.URL); err == nil && status == http.StatusOK &&
				json.Unmarshal([]byte(body), &answer) == nil {
				served[answer.Host]++
			}
		}
		now = c.status(t, tutorialFolder)
		return len(served) == 3 && slices.Equal(now.Machines, d.Machines)
	})
}

// noImage asks EC2 whether an image of an application was made.
func (c *real) noImage(t *testing.T, app string) {
	t.Helper()
	found, err := c.api.EC2.DescribeImages(
		t.Context(),
		&ec2.DescribeImagesInput{
			Owners:  []string{"self"},
			Filters: []types.Filter{{Name: aws.String("tag:aloft:app"), Values: []string{app}}},
		},
	)
	if err != nil {
		t.Fatal(err)
	}
	if len(found.Images) != 0 {
		t.Errorf("baked: %s", aws.ToString(found.Images[0].ImageId))
	}
}

// ends stops a process that a test started and waits for it.
func ends(cmd *exec.Cmd) {
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
}
