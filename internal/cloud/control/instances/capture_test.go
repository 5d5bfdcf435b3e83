package instances_test

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"

	"aloft.dev/aloft/internal/cloud/plane/simulated"
	"aloft.dev/aloft/internal/cloud/store"
)

func TestACapturedDiskIsTheLayersBelowItAndOneMore(t *testing.T) {
	inHouse(t, func(h *house) {
		var layers simulated.Layers
		h.launch("i-1", nil)
		for _, c := range []struct {
			reboot bool
			want   []string
		}{
			{false, []string{"base-debian-12", "layer-00000001"}}, // a copy: the machine stays where it was
			{true, []string{"base-debian-12", "layer-00000002"}},
			{true, []string{"base-debian-12", "layer-00000002", "layer-00000003"}},
		} {
			got, err := h.loop.Capture(h.t.Context(), "i-1", &layers, c.reboot)
			if err != nil || !slices.Equal(got, c.want) {
				t.Errorf("reboot %t: %v, %v, want %v", c.reboot, got, err, c.want)
			}
		}
		h.want("i-1", store.Running)
	})
}

func TestAnImageHasAlsoWhatACaptureThatFailedLeftUnderItsMachine(t *testing.T) {
	inHouse(t, func(h *house) {
		var layers simulated.Layers
		h.launch("i-1", nil)
		h.machines.Fail("Boot i-1", errors.New("no memory"))
		if _, err := h.loop.Capture(h.t.Context(), "i-1", &layers, true); err == nil {
			t.Error("a failure was not told")
		}
		synctest.Wait()
		h.want("i-1", store.Running) // the loop boots what did not come up
		got, err := h.loop.Capture(h.t.Context(), "i-1", &layers, true)
		if want := []string{"base-debian-12", "layer-00000001", "layer-00000002"}; err != nil ||
			!slices.Equal(got, want) {
			t.Errorf("%v, %v, want %v", got, err, want)
		}
	})
}

func TestWhatWasTerminatedIsNotCaptured(t *testing.T) {
	inHouse(t, func(h *house) {
		var layers simulated.Layers
		h.launch("i-1", nil)
		h.edit("i-1", func(i *store.Instance) { i.Wanted, i.State = store.Terminated, store.ShuttingDown })
		if _, err := h.loop.Capture(h.t.Context(), "i-1", &layers, true); err == nil ||
			h.machines.Calls("Capture") != 0 {
			t.Errorf("%v after %d captures", err, h.machines.Calls("Capture"))
		}
	})
}
