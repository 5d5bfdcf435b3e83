//go:build linux

package images_test

import (
	"errors"
	"slices"
	"testing"
	"time"
)

func TestBaseImageIsBuiltOnceForAllRegionsAfterFailure(t *testing.T) {
	withLoop(
		t,
		func(f *fixture) { f.layers.Fail("EnsureBase", errors.New("no space left on device")) },
		func(f *fixture) {
			image, _ := f.image("ami-b")
			if image.State != "pending" || image.StateReason != "no space left on device" {
				t.Errorf("after a failure: %+v", image)
			}
			time.Sleep(time.Minute)
			for _, id := range []string{"ami-a", "ami-b"} {
				image, snapshot := f.image(id)
				if image.State != "available" || image.StateReason != "" {
					t.Errorf("image %+v", image)
				}
				if snapshot.State != "completed" || !slices.Equal(snapshot.Layers, []string{"base-debian-12"}) {
					t.Errorf("snapshot %+v", snapshot)
				}
			}
			if n := f.layers.Calls("EnsureBase"); n != 2 {
				t.Errorf("%d calls of EnsureBase, want 2", n)
			}
		},
	)
}
