package release

import "testing"

func TestPythonSatisfies(t *testing.T) {
	for _, test := range []struct {
		wanted string
		want   bool
	}{
		{"3.11", true}, {"3.11.2", true}, {"3.12", false}, {">=3.9", true}, {">=3.12", false},
		{">=3.9,<3.12", true}, {">=3.9, <3.11", false}, {"~=3.10", true}, {"~=3.10.1", false},
		{"==3.11.*", true}, {"!=3.11.2", false}, {"3", true},
	} {
		if got, err := pythonSatisfies(test.wanted, "3.11.2"); err != nil || got != test.want {
			t.Errorf("%s: %v %v", test.wanted, got, err)
		}
	}
	if _, err := pythonSatisfies("three", "3.11.2"); err == nil {
		t.Error("three is a range")
	}
}
