//go:build linux

// Package thread runs functions on disposable OS threads. A function may change what
// belongs to its thread and cannot be restored, such as namespaces, credentials or mounts
// (clone(2), setns(2), credentials(7)).
package thread

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// RunDisposable runs do on an OS thread that exits afterwards: no other goroutine ever
// runs with what do changed.
func RunDisposable(do func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // the runtime ends a thread whose goroutine exits locked to it
		if unix.Gettid() != unix.Getpid() {
			done <- do()
			return
		}
		// The main thread cannot exit. Occupy it, so that the next goroutine gets another.
		err := RunDisposable(do)
		runtime.UnlockOSThread()
		done <- err
	}()
	return <-done
}
