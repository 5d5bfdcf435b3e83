//go:build linux && root

package reachability

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/reachability"
	"aloft.dev/aloft/test/program"
)

// server answers on one port everywhere, and on another on loopback alone. Perl is in the
// base image.
const server = `use strict; use IO::Socket::INET; $SIG{CHLD} = 'IGNORE'; $SIG{PIPE} = 'IGNORE';
my $own = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => 9000, Listen => 8) or die $!;
my $l = IO::Socket::INET->new(LocalPort => $ENV{PORT}, Listen => 512, ReuseAddr => 1) or die $!;
while (my $c = $l->accept) {
  next if fork;
  while (my $line = <$c>) { last if $line eq "\r\n"; }
  print $c "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"; $c->flush;
  exit;
}
`

// realSite is an application on real machines.
type realSite struct {
	*program.LocalCloud
	dir string
}

// why runs aloft why and returns its answer and its exit code.
func (s *realSite) why(t *testing.T, from, to string) (*reachability.Answer, int) {
	t.Helper()
	out, problems, code := s.Run(t, "why", from, to, s.dir, "--json")
	var a reachability.Answer
	if err := json.Unmarshal([]byte(out), &a); err != nil {
		t.Fatalf("why %s %s: %v\n%s%s", from, to, err, out, problems)
	}
	return &a, code
}

// blocked asserts that a connection is blocked by a hop, and that the kernel agrees.
func (s *realSite) blocked(
	t *testing.T, from, to string, by reachability.Kind, outcome reachability.Outcome,
) *reachability.Answer {
	t.Helper()
	a, code := s.why(t, from, to)
	p := a.Stages[0].Paths[0]
	if code != 3 || a.Decided == nil || a.Decided.Kind != by || p.Probe == nil || p.Probe.Outcome != outcome {
		t.Errorf("why %s %s: exit code %d, decided by %+v, probe %+v, want %s and %s",
			from, to, code, a.Decided, p.Probe, by, outcome)
	}
	return a
}

// dropped asserts that the kernel counted what the deciding hop dropped.
func dropped(t *testing.T, a *reachability.Answer) {
	t.Helper()
	if d := a.Decided; d == nil || d.Dropped == nil || d.Dropped.After <= d.Dropped.Before {
		t.Errorf("dropped at %+v, want more packets after the probe", a.Decided)
	}
}

// repair runs the remedies that an answer names, as a person would.
func (s *realSite) repair(t *testing.T, a *reachability.Answer) {
	t.Helper()
	environment := s.Must(t, "local", "env")
	for _, fix := range a.Fixes {
		cmd := exec.CommandContext(t.Context(), "bash", "-c", `eval "$1"; eval "$2"`, "bash", environment, fix)
		cmd.Env = append(os.Environ(), "AWS_PAGER=", "AWS_REGION=us-east-1")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", fix, err, out)
		}
	}
}

// reached asserts that a connection is possible, soon.
func (s *realSite) reached(t *testing.T, from, to string) {
	t.Helper()
	program.Eventually(t, program.Patience, from+" reaches "+to, func() bool {
		a, code := s.why(t, from, to)
		// One path suffices: an application may start to listen between the probes of two nodes.
		return code == 0 && slices.ContainsFunc(a.Stages[0].Paths, func(p reachability.Path) bool {
			return p.Probe != nil && p.Probe.Outcome == reachability.Connected
		})
	})
}

// TestRealWhy breaks connections between real machines in five ways. Each time aloft why names
// what decides, the kernel agrees, and the remedy that it names works.
func TestRealWhy(t *testing.T) {
	s := &realSite{program.Start(t), t.TempDir()}
	program.Write(t, filepath.Join(s.dir, "server.pl"), server)
	program.Write(t, filepath.Join(s.dir, "aloft.yaml"), program.SmallSpec("shop", "debian-12", "", "perl server.pl"))
	s.Must(t, "up", s.dir)
	s.reached(t, "here", "balancer:8080")
	s.reached(t, "internet", "balancer:8080")
	s.reached(t, "balancer", "server-1:8080")
	id := s.Status(t, s.dir).Machines[0].InstanceID
	all := describe(t, s, id)
	group := aws.ToString(all.SecurityGroups[0].GroupId)

	t.Run("security group", func(t *testing.T) {
		a := s.blocked(t, "internet", "server-1:8080", reachability.GroupIn, reachability.TimedOut)
		if a.Decided.ID != group {
			t.Errorf("decided by %s, want %s", a.Decided.ID, group)
		}
		dropped(t, a)
		text, _, _ := s.Run(t, "why", "internet", "server-1:8080", s.dir)
		t.Logf("%s", text)
		for _, words := range []string{
			"cannot be reached, because of group, in " + group, "before the probe,", "This would allow it:\n  aws ec2 ",
			"a connection from there: timed out",
		} {
			if !strings.Contains(text, words) {
				t.Errorf("the text lacks %q", words)
			}
		}
		s.repair(t, a)
		s.reached(t, "internet", "server-1:8080")
	})
	t.Run("wrong port, and application on loopback", func(t *testing.T) {
		if _, err := s.API.EC2.AuthorizeSecurityGroupIngress(t.Context(), &ec2.AuthorizeSecurityGroupIngressInput{
			GroupId: &group, IpProtocol: aws.String("tcp"), FromPort: aws.Int32(9000), ToPort: aws.Int32(9001),
			CidrIp: aws.String("0.0.0.0/0"),
		}); err != nil {
			t.Fatal(err)
		}
		program.Eventually(t, program.Patience, "the rule is in force", func() bool {
			a, _ := s.why(t, "internet", "server-1:9001")
			return a.Stages[0].Paths[0].Probe.Outcome == reachability.Refused
		})
		wrong := s.blocked(t, "internet", "server-1:9001", reachability.Socket, reachability.Refused)
		if !strings.Contains(wrong.Decided.Reason, "8080") {
			t.Errorf("%q does not name the port that the machine listens on", wrong.Decided.Reason)
		}
		own := s.blocked(t, "internet", "server-1:9000", reachability.Socket, reachability.Refused)
		if own.Decided.Rule != "127.0.0.1:9000" {
			t.Errorf("decided by %+v, want the socket on loopback", own.Decided)
		}
	})
	t.Run("network ACL", func(t *testing.T) {
		acls, err := s.API.EC2.DescribeNetworkAcls(t.Context(), &ec2.DescribeNetworkAclsInput{
			Filters: []types.Filter{{Name: aws.String("vpc-id"), Values: []string{aws.ToString(all.VpcId)}}},
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.API.EC2.CreateNetworkAclEntry(t.Context(), &ec2.CreateNetworkAclEntryInput{
			NetworkAclId: acls.NetworkAcls[0].NetworkAclId, RuleNumber: aws.Int32(7), Egress: aws.Bool(false),
			Protocol: aws.String("6"), PortRange: &types.PortRange{From: aws.Int32(8080), To: aws.Int32(8080)},
			CidrBlock: aws.String("0.0.0.0/0"), RuleAction: types.RuleActionDeny,
		}); err != nil {
			t.Fatal(err)
		}
		program.Eventually(t, program.Patience, "the entry is in force", func() bool {
			a, _ := s.why(t, "internet", "server-1:8080")
			return a.Stages[0].Paths[0].Probe.Outcome == reachability.TimedOut
		})
		a := s.blocked(t, "internet", "server-1:8080", reachability.ACLIn, reachability.TimedOut)
		if a.Decided.Rule != "7" {
			t.Errorf("decided by %+v, want entry 7", a.Decided)
		}
		dropped(t, a)
		s.repair(t, a)
		s.reached(t, "internet", "server-1:8080")
	})
	t.Run("stopped machine", func(t *testing.T) {
		stop := &ec2.StopInstancesInput{InstanceIds: []string{id}}
		if _, err := s.API.EC2.StopInstances(t.Context(), stop); err != nil {
			t.Fatal(err)
		}
		program.Eventually(t, program.Patience, id+" is stopped", func() bool {
			return describe(t, s, id).State.Name == types.InstanceStateNameStopped
		})
		a, code := s.why(t, "balancer", "server-1:8080")
		if code != 3 || a.Decided == nil || a.Decided.Kind != reachability.Machine || a.Decided.ID != id {
			t.Errorf("exit code %d, decided by %+v, want the machine", code, a.Decided)
		}
		s.repair(t, a)
		s.reached(t, "balancer", "server-1:8080")
	})
	text := s.Must(t, "why", "here", "balancer:8080", s.dir)
	if !strings.Contains(text, "can be reached") || !strings.Contains(text, "a connection from there: connected") {
		t.Errorf("why prints:\n%s", text)
	}
}

func describe(t *testing.T, s *realSite, id string) types.Instance {
	t.Helper()
	out, err := s.API.EC2.DescribeInstances(t.Context(), &ec2.DescribeInstancesInput{InstanceIds: []string{id}})
	if err != nil {
		t.Fatal(err)
	}
	return out.Reservations[0].Instances[0]
}
