//go:build linux

package host

import "testing"

func TestLayoutsOfTwoLocalCloudsShareNoName(t *testing.T) {
	a, _ := LayoutFor("/tmp/a")
	b, _ := LayoutFor("/tmp/b")
	if a.RunDir == b.RunDir || a.Prefix == b.Prefix {
		t.Errorf("got %+v and %+v, want different run folders and prefixes", a, b)
	}
	if len(a.Prefix) > 8 {
		t.Errorf("prefix %q has more than 8 characters", a.Prefix)
	}
}
