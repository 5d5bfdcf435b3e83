package resource

import (
	"context"
	"encoding/base64"
	"path/filepath"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/google/go-cmp/cmp"

	"aloft.dev/aloft/internal/event"
	"aloft.dev/aloft/internal/plan"
)

// noConsole is a cloud whose instances have an empty console.
type noConsole struct{ instanceAPI }

func (noConsole) GetConsoleOutput(
	context.Context, *ec2.GetConsoleOutputInput, ...func(*ec2.Options),
) (*ec2.GetConsoleOutputOutput, error) {
	return &ec2.GetConsoleOutputOutput{}, nil
}

type noBuilder struct{ Builder }

// The race detector fails this test if evidence reads the known resources without
// the mutex that guards them.
func TestEvidenceIsCollectedWhileResourcesAreCreated(t *testing.T) {
	p := &Provisioner{
		Cloud:   Cloud{EC2: EC2{instanceAPI: noConsole{}}},
		Keys:    KeysOf(filepath.Join(t.TempDir(), "missing.pub"), "", "shop", "eu-west-1", nil),
		Builder: noBuilder{},
		Events:  func(event.Event) { t.Error("evidence emitted an event") },
	}
	var all sync.WaitGroup
	all.Go(func() {
		for range 1000 {
			p.SetKnown("vpc", plan.Found{})
		}
	})
	all.Go(func() {
		for range 10 {
			if lines := p.Evidence(t.Context(), plan.Found{Name: "server-1"}); len(lines) != 1 {
				t.Errorf("got %q", lines)
			}
		}
	})
	all.Wait()
}

func TestConsolesDoNotControlTheTerminal(t *testing.T) {
	console := base64.StdEncoding.EncodeToString([]byte("\x1b[2J\u009b1m\u202epanic\x07\r\n\x1b[0m\r\n"))
	if diff := cmp.Diff([]string{"1mpanic"}, consoleTail(console)); diff != "" {
		t.Error(diff)
	}
}
