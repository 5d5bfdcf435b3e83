//go:build linux && root

package failure

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/cloud/host"
	"aloft.dev/aloft/test/program"
)

// nobody is a user without rights (systemd, "Users, Groups, UIDs and GIDs on systemd
// systems").
const nobody = 65534

// asNobody returns a shell command that is not started yet.
func asNobody(ctx context.Context, script string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "/bin/bash", append([]string{"-c", script, "bash"}, args...)...)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	return cmd
}

func TestRealOtherUsersOfTheHost(t *testing.T) {
	c := program.Start(t)
	t.Run("read nothing", func(t *testing.T) { readNothing(t, c) })
	t.Run("do not serve in a load balancer's place", func(t *testing.T) { takeBalancersPort(t, c) })
}

// readNothing looks for files, sockets and variables that another user can use.
func readNothing(t *testing.T, c *program.LocalCloud) {
	layout, err := host.LayoutFor(c.State)
	if err != nil {
		t.Fatal(err)
	}
	for dir := filepath.Dir(c.State); dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil { // or nothing below is reached
			t.Fatal(err)
		}
	}
	control := filepath.Join(filepath.Dir(c.State), "control")
	if err := os.WriteFile(control, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	const find = `find "$@" \( -type f -readable -o ! -type l -writable -o -type d -readable \) -print`
	places := []string{control, layout.StateDir, layout.RunDir}
	found, err := asNobody(t.Context(), find+" 2>/dev/null; true", places...).Output()
	if got := strings.TrimSpace(string(found)); err != nil || got != control {
		t.Errorf("%v; another user can use these, and should only %s:\n%s", err, control, got)
	}
	processes := processesOf(t, c.Binary)
	const read = `for p; do head -c 1 "$p/environ" "$p/mem" "$p/maps" && echo "$p"; ls "$p/fd" && echo "$p"; done`
	out, err := asNobody(t.Context(), "{ "+read+"; } 2>/dev/null; true", processes...).Output()
	if err != nil || len(out) > 0 || len(processes) < 2 {
		t.Errorf("%v; another user can look into these of the processes %v:\n%s", err, processes, out)
	}
	sockets, err := os.ReadFile("/proc/net/unix")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(sockets)) { // an abstract socket has no mode
		if strings.Contains(line, "@") && strings.Contains(line, "aloft") {
			t.Errorf("an abstract socket: %s", line)
		}
	}
}

// processesOf returns the folders in /proc of a program's processes.
func processesOf(t *testing.T, binary string) (found []string) {
	t.Helper()
	all, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		t.Fatal(err)
	}
	for _, process := range all {
		if exe, err := os.Readlink(filepath.Join(process, "exe")); err == nil && exe == binary {
			found = append(found, process)
		}
	}
	return found
}

// takeBalancersPort listens as another user on the port of a load balancer.
func takeBalancersPort(t *testing.T, c *program.LocalCloud) {
	ctx, stop := context.WithCancel(t.Context())
	const port = 8088
	squatter := asNobody(ctx, fmt.Sprintf("exec python3 -m http.server --bind 127.0.0.1 %d", port))
	if err := squatter.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { stop(); _ = squatter.Wait() }()
	err := awsapi.Wait(ctx, program.Patience, "the port to be taken", func(context.Context) (bool, error) {
		conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			_ = conn.Close()
		}
		return err == nil, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	arn := balancerOn(t, c.API, port)
	want := fmt.Sprintf("(pid %d, user %d) listens there", squatter.Process.Pid, nobody)
	reason := ""
	err = awsapi.Wait(ctx, time.Minute, "the load balancer to report it", func(ctx context.Context) (bool, error) {
		in := &elb.DescribeLoadBalancersInput{LoadBalancerArns: []string{arn}}
		out, err := c.API.ELB.DescribeLoadBalancers(ctx, in)
		if err == nil {
			reason = aws.ToString(out.LoadBalancers[0].State.Reason)
		}
		return strings.Contains(reason, want), err
	})
	if err != nil {
		t.Errorf("%v: got %q, want %q", err, reason, want)
	}
}

// balancerOn creates a load balancer in the default VPC with a listener on a port.
func balancerOn(t *testing.T, api *awsapi.Client, port int32) (arn string) {
	t.Helper()
	found, err := api.EC2.DescribeSubnets(t.Context(), &ec2.DescribeSubnetsInput{
		Filters: []types.Filter{{Name: aws.String("default-for-az"), Values: []string{"true"}}},
	})
	if err != nil || len(found.Subnets) < 2 {
		t.Fatalf("%d default subnets, %v", len(found.Subnets), err)
	}
	subnets := []string{*found.Subnets[0].SubnetId, *found.Subnets[1].SubnetId}
	made, err := api.ELB.CreateLoadBalancer(t.Context(), &elb.CreateLoadBalancerInput{
		Name: aws.String("squatted"), Subnets: subnets,
	})
	if err != nil {
		t.Fatal(err)
	}
	arn = *made.LoadBalancers[0].LoadBalancerArn
	_, err = api.ELB.CreateListener(t.Context(), &elb.CreateListenerInput{
		LoadBalancerArn: &arn, Port: &port, Protocol: elbtypes.ProtocolEnumHttp,
		DefaultActions: []elbtypes.Action{{
			Type:                elbtypes.ActionTypeEnumFixedResponse,
			FixedResponseConfig: &elbtypes.FixedResponseActionConfig{StatusCode: aws.String("200")},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return arn
}
