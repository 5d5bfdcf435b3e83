//go:build linux && root

package docs

import (
	"testing"

	"aloft.dev/aloft/test/program"
)

// TestRealDocs runs every command of the pages on real machines, as a reader of a
// fresh checkout would type it.
func TestRealDocs(t *testing.T) {
	checkout := program.NewCheckout(t, program.Start(t))
	done := map[string]bool{}
	for _, file := range order {
		for _, command := range readPage(t, file).commands() {
			if done[command] {
				continue
			}
			done[command] = true
			if !t.Run(command, func(t *testing.T) {
				out, err := checkout.Type(t, command)
				t.Logf("%s", out)
				if err != nil {
					t.Fatalf("%s: %v", command, err)
				}
			}) {
				return
			}
		}
	}
}
