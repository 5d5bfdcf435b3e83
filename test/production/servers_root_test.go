//go:build linux && root

package production

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"aloft.dev/aloft/internal/drill"
	"aloft.dev/aloft/test/program"
)

// hostKeys checks that each server's key is in its tag, and that the console is not needed.
func (s *shop) hostKeys(t *testing.T) {
	for _, m := range s.stage(t, "production").Machines {
		out, err := s.API.EC2.DescribeTags(t.Context(), &ec2.DescribeTagsInput{Filters: []types.Filter{
			{Name: aws.String("resource-id"), Values: []string{m.InstanceID}},
			{Name: aws.String("key"), Values: []string{"aloft:host-key"}},
		}})
		if err != nil || len(out.Tags) != 1 || !strings.HasPrefix(*out.Tags[0].Value, "ssh-ed25519 ") {
			t.Errorf("%s: %+v, %v", m.Name, out, err)
		}
		console := filepath.Join(s.State, "machines", m.InstanceID, "console.log")
		if err := os.Truncate(console, 0); err != nil {
			t.Error(err)
		}
	}
	colleague := s.Program
	colleague.Home = t.TempDir()
	command := colleague.Command(t.Context(), "ssh", s.dir(), "server-2", "--stage", "production")
	command.Args = append(command.Args, "--", "hostname -I")
	out, err := command.CombinedOutput()
	if err != nil || !strings.HasPrefix(string(out), "10.0.5.") {
		t.Errorf("aloft ssh: %v\n%s", err, out)
	}
}

// drills types the drills of the page.
func (s *shop) drills(t *testing.T, commands []string) {
	if *everything {
		commands = append(commands, strings.Replace(commands[0], "drill app", "drill "+string(drill.Freeze), 1))
	}
	for _, command := range commands {
		_, rest, _ := strings.Cut(command, "drill ")
		experiment, _, _ := strings.Cut(rest, " ")
		if !t.Run(experiment, func(t *testing.T) { s.drill(t, drill.Experiment(experiment), command) }) {
			return
		}
	}
	t.Run("log of a server that is gone", s.gone)
}

// drill runs a drill that lasts hardly longer than its bound, and checks that it stays within
// the bound and restores what it changed.
func (s *shop) drill(t *testing.T, experiment drill.Experiment, command string) {
	before := last(s.stage(t, "production"))
	out, err := s.checkout.Type(t, command+" --rate 100 --calm 1s --duration 14s --json 2>story")
	story, readErr := os.ReadFile(filepath.Join(s.checkout.Dir, "story"))
	var result drill.Result
	if jsonErr := json.Unmarshal([]byte(out), &result); err != nil || readErr != nil || jsonErr != nil {
		t.Fatalf("%v, %v, %v\n%s\n%s\n%s", err, readErr, jsonErr, out, story, s.Log())
	}
	t.Logf("%d requests sent, %d failed, the last after %d ms of %d\n%s", result.Sent, result.Failed,
		result.ErrorWindow, result.Bound, story)
	if !result.InsideBound || result.OutOfRotation == nil || result.Recovered == nil {
		t.Errorf("%s", out)
	}
	if experiment == drill.Instance && result.Failed > 0 {
		t.Errorf("%d requests failed although the server shut down in order", result.Failed)
	}
	if len(result.Alerts) > 0 {
		t.Errorf("alerts went off: %v", result.Alerts)
	}
	after := last(s.stage(t, "production"))
	if replaced := after.InstanceID != before.InstanceID; replaced != experiment.Terminates() {
		t.Errorf("the last server was %+v, is %+v", before, after)
	}
	s.healthy(t)
	s.serves(t, "1.0.0", "hello")
}

// last returns the server that drills choose.
func last(s program.Status) program.Server { return s.Machines[len(s.Machines)-1] }

// gone checks that the log has lines of a server that does not exist any longer.
func (s *shop) gone(t *testing.T) {
	all, err := s.API.EC2.DescribeInstances(t.Context(), &ec2.DescribeInstancesInput{Filters: []types.Filter{
		{Name: aws.String("tag:aloft:app"), Values: []string{app}},
		{Name: aws.String("tag:aloft:address"), Values: []string{last(s.stage(t, "production")).Name}},
		{Name: aws.String("instance-state-name"), Values: []string{"terminated"}},
	}})
	if err != nil || len(all.Reservations) == 0 {
		t.Fatalf("%+v, %v", all, err)
	}
	id := *all.Reservations[len(all.Reservations)-1].Instances[0].InstanceId
	program.Eventually(t, program.Patience, "the log of "+id+" has its lines", func() bool {
		log := s.Must(t, "logs", s.dir(), "--stage", "production", "--server", id, "--lines", "0")
		return strings.Contains(log, "serves production")
	})
}

// removed checks that the first command is refused, and that nothing is left after the others.
func (s *shop) removed(t *testing.T, commands []string) {
	refused := s.types(t, commands[0])
	if !strings.Contains(refused, "--unprotect") {
		t.Errorf("aloft down is not refused:\n%s", refused)
	}
	s.serves(t, "1.0.0", "hello")
	account := slices.IndexFunc(commands, func(c string) bool { return strings.HasPrefix(c, "aws ") })
	s.prints(t, commands[1:account], "Nothing is left of shop-production", "Nothing is left of shop-staging")
	s.NothingTagged(t, app)
	s.NothingTagged(t, "shop-staging")
	for what, list := range map[string]func() (int, error){
		"certificates": func() (int, error) {
			out, err := s.API.ACM.ListCertificates(t.Context(), &acm.ListCertificatesInput{})
			return len(out.CertificateSummaryList), err
		},
		"log groups": func() (int, error) {
			out, err := s.API.Logs.DescribeLogGroups(t.Context(), &cloudwatchlogs.DescribeLogGroupsInput{})
			return len(out.LogGroups), err
		},
		"buckets": func() (int, error) {
			out, err := s.API.S3.ListBuckets(t.Context(), &s3.ListBucketsInput{})
			return len(out.Buckets), err
		},
		"alarms": func() (int, error) {
			out, err := s.API.CW.DescribeAlarms(t.Context(), &cloudwatch.DescribeAlarmsInput{})
			return len(out.MetricAlarms), err
		},
		"topics": func() (int, error) {
			out, err := s.API.SNS.ListTopics(t.Context(), &sns.ListTopicsInput{})
			return len(out.Topics), err
		},
		"roles": func() (int, error) {
			out, err := s.API.IAM.ListRoles(t.Context(), &iam.ListRolesInput{PathPrefix: aws.String("/")})
			own := slices.DeleteFunc(out.Roles, func(r iamtypes.Role) bool {
				return !strings.HasPrefix(*r.RoleName, "aloft-")
			})
			return len(own), err
		},
		"records besides the zone's own": func() (int, error) {
			out, err := s.API.DNS.ListHostedZones(t.Context(), &route53.ListHostedZonesInput{})
			return int(*out.HostedZones[0].ResourceRecordSetCount) - 2, err
		},
		"NAT gateways": func() (int, error) {
			out, err := s.API.EC2.DescribeNatGateways(t.Context(), &ec2.DescribeNatGatewaysInput{Filter: []types.Filter{
				{Name: aws.String("state"), Values: []string{"pending", "available", "deleting"}},
			}})
			return len(out.NatGateways), err
		},
		"addresses": func() (int, error) {
			out, err := s.API.EC2.DescribeAddresses(t.Context(), &ec2.DescribeAddressesInput{})
			return len(out.Addresses), err
		},
	} {
		if n, err := list(); err != nil || n != 0 {
			t.Errorf("%d %s are left, %v", n, what, err)
		}
	}
	s.types(t, commands[account:]...)
}
