//go:build linux && root

package client

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/test/program"
)

// checkRootReplacement asserts that a machine gets the root volume back that it was launched with: it has
// the same address, and makes host keys as a new machine does.
func (c natCloud) checkRootReplacement(id, address string) {
	c.t.Helper()
	ctx, api := c.t.Context(), c.API.EC2
	key := func() string {
		text, err := os.ReadFile(
			filepath.Join(c.layout.MachineRun(), id, "root", "etc", "ssh", "ssh_host_ed25519_key.pub"))
		if err != nil {
			return "" // the machine starts
		}
		return string(text)
	}
	before, beforeKey := c.instance(id), key()
	task := want[ec2.CreateReplaceRootVolumeTaskOutput](c.t)(
		api.CreateReplaceRootVolumeTask(ctx, &ec2.CreateReplaceRootVolumeTaskInput{
			InstanceId: &id, DeleteReplacedRootVolume: aws.Bool(true),
		})).ReplaceRootVolumeTask.ReplaceRootVolumeTaskId
	program.Eventually(c.t, program.Patience, "the root volume is replaced", func() bool {
		tasks := want[ec2.DescribeReplaceRootVolumeTasksOutput](c.t)(
			api.DescribeReplaceRootVolumeTasks(ctx, &ec2.DescribeReplaceRootVolumeTasksInput{
				ReplaceRootVolumeTaskIds: []string{*task},
			})).ReplaceRootVolumeTasks
		return tasks[0].TaskState == types.ReplaceRootVolumeTaskStateSucceeded
	})
	program.Eventually(c.t, program.Patience, "its machine answers SSH with another host key", func() bool {
		now := key()
		return now != "" && now != beforeKey && strings.HasPrefix(c.ask("/proc/self/ns/net", address), "SSH-")
	})
	after := c.instance(id)
	old := *before.BlockDeviceMappings[0].Ebs.VolumeId
	if after.State.Name != types.InstanceStateNameRunning || !after.LaunchTime.Equal(*before.LaunchTime) ||
		*after.NetworkInterfaces[0].Attachment.AttachmentId != *before.NetworkInterfaces[0].Attachment.AttachmentId ||
		*after.BlockDeviceMappings[0].Ebs.VolumeId == old {
		c.t.Errorf("the instance was %+v and is %+v", before, after)
	}
	if _, err := api.DescribeVolumes(ctx, &ec2.DescribeVolumesInput{VolumeIds: []string{old}}); err == nil {
		c.t.Error("the replaced volume still exists")
	}
}
