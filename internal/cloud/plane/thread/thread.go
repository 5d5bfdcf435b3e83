// Package thread has threads that are given up: what belongs to a thread, such as its
// namespaces, its user or its mounts (clone(2), setns(2), credentials(7)), can be changed
// there with no way back.
package thread

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// RunDisposable runs do on a thread that ends with it: whatever do changes of the thread,
// nobody else ever runs with.
func RunDisposable(do func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // and not unlocked: the runtime then ends the thread
		if unix.Gettid() != unix.Getpid() {
			done <- do()
			return
		}
		// The main thread cannot end. While it is held here another is taken.
		err := RunDisposable(do)
		runtime.UnlockOSThread()
		done <- err
	}()
	return <-done
}
