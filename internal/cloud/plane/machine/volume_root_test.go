//go:build linux && root

package machine_test

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"aloft.dev/aloft/internal/cloud/plane/machine"
	"aloft.dev/aloft/internal/cloud/plane/volume"
)

// volumes returns a store of volumes beside the fixture's machines.
func (s *fixture) volumes() *volume.Store {
	s.Helper()
	store, err := volume.Open(filepath.Join(filepath.Dir(s.config.Dir), "volumes"))
	if err != nil {
		s.Fatal(err)
	}
	return store
}

// volume returns a new volume of 1 GiB as /dev/sdf.
func (s *fixture) volume(store *volume.Store, id, from string) machine.Volume {
	s.Helper()
	if err := store.Create(s.Context(), id, 1, from); err != nil {
		s.Fatal(err)
	}
	return machine.Volume{ID: id, File: store.Path(id), NVMe: 1, Name: "sdf"}
}

func (s *fixture) mustInside(id, command string) string {
	s.Helper()
	out, err := s.inside(id, command)
	if err != nil {
		s.Fatalf("%s in %s: %v: %s", command, id, err, out)
	}
	return out
}

// detached waits until a volume is gone from a machine.
func (s *fixture) detached(id, volume string, force bool) {
	s.Helper()
	s.eventually("the volume is detached", 20*time.Second, func() bool {
		gone, err := s.plane.DetachVolume(s.Context(), id, volume, force)
		if err != nil {
			s.Fatal(err)
		}
		return gone
	})
}

func devicesOf(t *testing.T, v machine.Volume) string {
	t.Helper()
	out, err := exec.Command("losetup", "--noheadings", "--output", "NAME", "-j", v.File).CombinedOutput()
	if err != nil {
		t.Fatalf("losetup: %v: %s", err, out)
	}
	return strings.TrimSpace(string(out))
}

// TestRealVolumeIsABlockDeviceWithAFilesystem follows a volume from a machine to another.
func TestRealVolumeIsABlockDeviceWithAFilesystem(t *testing.T) {
	s := newFixture(t)
	store := s.volumes()
	first, second := s.machine(1), s.machine(2)
	data := s.volume(store, "vol-0123456789abcdef0", "")
	second.Volumes = []machine.Volume{s.volume(store, "vol-0123456789abcdef1", "")}
	s.bootFully(first)
	s.bootFully(second)

	if err := s.plane.AttachVolume(s.Context(), first.ID, data); err != nil {
		t.Fatal(err)
	}
	s.expectOutput(first.ID, map[string]string{
		"stat -L -c %F /dev/nvme1n1 /dev/sdf": "block special file\nblock special file",
		"readlink /dev/sdf":                   "nvme1n1",
		"readlink -f /dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_vol0123456789abcdef0": "/dev/nvme1n1",
	})
	size := s.mustInside(first.ID, "blockdev --getsize64 /dev/nvme1n1")
	if size != fmt.Sprint(1<<30) {
		t.Errorf("the device has %s bytes", size)
	}
	s.mustInside(first.ID, "mkfs.ext4 -q /dev/nvme1n1 && mkdir -p /data && mount /dev/nvme1n1 /data && "+
		"echo kept >/data/file && chown 1000 /data/file && chmod 600 /data/file")
	s.expectOutput(first.ID, map[string]string{
		"findmnt --noheadings --output SOURCE,FSTYPE /data": "/dev/nvme1n1 fuse.ext4",
		"runuser -u admin -- cat /data/file":                "kept",
		"stat -c %u:%a /data/file":                          "1000:600",
	})

	// A mounted volume stays until it is unmounted, and nobody else can open it meanwhile.
	if gone, err := s.plane.DetachVolume(s.Context(), first.ID, data.ID, false); gone || err != nil {
		t.Fatalf("detaching a mounted volume: gone %v, %v", gone, err)
	}
	s.expectOutput(first.ID, map[string]string{
		"cat /data/file; ls /dev/nvme1n1 /dev/sdf 2>&1 | grep -c 'No such file'": "kept\n2",
	})
	s.mustInside(first.ID, "umount /data")
	s.detached(first.ID, data.ID, false)
	if left := devicesOf(t, data); left != "" {
		t.Errorf("the detached volume is %s", left)
	}

	// Another machine has it as its second volume, across stop and start and a new plane.
	data.NVMe, data.Name = 2, "xvdf"
	if err := s.plane.AttachVolume(s.Context(), second.ID, data); err != nil {
		t.Fatal(err)
	}
	s.mustInside(second.ID, "mkdir -p /data && echo '/dev/xvdf /data ext4 defaults,noatime,nofail 0 2' >>/etc/fstab"+
		" && mount /data")
	s.expectOutput(second.ID, map[string]string{"cat /data/file": "kept"})
	s.mustInside(second.ID, "echo more >>/data/file")
	if err := s.plane.Close(); err != nil {
		t.Fatal(err)
	}
	s.plane = s.reopen()
	if err := s.plane.Stop(s.Context(), second.ID, false); err != nil {
		t.Fatal(err)
	}
	if left := devicesOf(t, data); left != "" {
		t.Errorf("the volume of a stopped machine is %s", left)
	}
	second.Volumes = append(second.Volumes, data)
	s.bootFully(second)
	s.expectOutput(second.ID, map[string]string{"cat /data/file": "kept\nmore"})

	// A reboot from inside finds the devices and the links again.
	boots := s.plane.Status(second.ID).Boots
	_, _ = s.run(second.ID, "systemctl", "reboot")
	s.awaitStatus("it has rebooted", second.ID, func(now machine.Status) bool { return now.Boots > boots })
	s.awaitSystem(second.ID)
	s.expectOutput(second.ID, map[string]string{
		"cat /data/file": "kept\nmore", "readlink /dev/sdf /dev/xvdf": "nvme1n1\nnvme2n1",
	})

	// It grows, and a copy has its content.
	if err := store.Grow(data.ID, 2); err != nil {
		t.Fatal(err)
	}
	if err := s.plane.ResizeVolume(data.File); err != nil {
		t.Fatal(err)
	}
	s.mustInside(second.ID, "umount /data && e2fsck -fp /dev/nvme2n1 && resize2fs /dev/nvme2n1 && mount /data && "+
		"fallocate -l 1200M /data/large && sync && rm /data/large")
	snapshot := "snap-0123456789abcdef0"
	if err := s.plane.CopyVolume(s.Context(), second.ID, data.ID, func(ctx context.Context) error {
		return store.Create(ctx, snapshot, 2, data.ID)
	}); err != nil {
		t.Fatal(err)
	}
	copied := s.volume(store, "vol-0123456789abcdef2", snapshot)
	if err := s.plane.AttachVolume(s.Context(), first.ID, copied); err != nil {
		t.Fatal(err)
	}
	s.mustInside(first.ID, "mount -o ro /dev/sdf /data")
	s.expectOutput(first.ID, map[string]string{
		"cat /data/file": "kept\nmore", "touch /data/file 2>&1 | grep -o 'Read-only.*'": "Read-only file system",
	})

	// Force takes it from under a filesystem.
	s.detached(first.ID, copied.ID, true)
	if out, err := s.inside(first.ID, "umount -l /data; cat /data/file"); err == nil {
		t.Errorf("after a forced detachment: %s", out)
	}
}

// TestRealVolumeLeadsToNoOtherDevice lets the root of a machine attack the host by its volume.
func TestRealVolumeLeadsToNoOtherDevice(t *testing.T) {
	s := newFixture(t)
	m := s.machine(1)
	data := s.volume(s.volumes(), "vol-0123456789abcdef0", "")
	m.Volumes = []machine.Volume{data}
	s.bootFully(m)
	number := strings.TrimPrefix(devicesOf(t, data), "/dev/loop")
	attack := func(command, want string) {
		t.Helper()
		if out, _ := s.inside(m.ID, command+" 2>&1"); !strings.Contains(out, want) {
			t.Errorf("%s: got %q, want %q", command, out, want)
		}
	}
	for _, request := range []int{
		unix.LOOP_CLR_FD, unix.LOOP_SET_FD, 0x4c06 /* LOOP_CHANGE_FD */, unix.LOOP_CONFIGURE, unix.LOOP_SET_STATUS64,
		unix.LOOP_SET_CAPACITY, unix.LOOP_SET_DIRECT_IO, unix.BLKRRPART,
	} {
		attack(fmt.Sprintf(
			`perl -e 'open F, "+<", "/dev/nvme1n1" or die; ioctl F, %d, 0 or print "refused: $!"'`, request,
		), "refused: Inappropriate ioctl for device")
	}
	attack("mknod /dev/other b 7 "+number, "Operation not permitted")
	attack("chmod 666 /dev/nvme1n1", "Operation not permitted")
	attack("chown 1000 /dev/nvme1n1", "Operation not permitted")
	attack("runuser -u admin -- head -c 1 /dev/nvme1n1", "Permission denied")
	attack("ln /dev/nvme1n1 /dev/kept", "Operation not permitted")
	attack("mkdir /mnt/t && mount -t tmpfs none /mnt/t && mknod /mnt/t/d b 7 "+number, "Operation not permitted")
	attack("mkfs.ext4 -q /dev/nvme1n1 && mount -i -t ext4 /dev/nvme1n1 /mnt", "permission denied")

	// Other names of the node, and a mount of it, end with the attachment.
	s.mustInside(m.ID, "touch /srv/bound && mount --bind /dev/nvme1n1 /srv/bound && mv /dev/nvme1n1 /dev/kept && "+
		"head -c 1 /srv/bound /dev/kept >/dev/null")
	s.detached(m.ID, data.ID, false)
	attack("head -c 1 /srv/bound", "Permission denied")
	attack("head -c 1 /dev/kept", "Permission denied")
	if left := devicesOf(t, data); left != "" {
		t.Errorf("the detached volume is %s", left)
	}
}
