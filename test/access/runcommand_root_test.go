//go:build linux && root

package access

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"aloft.dev/aloft/test/program"
)

// fleet is a local cloud whose machines have no way in or out, and may have a role.
type fleet struct {
	*program.LocalCloud
	t             *testing.T
	image, subnet string
	environment   []string
}

func newFleet(t *testing.T) *fleet {
	f := &fleet{LocalCloud: program.Start(t), t: t}
	api := f.API.EC2
	vpc := *call(t, api.CreateVpc, &ec2.CreateVpcInput{CidrBlock: aws.String("10.8.0.0/16")}).Vpc.VpcId
	f.subnet = *call(t, api.CreateSubnet, &ec2.CreateSubnetInput{
		VpcId: &vpc, CidrBlock: aws.String("10.8.1.0/24"),
	}).Subnet.SubnetId
	f.image = *call(t, api.DescribeImages, &ec2.DescribeImagesInput{
		Filters: []types.Filter{{Name: aws.String("name"), Values: []string{"debian-12-*"}}},
	}).Images[0].ImageId
	var variables map[string]string
	if err := json.Unmarshal([]byte(f.Must(t, "local", "env", "--json")), &variables); err != nil {
		t.Fatal(err)
	}
	f.environment = append(os.Environ(), "AWS_PAGER=")
	for name, value := range variables {
		f.environment = append(f.environment, name+"="+value)
	}
	return f
}

// profile makes an instance profile with a role that has a policy of AWS.
func (f *fleet) profile(name, policy string) {
	f.t.Helper()
	ctx, api := f.t.Context(), f.API.IAM
	trust := `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
		"Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]}`
	role := &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: &trust}
	if _, err := api.CreateRole(ctx, role); err != nil {
		f.t.Fatal(err)
	}
	arn := "arn:aws:iam::aws:policy/" + policy
	if _, err := api.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: &name, PolicyArn: &arn}); err != nil {
		f.t.Fatal(err)
	}
	in := &iam.CreateInstanceProfileInput{InstanceProfileName: &name}
	if _, err := api.CreateInstanceProfile(ctx, in); err != nil {
		f.t.Fatal(err)
	}
	add := &iam.AddRoleToInstanceProfileInput{InstanceProfileName: &name, RoleName: &name}
	if _, err := api.AddRoleToInstanceProfile(ctx, add); err != nil {
		f.t.Fatal(err)
	}
}

// launch launches a machine, with an instance profile unless its name is empty.
func (f *fleet) launch(profile string) string {
	f.t.Helper()
	in := &ec2.RunInstancesInput{
		ImageId: &f.image, InstanceType: types.InstanceTypeT3Micro, SubnetId: &f.subnet,
		MinCount: aws.Int32(1), MaxCount: aws.Int32(1),
	}
	if profile != "" {
		in.IamInstanceProfile = &types.IamInstanceProfileSpecification{Name: &profile}
	}
	return *call(f.t, f.API.EC2.RunInstances, in).Instances[0].InstanceId
}

// shell runs a script with the AWS CLI for an instance, and returns its output.
func (f *fleet) shell(instance, script string) (output string, err error) {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(f.t.Context(), program.Patience)
	defer cancel()
	// Versions of the CLI before 2.13 do not read AWS_ENDPOINT_URL.
	cmd := exec.CommandContext(ctx, "bash", "-euc", `aws() { command aws --endpoint-url "$AWS_ENDPOINT_URL" "$@"; }
`+script)
	cmd.Env = append(f.environment, "INSTANCE="+instance)
	var out, problem bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problem
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("%w: %s", err, problem.String())
	}
	return strings.TrimSpace(out.String()), nil
}

func (f *fleet) must(instance, script string) string {
	f.t.Helper()
	out, err := f.shell(instance, script)
	if err != nil {
		f.t.Fatalf("%s: %v\n%s", script, err, f.Log())
	}
	return out
}

// send sends commands to an instance, and returns the id of the command.
func (f *fleet) send(instance string, commands ...string) string {
	f.t.Helper()
	out, err := f.API.SSM.SendCommand(f.t.Context(), &ssm.SendCommandInput{
		DocumentName: aws.String("AWS-RunShellScript"), InstanceIds: []string{instance},
		Parameters: map[string][]string{"commands": commands},
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return *out.Command.CommandId
}

// output waits until a command has succeeded, and returns its output. The CLI waits five seconds
// before it asks again.
func (f *fleet) output(instance, command string) string {
	f.t.Helper()
	in, printed := &ssm.GetCommandInvocationInput{CommandId: &command, InstanceId: &instance}, ""
	program.Eventually(f.t, program.Patience, "the command ends", func() bool {
		out, err := f.API.SSM.GetCommandInvocation(f.t.Context(), in)
		if err != nil {
			f.t.Fatal(err)
		}
		printed = strings.TrimSpace(aws.ToString(out.StandardOutputContent))
		switch out.Status {
		case ssmtypes.CommandInvocationStatusPending, ssmtypes.CommandInvocationStatusInProgress:
			return false
		case ssmtypes.CommandInvocationStatusSuccess:
			return true
		}
		f.t.Fatalf("the command is %s: %s\n%s", out.Status, aws.ToString(out.StandardErrorContent), f.Log())
		return false
	})
	return printed
}

// managed lists the ids of machines whose agents are online.
func (f *fleet) managed() string {
	f.t.Helper()
	return f.must("", `aws ssm describe-instance-information --filters Key=PingStatus,Values=Online \
		--query 'InstanceInformationList[].InstanceId' --output text`)
}

// documented returns the script in docs/access.md, with other commands.
func documented(t *testing.T, commands string) string {
	t.Helper()
	page, err := os.ReadFile("../../docs/access.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(page), "## Run Command in the local cloud")
	_, script, _ := strings.Cut(section, "```sh\n")
	script, _, ok := strings.Cut(script, "```")
	if example := `commands=["id -un","df -h /"]`; ok && strings.Contains(script, example) {
		return strings.Replace(script, example, "commands="+commands, 1)
	}
	t.Fatal("docs/access.md does not show how to run a command")
	return ""
}

func TestRealMachinesRunTheCommandsOfTheCLI(t *testing.T) {
	f := newFleet(t)
	f.profile("managed", "AmazonSSMManagedInstanceCore")
	f.profile("other", "AmazonS3ReadOnlyAccess")
	managed, without, other := f.launch("managed"), f.launch(""), f.launch("other")
	program.Eventually(t, program.Patience, "the agent reports", func() bool { return f.managed() != "" })
	for _, id := range []string{without, other} {
		program.Eventually(t, program.Patience, id+" runs", func() bool {
			in := &ec2.DescribeInstancesInput{InstanceIds: []string{id}}
			state := call(t, f.API.EC2.DescribeInstances, in).Reservations[0].Instances[0].State
			return state.Name == types.InstanceStateNameRunning
		})
	}
	got := f.must(managed, documented(t, `["id -un","hostname -I","cat /proc/1/comm","echo $AWS_SSM_INSTANCE_ID"]`))
	if !strings.HasPrefix(got, "root\n10.8.1.") || !strings.HasSuffix(got, "systemd\n"+managed) {
		t.Errorf("the command printed %q", got)
	}
	t.Run("a machine without a role that allows it is not managed", func(t *testing.T) {
		if got := f.managed(); got != managed {
			t.Errorf("managed are %s, want %s", got, managed)
		}
		for _, id := range []string{without, other} {
			_, err := f.shell(id, documented(t, `["true"]`))
			if err == nil || !strings.Contains(err.Error(), "Instances [["+id+"]] not in a valid state") {
				t.Errorf("got %v", err)
			}
		}
	})
	t.Run("a failure", func(t *testing.T) {
		script := `id=$(aws ssm send-command --targets "Key=InstanceIds,Values=$INSTANCE" \
			--document-name AWS-RunShellScript --parameters 'commands=["echo no >&2","exit 3"]' \
			--query Command.CommandId --output text)
		aws ssm wait command-executed --command-id "$id" --instance-id "$INSTANCE" || true
		aws ssm get-command-invocation --command-id "$id" --instance-id "$INSTANCE" --output text \
			--query '[Status,ResponseCode,StandardErrorContent]'`
		if got := f.must(managed, script); got != "Failed\t3\tno\nfailed to run commands: exit status 3" {
			t.Errorf("got %q", got)
		}
	})
	t.Run("a document of one's own", func(t *testing.T) {
		script := `aws ssm create-document --name Greet --content '{"schemaVersion": "2.2",
			"parameters": {"who": {"type": "String"}}, "mainSteps": [{"action": "aws:runShellScript", "name": "greet",
			"inputs": {"runCommand": ["echo hello {{ who }}", "pwd"], "workingDirectory": "/tmp"}}]}' >/dev/null
		aws ssm send-command --instance-ids "$INSTANCE" --document-name Greet --parameters who=ada \
			--query Command.CommandId --output text`
		if got := f.output(managed, f.must(managed, script)); got != "hello ada\n/tmp" {
			t.Errorf("got %q", got)
		}
	})
	t.Run("a restart of the local cloud", func(t *testing.T) {
		id := f.send(managed, "echo x >>/root/ran", "sleep 5", "cat /root/ran")
		f.Must(t, "local", "restart")
		if got := f.output(managed, id); got != "x" {
			t.Errorf("got %q", got)
		}
	})
	t.Run("an interface endpoint", func(t *testing.T) { f.testInterfaceEndpoint(t, managed) })
	t.Run("a restart of the machine", func(t *testing.T) {
		got := f.output(managed, f.send(managed, "test -e /root/again && cat /root/again && exit",
			"cat /proc/sys/kernel/random/boot_id >/dev/null", "echo again >/root/again", "exit 194"))
		if got != "again" {
			t.Errorf("got %q", got)
		}
	})
}
