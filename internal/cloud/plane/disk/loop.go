//go:build linux

package disk

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// LoopControl is the device that finds loop devices (loop(4)).
const LoopControl = "/dev/loop-control"

// loopMajor is the major number of loop devices (Documentation/admin-guide/devices.txt).
const loopMajor = 7

// attach returns an open loop device whose content is f, and creates its node. It uses the
// device that has f already, if there is one. With unix.LO_FLAGS_AUTOCLEAR the kernel detaches f
// when nobody has the device open or mounted.
func attach(f *os.File, node string, autoclear uint32) (*os.File, error) {
	devices, err := openAttached(f, node)
	if err != nil {
		return nil, err
	}
	for i, device := range devices {
		info, err := unix.IoctlLoopGetStatus64(int(device.Fd()))
		if err == nil && info.Offset == 0 && info.Flags&unix.LO_FLAGS_AUTOCLEAR == autoclear {
			closeAll(devices[i+1:])
			return device, nil // it will have f, as it is open now
		}
		_ = device.Close()
	}
	control, err := os.OpenFile(LoopControl, os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("find a loop device: %w", err)
	}
	defer func() { _ = control.Close() }()
	for {
		number, err := unix.IoctlRetInt(int(control.Fd()), unix.LOOP_CTL_GET_FREE)
		if err != nil {
			return nil, fmt.Errorf("find a loop device: %w", err)
		}
		device, err := openLoop(number, node)
		if err != nil {
			return nil, err
		}
		// With direct I/O the host does not cache what the machine's filesystem caches. The
		// kernel ignores the flag where the host's filesystem cannot do that.
		config := unix.LoopConfig{Fd: uint32(f.Fd()), Info: unix.LoopInfo64{
			Flags: autoclear | unix.LO_FLAGS_DIRECT_IO,
		}}
		err = unix.IoctlLoopConfigure(int(device.Fd()), &config)
		if err == nil {
			return device, nil
		}
		_ = device.Close()
		if !errors.Is(err, unix.EBUSY) { // another process got the same device
			return nil, fmt.Errorf("configure loop device %d: %w", number, err)
		}
	}
}

// openAttached opens the loop devices whose content is f, by a node that it leaves behind.
func openAttached(f *os.File, node string) (devices []*os.File, err error) {
	numbers, err := attachedTo(f.Name())
	if err != nil {
		return nil, err
	}
	for _, number := range numbers {
		device, err := openLoop(number, node)
		if err != nil {
			closeAll(devices)
			return nil, err
		}
		if backs(f, device) {
			devices = append(devices, device)
		} else {
			_ = device.Close()
		}
	}
	return devices, nil
}

func closeAll(files []*os.File) {
	for _, f := range files {
		_ = f.Close()
	}
}

// openLoop opens a loop device by a node of its own: the host's /dev may lack it, in a
// container, or have it a moment later.
func openLoop(number int, node string) (*os.File, error) {
	_ = os.Remove(node)
	if err := unix.Mknod(node, unix.S_IFBLK|0o600, int(unix.Mkdev(loopMajor, uint32(number)))); err != nil {
		return nil, fmt.Errorf("create the node of loop device %d: %w", number, err)
	}
	device, err := os.OpenFile(node, os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("open loop device %d: %w", number, err)
	}
	return device, nil
}

// backs reports whether f is the content of the loop device.
func backs(f, device *os.File) bool {
	var stat unix.Stat_t
	if unix.Fstat(int(f.Fd()), &stat) != nil {
		return false
	}
	info, err := unix.IoctlLoopGetStatus64(int(device.Fd()))
	return err == nil && info.Device == stat.Dev && info.Inode == stat.Ino
}

// attachedTo returns the numbers of the loop devices whose content may be the file at path:
// the name of its folder and its own are the same. The path as a whole depends on who asks.
func attachedTo(path string) (numbers []int, err error) {
	suffix := string(filepath.Separator) + filepath.Join(filepath.Base(filepath.Dir(path)), filepath.Base(path))
	backing, err := filepath.Glob("/sys/block/loop*/loop/backing_file")
	if err != nil {
		return nil, err
	}
	for _, file := range backing {
		name, err := os.ReadFile(file)
		if err != nil || !strings.HasSuffix(strings.TrimSpace(string(name)), suffix) {
			continue // detached meanwhile, or another file
		}
		device := filepath.Base(filepath.Dir(filepath.Dir(file)))
		number, err := strconv.Atoi(strings.TrimPrefix(device, "loop"))
		if err != nil {
			return nil, fmt.Errorf("read the number of %s: %w", device, err)
		}
		numbers = append(numbers, number)
	}
	return numbers, nil
}
