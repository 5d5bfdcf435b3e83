//go:build linux && root

package torture

import (
	"path/filepath"
	"testing"

	"aloft.dev/aloft/test/powerloss"
)

// TestRealNoAnswerIsLostByOutages takes the power from a local cloud while many clients
// change it. Some of its lives end with a kill before that.
func TestRealNoAnswerIsLostByOutages(t *testing.T) {
	random, folder := random(t, 4), t.TempDir()
	live(t, random, *outagesFlag, func(files map[string][]byte) medium {
		disk, err := powerloss.Mount(folder, files, random.IntN(600))
		if err != nil {
			t.Fatal(err)
		}
		return medium{filepath.Join(folder, "aloft.db"), disk.Lost, func() map[string][]byte {
			lost := disk.Lost()
			recorded.Add(func(r *Report) {
				if lost {
					r.PowerCuts++
				} else {
					r.Kills++
				}
			})
			files := disk.Files(random)
			if err := disk.Unmount(); err != nil {
				t.Fatal(err)
			}
			return files
		}}
	})
}
