//go:build linux

package host

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"
)

func TestLogIsBounded(t *testing.T) {
	layout, err := LayoutFor(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.OpenFile(layout.Log(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	log := boundLog(layout, file, 1000)
	for n := range 150 {
		if _, err := fmt.Fprintf(log, "line %d\n", n); err != nil {
			t.Fatal(err)
		}
	}
	now, err := os.ReadFile(layout.Log())
	if err != nil {
		t.Fatal(err)
	}
	older, err := os.ReadFile(layout.olderLog())
	if err != nil {
		t.Fatal(err)
	}
	if len(now) > 1010 || len(older) > 1010 || !strings.HasSuffix(string(now), "line 149\n") {
		t.Errorf("%d bytes, and %d older ones: %s", len(now), len(older), now)
	}
	var last, next int
	_, before, _ := strings.Cut(string(older[bytes.LastIndex(older, []byte("line")):]), " ")
	_, errBefore := fmt.Sscan(before, &last)
	_, errAfter := fmt.Sscanf(string(now), "line %d", &next)
	if errBefore != nil || errAfter != nil || next != last+1 {
		t.Errorf("the older log ends with line %d, the log begins with line %d", last, next)
	}
}

func TestOtherOutputIsNotBounded(t *testing.T) {
	layout, err := LayoutFor(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if got := BoundLog(layout, &out); got != &out {
		t.Errorf("got %T", got)
	}
	if got := BoundLog(layout, os.Stderr); got != os.Stderr {
		t.Errorf("got %T", got)
	}
}
