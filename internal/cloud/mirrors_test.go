//go:build linux

package cloud

import (
	"maps"
	"os"
	"strings"
	"testing"

	"aloft.dev/aloft/internal/cloud/host"
	"aloft.dev/aloft/internal/cloud/plane/image"
)

func TestMirrorsAreThoseOfTheLastStartThatNamedSome(t *testing.T) {
	l := host.Layout{StateDir: t.TempDir()}
	named := image.Mirrors{"ubuntu": "http://m.example/ubuntu"}
	for step, c := range []struct{ given, want image.Mirrors }{{nil, nil}, {named, named}, {nil, named}} {
		if got, err := rememberMirrors(l, c.given); err != nil || !maps.Equal(got, c.want) {
			t.Errorf("start %d: %v, %v; want %v", step, got, err, c.want)
		}
	}
	if err := os.WriteFile(l.Mirrors(), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := rememberMirrors(l, nil); err == nil || !strings.Contains(err.Error(), l.Mirrors()) {
		t.Errorf("a damaged file: %v", err)
	}
}
