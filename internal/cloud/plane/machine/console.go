package machine

import (
	"errors"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// consoleLimit is how much of the console's output GetConsoleOutput returns at
// most (Amazon EC2 API Reference, GetConsoleOutput: the most recent 64 KB).
const consoleLimit = 64 << 10

// console is the terminal that a machine calls /dev/console. What is written on
// it goes to the log, whatever came longest ago falls off.
type console struct {
	master   *os.File // the side of the launcher
	terminal *os.File // the side of the machine, held open over reboots
	path     string   // of the terminal
	log      *os.File
	size     int64
}

func openConsole(log *os.File) (*console, error) {
	// Not os.OpenFile: the log needs the terminal's blocking reads in one goroutine only.
	keyboard, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, fmt.Errorf("open a terminal: %w", err)
	}
	fd := int(keyboard.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		return nil, fmt.Errorf("unlock the terminal: %w", err)
	}
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		return nil, fmt.Errorf("name the terminal: %w", err)
	}
	path := "/dev/pts/" + strconv.Itoa(number)
	terminal, err := os.OpenFile(path, os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, fmt.Errorf("open the terminal: %w", err)
	}
	size, err := log.Seek(0, 2)
	if err != nil {
		return nil, fmt.Errorf("find the end of the console log: %w", err)
	}
	c := &console{master: keyboard, terminal: terminal, path: path, log: log, size: size}
	go c.copyToLog()
	return c, nil
}

// copyToLog writes the log until the launcher ends.
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

// append adds to the log. A log of twice what is kept is cut to that; a full disk
// costs console output, not the machine.
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

// readConsoleTail gives the last of a console log.
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
