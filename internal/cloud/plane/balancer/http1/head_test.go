//go:build linux

package http1

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestHeadLenOfPartialHeads(t *testing.T) {
	head := lines("GET / HTTP/1.1", "Host: h")
	got := []int{}
	for i := range head {
		got = append(got, HeadLen(head[:i], max(0, i-1)))
	}
	if diff := cmp.Diff(make([]int, len(head)), got); diff != "" || HeadLen(head, len(head)-1) != len(head) {
		t.Error(diff)
	}
}

func TestHasBareLF(t *testing.T) {
	for _, c := range []struct {
		head string
		seen int
		want bool
	}{
		{"GET / HTTP/1.1\nHost", 0, true},
		{"\n", 0, true},
		{"a\r\nb\n", 3, true},
		{"GET / HTTP/1.1\r\nHost: h\r", 0, false},
	} {
		if got := HasBareLF([]byte(c.head), c.seen); got != c.want {
			t.Errorf("HasBareLF(%q, %d) = %v", c.head, c.seen, got)
		}
	}
}
