//go:build linux

package instances_test

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"

	"aloft.dev/aloft/internal/cloud/plane/simulated"
	"aloft.dev/aloft/internal/cloud/store"
)

func TestCaptureAddsLayer(t *testing.T) {
	withLoop(t, func(f *fixture) {
		var layers simulated.Layers
		f.launch("i-1", nil)
		for _, c := range []struct {
			reboot bool
			want   []string
		}{
			{false, []string{"base-debian-12", "layer-00000001"}}, // a copy: the machine keeps its layers
			{true, []string{"base-debian-12", "layer-00000002"}},
			{true, []string{"base-debian-12", "layer-00000002", "layer-00000003"}},
		} {
			got, err := f.loop.Capture(f.t.Context(), "i-1", &layers, c.reboot)
			if err != nil || !slices.Equal(got, c.want) {
				t.Errorf("Capture with reboot %t = %v, %v, want %v", c.reboot, got, err, c.want)
			}
		}
		f.want("i-1", store.Running)
	})
}

func TestCaptureIncludesLayerOfFailedCapture(t *testing.T) {
	withLoop(t, func(f *fixture) {
		var layers simulated.Layers
		f.launch("i-1", nil)
		f.machines.Fail("Boot i-1", errors.New("no memory"))
		if _, err := f.loop.Capture(f.t.Context(), "i-1", &layers, true); err == nil {
			t.Error("Capture returned no error")
		}
		synctest.Wait()
		f.want("i-1", store.Running) // the loop boots the machine that did not restart
		got, err := f.loop.Capture(f.t.Context(), "i-1", &layers, true)
		if want := []string{"base-debian-12", "layer-00000001", "layer-00000002"}; err != nil ||
			!slices.Equal(got, want) {
			t.Errorf("Capture = %v, %v, want %v", got, err, want)
		}
	})
}

func TestCaptureRefusesTerminatedInstance(t *testing.T) {
	withLoop(t, func(f *fixture) {
		var layers simulated.Layers
		f.launch("i-1", nil)
		f.terminate("i-1")
		if _, err := f.loop.Capture(f.t.Context(), "i-1", &layers, true); err == nil ||
			f.machines.Calls("Capture") != 0 {
			t.Errorf("error %v, %d calls of Capture", err, f.machines.Calls("Capture"))
		}
	})
}
