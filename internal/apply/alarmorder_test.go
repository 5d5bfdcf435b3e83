package apply

import (
	"testing"

	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/spec"
	"aloft.dev/aloft/internal/stack"
)

// withAlerts returns the stack of a release of an application with three servers.
func withAlerts(t *testing.T, release, alerts string) *stack.Stack {
	t.Helper()
	s, err := spec.Parse([]byte("app: shop\nstart: x\nalerts: ["+alerts+"]\n"), "aloft.yaml", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	built, err := stack.Build(s, stack.Facts{
		Zones: zonesOffering("t3.micro"), Release: release, Phase: stack.PhaseServe,
	})
	if err != nil {
		t.Fatal(err)
	}
	return built
}

// Alerts may come with a release, or with servers that are replaced. No task waits for itself.
func TestAlarmsComeAfterAReleaseThatBringsThem(t *testing.T) {
	want := withAlerts(t, "r2", "me@example.com")
	ran := order(t, want, plan.Diff(want, existing(withAlerts(t, "r1", ""))))
	inOrder(t, ran, "target-1", "server-1 delete", "target-2", "server-2 delete", "target-3", "alarm-down")
}
