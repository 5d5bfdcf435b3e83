package seal

import (
	"bytes"
	"testing"
)

var row = Row{Table: "parameters", Region: "us-east-1", Name: "/app/password", Version: "1"}

func TestASealedValueOpensWithItsKey(t *testing.T) {
	key := NewRandomKey()
	for _, value := range []string{"", "correct horse", "a longer value"} {
		sealed := key.Seal([]byte(value), row)
		if value != "" && bytes.Contains(sealed, []byte(value)) {
			t.Errorf("%q is readable in %q", value, sealed)
		}
		if got, err := key.Open(sealed, row); err != nil || string(got) != value {
			t.Errorf("got %q, %v; want %q", got, err, value)
		}
	}
	if bytes.Equal(key.Seal([]byte("x"), row), key.Seal([]byte("x"), row)) {
		t.Error("two seals of a value are equal, which shows that the values are")
	}
}

func TestASealedValueOpensInItsRowOnly(t *testing.T) {
	key := NewRandomKey()
	sealed := key.Seal([]byte("x"), row)
	for _, other := range []Row{
		{"secrets", row.Region, row.Name, row.Version},
		{row.Table, "eu-west-1", row.Name, row.Version},
		{row.Table, row.Region, "/app/other", row.Version},
		{row.Table, row.Region, row.Name, "2"},
		{row.Table, row.Region + row.Name, "", row.Version},
	} {
		if value, err := key.Open(sealed, other); err == nil {
			t.Errorf("opened %q in %+v", value, other)
		}
	}
}

func TestAChangedValueOrAnotherKeyIsRefused(t *testing.T) {
	key := NewRandomKey()
	sealed := key.Seal([]byte("x"), row)
	if _, err := NewRandomKey().Open(sealed, row); err == nil {
		t.Error("another key opened the value")
	}
	for i := range sealed {
		changed := bytes.Clone(sealed)
		changed[i] ^= 1
		if _, err := key.Open(changed, row); err == nil {
			t.Errorf("opened the value with byte %d changed", i)
		}
	}
	if _, err := key.Open(nil, row); err == nil {
		t.Error("opened nothing")
	}
	if _, err := NewKey([]byte("short")); err == nil {
		t.Error("a short secret is accepted")
	}
}
