//go:build linux

package thread

import (
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestDisposableThreadExits(t *testing.T) {
	failure := errors.New("do failed")
	for range 20 {
		var id int
		err := RunDisposable(func() error {
			if id = unix.Gettid(); id == unix.Getpid() {
				t.Error("do ran on the main thread, which cannot exit")
			}
			return failure
		})
		if !errors.Is(err, failure) {
			t.Fatalf("got error %v, want that of do", err)
		}
		for began := time.Now(); threadExists(id); time.Sleep(time.Millisecond) {
			if time.Since(began) > time.Minute {
				t.Fatalf("thread %d still exists", id)
			}
		}
	}
}

func threadExists(id int) bool {
	_, err := os.Stat(fmt.Sprintf("/proc/self/task/%d", id))
	return err == nil
}
