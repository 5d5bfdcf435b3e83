package policydocument_test

import (
	"testing"

	"aloft.dev/aloft/internal/cloud/policydocument"
)

func TestCanonical(t *testing.T) {
	for text, want := range map[string]string{
		`{
  "Statement": [{"Resource": ["b", "a"], "Action": "s:* & t", "Principal": {"Service": "x"}, "Effect": "Allow"}],
  "Version": "2012-10-17"
}`: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"x"},"Action":"s:* & t",` +
			`"Resource":["b","a"]}]}`,
		`{"Statement": {"Action": "a & b", "Other": 1}}`: `{"Statement":{"Action":"a & b","Other":1}}`,
		`{"Statement": 7}`: `{"Statement":7}`,
		`[ 1 ]`:            `[1]`,
		`no policy`:        `no policy`,
	} {
		if got := policydocument.Canonical(text); got != want {
			t.Errorf("Canonical(%s) = %s, want %s", text, got, want)
		}
		if again := policydocument.Canonical(want); again != want {
			t.Errorf("Canonical(%s) = %s", want, again)
		}
	}
}

func TestCompact(t *testing.T) {
	if got := policydocument.Compact(`{ "Statement": [], "Version": "1" }`); got != `{"Statement":[],"Version":"1"}` {
		t.Errorf("got %s", got)
	}
}
