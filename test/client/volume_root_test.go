//go:build linux && root

package client

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/host"
	"aloft.dev/aloft/test/program"
)

// firstInNamespace matches the status of a process that is the first of its namespace (proc(5),
// /proc/pid/status).
var firstInNamespace = regexp.MustCompile(`(?m)^NSpid:.*\t1$`)

// try runs a shell command as a service of a machine and returns its output without surrounding white
// space.
func (c natCloud) try(id, command string) (string, error) {
	namespace, err := os.Stat(c.namespace(id))
	if err != nil {
		return "", err
	}
	processes, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return "", err
	}
	for _, process := range processes {
		own, err := os.Stat(process + "/ns/net")
		status, _ := os.ReadFile(process + "/status")
		if err != nil || !os.SameFile(own, namespace) || !firstInNamespace.Match(status) {
			continue // another network, or not the first process of its own
		}
		out, err := exec.CommandContext(c.t.Context(), "nsenter", "--target", filepath.Base(process), "--user", "--pid",
			"--mount", "--uts", "--ipc", "--net", "--cgroup", "--setuid=0", "--setgid=0", "--wdns=/", "--",
			"systemd-run", "--wait", "--pipe", "--quiet", "sh", "-c", command).CombinedOutput()
		return strings.TrimSpace(string(out)), err
	}
	return "", errors.New("it has no first process")
}

// inside runs a shell command that must succeed as a service of a machine.
func (c natCloud) inside(id, command string) string {
	c.t.Helper()
	out, err := c.try(id, command)
	if err != nil {
		c.t.Fatalf("%s in %s: %v\n%s", command, id, err, out)
	}
	return out
}

// awaitFile waits until the file that startOnVolume wrote is there.
func (c natCloud) awaitFile(id string) {
	c.t.Helper()
	program.Eventually(c.t, program.Patience, id+" has mounted the volume", func() bool {
		out, err := c.try(id, "cat /data/file")
		return err == nil && out == "kept"
	})
}

// launchWithVolumes makes an image of an instance, registers another one of its snapshots with one more
// volume, and launches a machine of that, which has copies of the volumes and an empty one.
func (c natCloud) launchWithVolumes(instance string) {
	c.t.Helper()
	ctx, api := c.t.Context(), c.API.EC2
	image := want[ec2.CreateImageOutput](c.t)(api.CreateImage(ctx, &ec2.CreateImageInput{
		InstanceId: &instance, Name: aws.String("with-volumes"), NoReboot: aws.Bool(true),
	})).ImageId
	var made types.Image
	program.Eventually(c.t, program.Patience, "the image is available", func() bool {
		in := &ec2.DescribeImagesInput{ImageIds: []string{*image}}
		made = want[ec2.DescribeImagesOutput](c.t)(api.DescribeImages(ctx, in)).Images[0]
		return made.State == types.ImageStateAvailable
	})
	for _, m := range made.BlockDeviceMappings {
		m.Ebs.Encrypted = nil
	}
	registered := want[ec2.RegisterImageOutput](c.t)(api.RegisterImage(ctx, &ec2.RegisterImageInput{
		Name: aws.String("registered"), Architecture: made.Architecture, RootDeviceName: made.RootDeviceName,
		VirtualizationType: aws.String("hvm"), EnaSupport: aws.Bool(true), ImdsSupport: types.ImdsSupportValuesV20,
		BlockDeviceMappings: append(made.BlockDeviceMappings, types.BlockDeviceMapping{
			DeviceName: aws.String("/dev/sdh"), Ebs: &types.EbsBlockDevice{VolumeSize: aws.Int32(3)},
		}),
	})).ImageId
	run := want[ec2.RunInstancesOutput](c.t)(api.RunInstances(ctx, &ec2.RunInstancesInput{
		ImageId: registered, InstanceType: types.InstanceTypeT3Micro, MinCount: aws.Int32(1), MaxCount: aws.Int32(1),
		BlockDeviceMappings: []types.BlockDeviceMapping{{
			DeviceName: aws.String("/dev/sdf"), Ebs: &types.EbsBlockDevice{DeleteOnTermination: aws.Bool(true)},
		}, {
			DeviceName: aws.String("/dev/sdg"), Ebs: &types.EbsBlockDevice{DeleteOnTermination: aws.Bool(true)},
		}},
	}))
	id := *run.Instances[0].InstanceId
	program.Eventually(c.t, program.Patience, "a machine of the image runs", func() bool {
		return c.instance(id).State.Name == types.InstanceStateNameRunning
	})
	c.awaitFile(id)
	if out, err := c.try(id, "for d in /dev/nvme?n1; do blockdev --getsize64 $d; done"); err != nil ||
		!strings.Contains(out, strconv.Itoa(3<<30)) {
		c.t.Errorf("the machine has devices of the sizes %q: %v", out, err)
	}
	const ask = "curl -s -o /dev/null -w '%{http_code}' http://169.254.169.254/latest/meta-data/instance-id"
	if out := c.inside(id, ask); out != "401" {
		c.t.Errorf("the metadata service answers a request without a token with %q", out)
	}
	want[ec2.DeregisterImageOutput](c.t)(
		api.DeregisterImage(ctx, &ec2.DeregisterImageInput{ImageId: registered}))
	want[ec2.TerminateInstancesOutput](c.t)(
		api.TerminateInstances(ctx, &ec2.TerminateInstancesInput{InstanceIds: []string{id}}))
	want[ec2.DeregisterImageOutput](c.t)(api.DeregisterImage(ctx, &ec2.DeregisterImageInput{
		ImageId: image, DeleteAssociatedSnapshots: aws.Bool(true),
	}))
}

func (c natCloud) volume(id string) types.Volume {
	c.t.Helper()
	in := &ec2.DescribeVolumesInput{VolumeIds: []string{id}}
	return want[ec2.DescribeVolumesOutput](c.t)(c.API.EC2.DescribeVolumes(c.t.Context(), in)).Volumes[0]
}

func (c natCloud) awaitVolume(id string, state types.VolumeState) {
	c.t.Helper()
	program.Eventually(c.t, program.Patience, id+" is "+string(state), func() bool {
		return c.volume(id).State == state
	})
}

func (c natCloud) awaitSnapshot(id string) {
	c.t.Helper()
	program.Eventually(c.t, program.Patience, id+" is complete", func() bool {
		in := &ec2.DescribeSnapshotsInput{SnapshotIds: []string{id}}
		out := want[ec2.DescribeSnapshotsOutput](c.t)(c.API.EC2.DescribeSnapshots(c.t.Context(), in))
		return out.Snapshots[0].State == types.SnapshotStateCompleted
	})
}

// createVolume creates a volume in the zone of an instance, of a snapshot unless that is nil.
func (c natCloud) createVolume(instance string, gib int32, snapshot *string) string {
	c.t.Helper()
	id := *want[ec2.CreateVolumeOutput](c.t)(c.API.EC2.CreateVolume(c.t.Context(), &ec2.CreateVolumeInput{
		AvailabilityZone: c.instance(instance).Placement.AvailabilityZone, Size: &gib, SnapshotId: snapshot,
		VolumeType: types.VolumeTypeGp3,
	})).VolumeId
	c.awaitVolume(id, types.VolumeStateAvailable)
	return id
}

func (c natCloud) attachVolume(id, instance, device string) {
	c.t.Helper()
	want[ec2.AttachVolumeOutput](c.t)(c.API.EC2.AttachVolume(c.t.Context(), &ec2.AttachVolumeInput{
		VolumeId: &id, InstanceId: &instance, Device: &device,
	}))
	program.Eventually(c.t, program.Patience, id+" is attached", func() bool {
		return c.volume(id).Attachments[0].State == types.VolumeAttachmentStateAttached
	})
}

// startOnVolume puts a file on a volume of an instance, mounted at each boot, and kills the daemon.
func (c natCloud) startOnVolume(instance string) (volume string) {
	c.t.Helper()
	volume = c.createVolume(instance, 1, nil)
	c.attachVolume(volume, instance, "/dev/sdf")
	c.inside(instance, "mkfs.ext4 -q /dev/sdf && mkdir /data && "+
		"echo '/dev/sdf /data ext4 defaults,nofail 0 2' >>/etc/fstab && mount /data && echo kept >/data/file")
	daemon, err := host.FindDaemon(c.t.Context(), c.layout)
	if err != nil {
		c.t.Fatal(err)
	}
	if err := syscall.Kill(daemon.PID, syscall.SIGKILL); err != nil {
		c.t.Fatal(err)
	}
	c.Must(c.t, "local", "start", "--address", program.LocalAddress)
	if got := c.inside(instance, "cat /data/file"); got != "kept" {
		c.t.Errorf("after a new daemon, the file has %q", got)
	}
	return volume
}

// continueOnVolume follows a volume that startOnVolume made, whose instance was stopped and started:
// it grows, is copied, and ends with its instance.
func (c natCloud) continueOnVolume(volume, instance string) {
	c.t.Helper()
	ctx, api := c.t.Context(), c.API.EC2
	c.awaitFile(instance)
	want[ec2.ModifyVolumeOutput](c.t)(api.ModifyVolume(ctx, &ec2.ModifyVolumeInput{
		VolumeId: &volume, Size: aws.Int32(2),
	}))
	program.Eventually(c.t, program.Patience, "the device is larger", func() bool {
		return c.inside(instance, "blockdev --getsize64 /dev/sdf") == "2147483648"
	})
	snapshot := want[ec2.CreateSnapshotOutput](c.t)(api.CreateSnapshot(ctx, &ec2.CreateSnapshotInput{
		VolumeId: &volume,
	})).SnapshotId
	c.awaitSnapshot(*snapshot)
	second := want[ec2.CopySnapshotOutput](c.t)(api.CopySnapshot(ctx, &ec2.CopySnapshotInput{
		SourceRegion: aws.String("us-east-1"), SourceSnapshotId: snapshot,
	})).SnapshotId
	want[ec2.DeleteSnapshotOutput](c.t)(api.DeleteSnapshot(ctx, &ec2.DeleteSnapshotInput{SnapshotId: snapshot}))
	c.awaitSnapshot(*second)
	copied := c.createVolume(instance, 3, second)
	c.attachVolume(copied, instance, "/dev/sdg")
	if got := c.inside(instance, "mkdir /copy && mount /dev/nvme2n1 /copy && cat /copy/file"); got != "kept" {
		c.t.Errorf("the copy has %q", got)
	}

	c.launchWithVolumes(instance)
	detach := &ec2.DetachVolumeInput{VolumeId: &copied}
	want[ec2.DetachVolumeOutput](c.t)(api.DetachVolume(ctx, detach))
	program.Eventually(c.t, program.Patience, "the mounted volume is busy", func() bool {
		return c.volume(copied).Attachments[0].State == types.VolumeAttachmentStateBusy
	})
	c.inside(instance, "umount /copy")
	c.awaitVolume(copied, types.VolumeStateAvailable)

	// Two more end with their instance, one of them by its kind of attachment.
	c.attachVolume(copied, instance, "/dev/sdg")
	want[ec2.ModifyInstanceAttributeOutput](c.t)(api.ModifyInstanceAttribute(ctx, &ec2.ModifyInstanceAttributeInput{
		InstanceId: &instance, BlockDeviceMappings: []types.InstanceBlockDeviceMappingSpecification{{
			DeviceName: aws.String("/dev/sdg"),
			Ebs:        &types.EbsInstanceBlockDeviceSpecification{DeleteOnTermination: aws.Bool(true)},
		}},
	}))
	want[ec2.TerminateInstancesOutput](c.t)(
		api.TerminateInstances(ctx, &ec2.TerminateInstancesInput{InstanceIds: []string{instance}}))
	c.awaitVolume(volume, types.VolumeStateAvailable)
	want[ec2.DeleteVolumeOutput](c.t)(api.DeleteVolume(ctx, &ec2.DeleteVolumeInput{VolumeId: &volume}))
	want[ec2.DeleteSnapshotOutput](c.t)(api.DeleteSnapshot(ctx, &ec2.DeleteSnapshotInput{SnapshotId: second}))
	program.Eventually(c.t, program.Patience, "no file of a volume is left", func() bool {
		left, err := os.ReadDir(c.layout.Volumes())
		return err == nil && len(left) == 0
	})
	out, err := exec.CommandContext(ctx, "losetup", "--noheadings", "--output", "BACK-FILE").CombinedOutput()
	if err != nil || strings.Contains(string(out), c.layout.Volumes()) {
		c.t.Errorf("loop devices are left: %v\n%s", err, out)
	}
}
