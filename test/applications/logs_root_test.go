//go:build linux && root

package applications

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"aloft.dev/aloft/test/program"
)

// talkative writes the path of each request to its log.
const talkative = `const http = require('node:http');
const server = http.createServer((q, r) => {
  if (q.url !== '/') console.log('asked for ' + q.url);
  r.end('ok');
});
server.keepAliveTimeout = 65000;
server.listen(process.env.PORT, () => console.log('listening'));
`

// Lines stay when their server is gone, and those that were written while CloudWatch Logs
// did not answer arrive later, once. So do requests, in files of the application's bucket.
func TestRealLogsOutliveTheirServers(t *testing.T) {
	c := program.Start(t)
	dir := t.TempDir()
	spec := program.SmallSpec(
		"shop", "debian-12", "logs: {retention: 7d}\naccess_logs: {retention: 7d}", "node server.js",
	)
	program.Write(t, filepath.Join(dir, "aloft.yaml"), spec)
	program.Write(t, filepath.Join(dir, "package.json"), "{}")
	program.Write(t, filepath.Join(dir, "server.js"), talkative)
	c.Must(t, "up", dir)
	before := c.Status(t, dir)
	count := func(line string, flags ...string) int {
		return strings.Count(c.Must(t, append([]string{"logs", dir, "--lines", "0"}, flags...)...), line)
	}
	arrives := func(line string) {
		t.Helper()
		program.Eventually(t, program.Patience, line+" arrives", func() bool { return count(line) > 0 })
	}
	program.Fetch(t, before.URL+"/first")
	arrives("asked for /first")

	killDaemon(t, c)
	program.Fetch(t, before.URL+"/while-down") // the load balancer runs on
	c.Must(t, "local", "start", "--address", program.LocalAddress)
	arrives("asked for /while-down")

	gone := before.Machines[0].InstanceID
	_, err := c.API.EC2.TerminateInstances(t.Context(), &ec2.TerminateInstancesInput{InstanceIds: []string{gone}})
	if err != nil {
		t.Fatal(err)
	}
	c.Must(t, "up", dir)
	program.Fetch(t, c.Status(t, dir).URL+"/replaced")
	arrives("asked for /replaced")
	for _, line := range []string{"asked for /first", "asked for /while-down"} {
		if n := count(line, "--server", gone, "--process", "web", "--since", "1h"); n != 1 {
			t.Errorf("the log of the server that is gone has %q %d times", line, n)
		}
	}
	page := consolePage(t, c, dir, "resource?id="+gone+"&contains=first")
	if !strings.Contains(page, "<b>web</b> asked for /first") || strings.Contains(page, "/while-down") {
		t.Errorf("the console's page of the server that is gone: %s", page)
	}
	if n := count("asked for", "--grep", "/replaced"); n != 1 {
		t.Errorf("%d lines contain /replaced", n)
	}
	checkAccessLog(t, c, "aloft-shop-000000000000-us-east-1", "/first", "/while-down", "/replaced")
	c.Must(t, "down", dir, "--yes", "--images")
	c.NothingTagged(t, "shop")
	buckets, err := c.API.S3.ListBuckets(t.Context(), &s3.ListBucketsInput{})
	if err != nil || len(buckets.Buckets) > 0 {
		t.Errorf("after aloft down: %+v, %v", buckets, err)
	}
	if _, story, code := c.Run(t, "logs", dir); code == 0 || !strings.Contains(story, "has no log in CloudWatch Logs") {
		t.Errorf("after aloft down: exit %d\n%s", code, story)
	}
}

// consolePage returns a page of the console.
func consolePage(t *testing.T, c *program.LocalCloud, dir, name string) string {
	t.Helper()
	var link struct{ URL string }
	if err := json.Unmarshal([]byte(c.Must(t, "console", dir, "--read-only", "--json")), &link); err != nil {
		t.Fatal(err)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Jar: jar}
	defer client.CloseIdleConnections()
	base, _, _ := strings.Cut(link.URL, "open?")
	body := ""
	for _, url := range []string{link.URL, base + "us-east-1/" + name} {
		response, err := client.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(response.Body)
		if closeErr := response.Body.Close(); err != nil || closeErr != nil || response.StatusCode != http.StatusOK {
			t.Fatalf("%s answers %s, %v", url, response.Status, err)
		}
		body = string(data)
	}
	return body
}

// killDaemon kills the local cloud's daemon alone.
func killDaemon(t *testing.T, c *program.LocalCloud) {
	t.Helper()
	var daemon struct{ PID int }
	running := c.Must(t, "local", "start", "--address", program.LocalAddress, "--json")
	if err := json.Unmarshal([]byte(running), &daemon); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(daemon.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	program.Eventually(t, program.Patience, "the daemon is gone", func() bool {
		return syscall.Kill(daemon.PID, 0) != nil
	})
}
