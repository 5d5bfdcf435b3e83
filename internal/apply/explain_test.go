package apply

import (
	"testing"

	"aloft.dev/aloft/internal/diag"
)

func TestExplainedKeepsFailures(t *testing.T) {
	failure := &Failure{List: diag.List{{Where: "server-1", Summary: "is not healthy", Hint: "aloft logs"}}}
	if err := explained(failure); !isFailure(err) {
		t.Errorf("got %v", err)
	}
}
