package thread

import (
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestAThreadThatWasSpentIsGone(t *testing.T) {
	spent := errors.New("spent")
	for range 20 {
		var id int
		err := RunDisposable(func() error {
			if id = unix.Gettid(); id == unix.Getpid() {
				t.Error("the main thread cannot end")
			}
			return spent
		})
		if !errors.Is(err, spent) {
			t.Fatal(err)
		}
		for began := time.Now(); threadExists(id); time.Sleep(time.Millisecond) {
			if time.Since(began) > 10*time.Second {
				t.Fatalf("thread %d goes on", id)
			}
		}
	}
}

func threadExists(thread int) bool {
	_, err := os.Stat(fmt.Sprintf("/proc/self/task/%d", thread))
	return err == nil
}
