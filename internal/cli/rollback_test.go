package cli

import "testing"

func TestReleaseAndFolderAreDistinguished(t *testing.T) {
	for _, test := range []struct {
		args         []string
		release, dir string
		fails        bool
	}{
		{nil, "", ".", false},
		{[]string{"3"}, "3", ".", false},
		{[]string{"3f2a90c1"}, "3f2a90c1", ".", false},
		{[]string{"shop"}, "", "shop", false},
		{[]string{"3f2a90c1b2d4", "shop"}, "3f2a90c1b2d4", "shop", false},
		{[]string{"shop", "other"}, "", "", true},
	} {
		release, dir, err := releaseAndDir(test.args)
		if release != test.release || dir != test.dir || (err != nil) != test.fails {
			t.Errorf("%v: got %q, %q, %v", test.args, release, dir, err)
		}
	}
}
