package host

import (
	"testing"
)

func TestLayoutsOfTwoLocalCloudsShareNoName(t *testing.T) {
	a, _ := LayoutFor("/tmp/a")
	b, _ := LayoutFor("/tmp/b")
	if a.RunDir == b.RunDir || a.Prefix == b.Prefix {
		t.Errorf("%+v and %+v", a, b)
	}
	if len(a.Prefix) > 8 {
		t.Errorf("%q is too long for a prefix of network devices", a.Prefix)
	}
}
