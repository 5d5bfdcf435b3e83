//go:build linux

package disk

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// Attach makes the file at path a block device and returns the device's number. It changes
// nothing if the file is one. The file stays a block device until Detach, also if nobody has it
// open. Attach uses the path node for a while; its folder must allow device nodes, as a tmpfs
// does.
//
// Who can open the device can attach another file to it (loop(4), LOOP_CLR_FD, LOOP_SET_FD),
// and have its number given to another disk. What hands out the device must deny these requests.
func Attach(path, node string) (number uint64, err error) {
	err = withFile(path, func(f *os.File) error {
		device, err := attach(f, node, 0)
		if err != nil {
			return err
		}
		defer func() { _ = device.Close(); _ = os.Remove(node) }()
		var stat unix.Stat_t
		if err := unix.Fstat(int(device.Fd()), &stat); err != nil {
			return err
		}
		number = stat.Rdev
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("attach %s: %w", path, err)
	}
	return number, nil
}

// Detach ends what Attach began, as soon as nobody has the device open. It reports whether the
// file is detached: if not, call it again later. With force, it does not wait: who has the
// device open finds it empty from then on.
func Detach(path, node string, force bool) (gone bool, err error) {
	err = withFile(path, func(f *os.File) error {
		devices, err := openAttached(f, node)
		if err != nil {
			return err
		}
		for _, device := range devices {
			err = errors.Join(err, clearLoop(device, force), device.Close())
		}
		if err != nil {
			return err
		}
		gone, err = detached(f, node)
		return errors.Join(err, removeNode(node))
	})
	if errors.Is(err, fs.ErrNotExist) { // a file that was deleted has no device
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("detach %s: %w", path, err)
	}
	return gone, nil
}

// clearLoop detaches a loop device's content at the latest when its last user closes it. With
// force, the device has no content left before: it begins at the end of its file.
func clearLoop(device *os.File, force bool) error {
	if force {
		info, err := unix.IoctlLoopGetStatus64(int(device.Fd()))
		if err != nil {
			return err
		}
		size, err := unix.IoctlGetInt(int(device.Fd()), unix.BLKGETSIZE64)
		if err != nil {
			return err
		}
		info.Offset += uint64(size)
		err = unix.IoctlLoopSetStatus64(int(device.Fd()), info)
		if err != nil && !errors.Is(err, unix.EAGAIN) { // somebody writes meanwhile: the caller tries again
			return err
		}
	}
	err := unix.IoctlSetInt(int(device.Fd()), unix.LOOP_CLR_FD, 0)
	if errors.Is(err, unix.ENXIO) { // it was detached meanwhile
		return nil
	}
	return err
}

// detached reports whether no loop device has content of f.
func detached(f *os.File, node string) (bool, error) {
	devices, err := openAttached(f, node)
	if err != nil {
		return false, err
	}
	defer closeAll(devices)
	for _, device := range devices {
		size, err := unix.IoctlGetInt(int(device.Fd()), unix.BLKGETSIZE64)
		if err != nil || size > 0 {
			return false, err
		}
	}
	return true, nil
}

// Sync writes what programs have written to the block device of the file at path to the file.
func Sync(path, node string) error {
	if err := eachDevice(path, node, (*os.File).Sync); err != nil {
		return fmt.Errorf("sync %s: %w", path, err)
	}
	return nil
}

// Resize gives the block device of the file at path the size that the file has got.
func Resize(path, node string) error {
	err := eachDevice(path, node, func(device *os.File) error {
		return unix.IoctlSetInt(int(device.Fd()), unix.LOOP_SET_CAPACITY, 0)
	})
	if err != nil {
		return fmt.Errorf("resize %s: %w", path, err)
	}
	return nil
}

// eachDevice calls do with the block devices of the file at path.
func eachDevice(path, node string, do func(device *os.File) error) error {
	return withFile(path, func(f *os.File) error {
		devices, err := openAttached(f, node)
		if err != nil {
			return err
		}
		for _, device := range devices {
			err = errors.Join(err, do(device), device.Close())
		}
		return errors.Join(err, removeNode(node))
	})
}

// withFile calls do with the file at path, which no other call of this package uses meanwhile.
func withFile(path string, do func(f *os.File) error) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != nil {
		return fmt.Errorf("lock: %w", err)
	}
	defer func() { _ = unix.Flock(int(f.Fd()), unix.LOCK_UN) }() // a loop device keeps the file open
	return do(f)
}

func removeNode(node string) error {
	if err := os.Remove(node); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
