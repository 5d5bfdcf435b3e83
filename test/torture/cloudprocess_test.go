//go:build linux

package torture

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"aloft.dev/aloft/internal/cloud/wire/wiretest"
	"aloft.dev/aloft/test/simulation"
)

// databaseVariable names the database of a process that TestCloudProcess turns into a
// local cloud.
const databaseVariable = "ALOFT_TORTURE_DATABASE"

const servingPrefix = "serving "

// TestCloudProcess is the local cloud that the other tests kill: real APIs and loops over
// simulated planes. It does nothing unless such a test starts it.
func TestCloudProcess(t *testing.T) {
	path := os.Getenv(databaseVariable)
	if path == "" {
		return
	}
	fmt.Println(servingPrefix + simulation.Open(t, path).Serve(t))
	_, _ = io.Copy(io.Discard, os.Stdin) // until the test that started it ends
}

// process is a local cloud that can be killed.
type process struct {
	cmd    *exec.Cmd
	folder string // of its temporary files, which it cannot remove when it is killed
	api    api
}

// api calls a local cloud without retries.
type api struct {
	ec2     *ec2.Client
	elb     *elb.Client
	scaling *autoscaling.Client
	ssm     *ssm.Client

	vpc     string // the default one
	subnets []string
	image   string
}

// startCloud starts a local cloud with a database. It returns nil if it dies meanwhile.
func startCloud(t *testing.T, database string) *process {
	t.Helper()
	p := &process{
		cmd:    exec.Command(os.Args[0], "-test.run=^TestCloudProcess$", "-test.timeout=0"),
		folder: scratch(t),
	}
	cmd := p.cmd
	cmd.Env = append(os.Environ(), databaseVariable+"="+database, "TMPDIR="+p.folder)
	if _, err := cmd.StdinPipe(); err != nil { // it ends with this process
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if url, ok := strings.CutPrefix(lines.Text(), servingPrefix); ok {
			config := wiretest.Client(t, simulation.Region, url)
			p.api = api{
				ec2: ec2.NewFromConfig(config), elb: elb.NewFromConfig(config),
				scaling: autoscaling.NewFromConfig(config), ssm: ssm.NewFromConfig(config),
			}
			return p
		}
		t.Log(lines.Text())
	}
	p.kill(t)
	return nil
}

// kill kills the process, waits for its end and removes its temporary files.
func (p *process) kill(t *testing.T) {
	t.Helper()
	if err := p.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Fatal(err)
	}
	_ = p.cmd.Wait() // reports the kill
	remove(t, p.folder)
}

// prepare finds what the calls refer to, and creates the launch template.
func (a *api) prepare(ctx context.Context) error {
	subnets, err := a.ec2.DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{
		Filters: []types.Filter{{Name: aws.String("default-for-az"), Values: []string{"true"}}},
	})
	if err != nil {
		return err
	}
	for _, s := range subnets.Subnets {
		a.vpc, a.subnets = *s.VpcId, append(a.subnets, *s.SubnetId)
	}
	images, err := a.ec2.DescribeImages(ctx, &ec2.DescribeImagesInput{
		Filters: []types.Filter{{Name: aws.String("name"), Values: []string{"debian-12-*"}}},
	})
	if err != nil {
		return err
	}
	a.image = *images.Images[0].ImageId
	_, err = a.ec2.CreateLaunchTemplate(ctx, &ec2.CreateLaunchTemplateInput{
		LaunchTemplateName: aws.String(templateName),
		LaunchTemplateData: &types.RequestLaunchTemplateData{
			ImageId: &a.image, InstanceType: types.InstanceTypeT3Micro,
		},
	})
	if refused(err) { // it exists
		return nil
	}
	return err
}

const templateName = "torture"
