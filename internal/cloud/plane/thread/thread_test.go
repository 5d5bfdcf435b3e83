package thread

import (
	"errors"
	"runtime"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// What is changed of a thread can be seen by its name, which needs no rights.
func name(t *testing.T) string {
	t.Helper()
	var b [16]byte
	if err := unix.Prctl(unix.PR_GET_NAME, uintptr(unsafe.Pointer(&b)), 0, 0, 0); err != nil {
		t.Fatal(err)
	}
	return unix.ByteSliceToString(b[:])
}

func TestNobodyRunsOnAThreadThatWasSpent(t *testing.T) {
	spent := errors.New("spent")
	for range 100 {
		err := Spend(func() error {
			if unix.Gettid() == unix.Getpid() {
				t.Error("the main thread cannot end")
			}
			b := [16]byte{'s', 'p', 'e', 'n', 't'}
			if err := unix.Prctl(unix.PR_SET_NAME, uintptr(unsafe.Pointer(&b)), 0, 0, 0); err != nil {
				return err
			}
			runtime.Gosched()
			if got := name(t); got != "spent" {
				t.Errorf("do goes on on %q", got)
			}
			return spent
		})
		if !errors.Is(err, spent) {
			t.Fatal(err)
		}
		if got := name(t); got == "spent" {
			t.Fatal("the test goes on on the thread")
		}
	}
}
