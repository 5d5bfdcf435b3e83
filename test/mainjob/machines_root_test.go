//go:build linux && root

package mainjob

import (
	"bufio"
	"errors"
	"io"
	"net"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/test/program"
)

// dropped waits until a connection attempt gets no answer: it is neither accepted
// nor refused.
func dropped(t *testing.T, address string) {
	t.Helper()
	program.Eventually(t, program.Patience, address+" drops connections", func() bool {
		conn, err := net.DialTimeout("tcp", address, time.Second)
		if err == nil {
			_ = conn.Close()
			return false
		}
		var late net.Error
		return errors.As(err, &late) && late.Timeout() && !errors.Is(err, syscall.ECONNREFUSED)
	})
}

// sshFromHere returns a request that admits SSH from this host.
func (c *deployed) sshFromHere(address string) *ec2.AuthorizeSecurityGroupIngressInput {
	return &ec2.AuthorizeSecurityGroupIngressInput{GroupId: aws.String(address), IpPermissions: []types.IpPermission{{
		IpProtocol: aws.String("tcp"), FromPort: aws.Int32(22), ToPort: aws.Int32(22),
		IpRanges: []types.IpRange{{CidrIp: aws.String(program.HostAddress)}},
	}}}
}

// group returns the id of a machine's security group.
func (c *deployed) group(t *testing.T, instance string) string {
	t.Helper()
	found, err := c.API.EC2.DescribeInstances(t.Context(), &ec2.DescribeInstancesInput{InstanceIds: []string{instance}})
	if err != nil {
		t.Fatal(err)
	}
	return aws.ToString(found.Reservations[0].Instances[0].SecurityGroups[0].GroupId)
}

// letIn admits SSH from this host until the test ends or revoke is called.
func (c *deployed) letIn(t *testing.T, group string) (revoke func()) {
	t.Helper()
	rule := c.sshFromHere(group)
	if _, err := c.API.EC2.AuthorizeSecurityGroupIngress(t.Context(), rule); err != nil {
		t.Fatal(err)
	}
	return func() {
		t.Helper()
		if _, err := c.API.EC2.RevokeSecurityGroupIngress(t.Context(), &ec2.RevokeSecurityGroupIngressInput{
			GroupId: rule.GroupId, IpPermissions: rule.IpPermissions,
		}); err != nil {
			t.Fatal(err)
		}
	}
}

// machineID prints a machine's id.
const machineID = "cat /etc/machine-id"

// identities checks that no machine shares its identity with another, or with the image:
// server-1 has had a new machine-id since its image was made.
func (c *deployed) identities(t *testing.T) {
	d := c.Status(t, program.TutorialFolder)
	defer c.letIn(t, c.group(t, d.Machines[0].InstanceID))()
	seen := map[string]string{c.idBefore: "the image"}
	for _, m := range d.Machines {
		if got := c.OpenSSH(t, "tutorial", m.PublicIP, "cat "+builtBefore); got != "a promise" {
			t.Errorf("%s: %s holds %q", m.Name, builtBefore, got)
		}
		for _, identity := range []string{
			machineID, "cut -d' ' -f2 /etc/ssh/ssh_host_ed25519_key.pub", "hostname",
		} {
			value := c.OpenSSH(t, "tutorial", m.PublicIP, identity)
			if other, ok := seen[value]; ok || value == "" {
				t.Errorf("%s and %s share %q (%s)", m.Name, other, value, identity)
			}
			seen[value] = m.Name
		}
	}
}

// rules opens port 22 of server-1, keeps a session open, and closes the port again.
func (c *deployed) rules(t *testing.T) {
	m := c.Status(t, program.TutorialFolder).Machines[0]
	door := net.JoinHostPort(m.PublicIP, "22")
	dropped(t, door)
	dropped(t, net.JoinHostPort(m.PublicIP, "9999"))
	shut := c.letIn(t, c.group(t, m.InstanceID))
	session := exec.CommandContext(t.Context(), "ssh", c.OpenSSHArgs("tutorial", m.PublicIP, "cat")...)
	in, err := session.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := session.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := session.Start(); err != nil {
		t.Fatal(err)
	}
	defer ends(session)
	answers := bufio.NewReader(out)
	echo := func(word string) {
		t.Helper()
		if _, err := io.WriteString(in, word+"\n"); err != nil {
			t.Fatal(err)
		}
		if got, err := answers.ReadString('\n'); err != nil || strings.TrimSpace(got) != word {
			t.Fatalf("sent %s, got %q, %v", word, got, err)
		}
	}
	echo("before")
	shut()
	dropped(t, door)
	echo("after")
}
