//go:build linux

package socket

import "time"

// The limits of a loop.
const (
	maxEvents = 128 // fetched at once
	maxIdle   = 256 // idle tasks kept
	maxStreak = 64  // how often a task may find its connections ready before it yields
	maxPipes  = 16  // unused pipes kept
)

// The limits of batches in bytes.
const (
	maxMessage = 4 << 10  // of a message; longer ones are not copied but sent at once
	maxText    = 64 << 10 // of all messages of a loop
)

// pipeSize is the capacity of a pipe in bytes. The system may limit it to less (pipe(7),
// /proc/sys/fs/pipe-max-size).
const pipeSize = 1 << 20

// backlog is how many connections may wait to be accepted. The kernel lowers it to
// net.core.somaxconn (listen(2)).
const backlog = 65535

// shortWait is the length of a wait that Go's runtime is not told of. If a wait ended before
// the kernel's next tick (at most 10 ms, HZ in time(7)), the kernel would reprogram the
// processor's timer for it and back, which costs 5 % in a virtual machine.
const shortWait = 50 * time.Millisecond
