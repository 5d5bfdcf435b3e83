//go:build linux

package machine

import (
	"errors"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// consoleLimit is how much console output GetConsoleOutput returns at most (Amazon EC2 API
// Reference, GetConsoleOutput: the most recent 64 KB).
const consoleLimit = 64 << 10

// console is the terminal that a machine sees as /dev/console. Its output goes to a log of
// limited size.
type console struct {
	master *os.File // the launcher's end
	tty    *os.File // the machine's end, kept open across reboots
	path   string   // of the tty
	log    *os.File
	size   int64 // of the log
}

func openConsole(log *os.File) (*console, error) {
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, fmt.Errorf("open a terminal: %w", err)
	}
	fd := int(master.Fd()) // reads may block from here on: only copyToLog reads, in its own goroutine
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		return nil, fmt.Errorf("unlock the terminal: %w", err)
	}
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		return nil, fmt.Errorf("read the terminal's number: %w", err)
	}
	path := "/dev/pts/" + strconv.Itoa(number)
	tty, err := os.OpenFile(path, os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, fmt.Errorf("open the terminal: %w", err)
	}
	size, err := log.Seek(0, 2)
	if err != nil {
		return nil, fmt.Errorf("find the end of the console log: %w", err)
	}
	c := &console{master: master, tty: tty, path: path, log: log, size: size}
	go c.copyToLog()
	return c, nil
}

// copyToLog copies the terminal's output to the log until the launcher ends.
func (c *console) copyToLog() {
	buffer := make([]byte, 4096)
	for {
		n, err := c.master.Read(buffer)
		if n > 0 {
			c.append(buffer[:n])
		}
		if err != nil && !errors.Is(err, unix.EINTR) {
			return
		}
	}
}

// append appends to the log. When the log reaches twice consoleLimit, append cuts it to the
// most recent consoleLimit bytes. It ignores errors: a full disk loses console output, and
// must not stop the machine.
func (c *console) append(output []byte) {
	if c.size+int64(len(output)) > 2*consoleLimit {
		kept := make([]byte, consoleLimit)
		n, _ := c.log.ReadAt(kept, max(0, c.size-consoleLimit))
		if c.log.Truncate(0) != nil {
			return
		}
		written, _ := c.log.WriteAt(kept[:n], 0)
		c.size = int64(written)
	}
	n, _ := c.log.WriteAt(output, c.size)
	c.size += int64(n)
}

// readConsoleTail returns the last consoleLimit bytes of a console log, nil if there is no
// log.
func readConsoleTail(path string) ([]byte, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the console: %w", err)
	}
	return data[max(0, len(data)-consoleLimit):], nil
}
