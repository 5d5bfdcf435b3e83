//go:build linux && root

package access

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"aloft.dev/aloft/test/program"
)

// spec is an application that is reached as the argument says.
const spec = `app: quiet
start: node server.js
port: 8080
machines: {count: 2}
load_balancer: {port: 8080, deregistration_delay: 0s}
release: {watch: 1s, bake: 0s}
security: {access: %s}
`

// quiet is the application's folder on a local cloud.
type quiet struct {
	*program.LocalCloud
	dir string
}

// write writes the application's files.
func (q quiet) write(t *testing.T, access, greeting string) {
	t.Helper()
	program.Write(t, filepath.Join(q.dir, "aloft.yaml"), fmt.Sprintf(spec, access))
	program.Write(t, filepath.Join(q.dir, "server.js"), fmt.Sprintf(program.Greeter, greeting))
	program.Write(t, filepath.Join(q.dir, "package.json"), `{"name": "quiet", "engines": {"node": "22"}}`)
}

// keys returns the files of private keys in a home.
func keys(t *testing.T, home string) []string {
	t.Helper()
	var all []string
	if err := filepath.WalkDir(home, func(path string, entry os.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".pem") {
			all = append(all, path)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

// ssh runs a command on server-1 through aloft ssh.
func (q quiet) ssh(t *testing.T, command string) string {
	t.Helper()
	aloft := q.Command(t.Context(), "ssh", q.dir, "server-1")
	aloft.Args = append(aloft.Args, "--", command)
	out, err := aloft.CombinedOutput()
	if err != nil {
		t.Fatalf("aloft ssh: %v\n%s\n%s", err, out, q.Log())
	}
	return string(out)
}

// openToAddresses returns the rules of the application's groups that admit addresses to port
// 22.
func (q quiet) openToAddresses(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, rule := range call(t, q.API.EC2.DescribeSecurityGroupRules, &ec2.DescribeSecurityGroupRulesInput{}).
		SecurityGroupRules {
		covers := aws.ToString(rule.IpProtocol) == "-1" ||
			aws.ToInt32(rule.FromPort) <= 22 && aws.ToInt32(rule.ToPort) >= 22
		if covers && !aws.ToBool(rule.IsEgress) && rule.CidrIpv4 != nil {
			all = append(all, aws.ToString(rule.GroupId)+" from "+*rule.CidrIpv4)
		}
	}
	return all
}

// closed checks that no server accepts or refuses connections from this host.
func (q quiet) closed(t *testing.T) {
	t.Helper()
	for _, m := range q.Status(t, q.dir).Machines {
		conn, err := net.DialTimeout("tcp", net.JoinHostPort(m.PublicIP, "22"), time.Second)
		if err == nil {
			_ = conn.Close()
			t.Errorf("port 22 of %s is open to this host", m.Name)
		}
	}
	if open := q.openToAddresses(t); len(open) > 0 {
		t.Errorf("rules for port 22: %s", open)
	}
}

func TestRealApplicationNeedsNoOpenPortAndNoKey(t *testing.T) {
	q := quiet{program.Start(t), filepath.Join(t.TempDir(), "quiet")}
	q.write(t, "endpoint", "one")
	q.Must(t, "up", q.dir)
	q.closed(t)
	if found := keys(t, q.Home); len(found) > 0 {
		t.Errorf("private keys: %s", found)
	}
	if pairs := call(t, q.API.EC2.DescribeKeyPairs, &ec2.DescribeKeyPairsInput{}).KeyPairs; len(pairs) > 0 {
		t.Errorf("key pairs: %+v", pairs)
	}
	if got := q.ssh(t, "id -un; hostname -I"); !strings.HasPrefix(got, "admin\n10.0.1.") {
		t.Errorf("aloft ssh: %q", got)
	}
	t.Run("a colleague releases", func(t *testing.T) {
		colleague := q
		colleague.LocalCloud = &program.LocalCloud{Program: q.Program, API: q.API, Before: q.Before}
		colleague.Home = t.TempDir()
		colleague.write(t, "endpoint", "two")
		colleague.Must(t, "up", q.dir)
		if got := colleague.Must(t, "logs", q.dir); !strings.Contains(got, "Started") {
			t.Errorf("aloft logs: %s", got)
		}
		if found := keys(t, colleague.Home); len(found) > 0 {
			t.Errorf("private keys: %s", found)
		}
	})
	q.closed(t)
	q.Must(t, "down", q.dir, "--yes", "--images")
	q.NothingTagged(t, "quiet")
}
