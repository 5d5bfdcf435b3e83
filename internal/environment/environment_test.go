package environment

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func example() Environment {
	return Environment{
		Version: 3,
		Spec:    map[string]string{"LEVEL": "hunter1", "TEXT": "a\nb \"c\" $d"},
		Set:     map[string]string{"KEY": "hunter2"},
		Secrets: map[string]string{"DB": "ssm:/hunter3"},
	}
}

func TestDecodeReturnsWhatWasEncoded(t *testing.T) {
	value, err := example().Encode()
	if err != nil {
		t.Fatal(err)
	}
	got, err := Decode(value)
	if err != nil || !got.Equal(example()) || got.Version != 3 {
		t.Errorf("%v, %v", got.Names(), err)
	}
	again, err := got.Encode()
	if err != nil || again != value {
		t.Errorf("the encoding differs: %v", err)
	}
	empty, err := Environment{}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := Decode(empty); err != nil || !got.Equal(Environment{}) {
		t.Errorf("%v, %v", got, err)
	}
}

func TestNoWayOfPrintingShowsValues(t *testing.T) {
	other := &Environment{Set: map[string]string{"A": "hunter4"}}
	text, err := json.Marshal(map[string]any{"all": example(), "at": other})
	if err != nil {
		t.Fatal(err)
	}
	e := example()
	printed := fmt.Sprintf("%s %v %+v %#v %v %s %s", e, e, e, e, &e, struct{ E Environment }{e}, text)
	if strings.Contains(printed, "hunter") || !strings.Contains(printed, "LEVEL") {
		t.Error(printed)
	}
}

func TestErrorsOfDecodeDoNotQuoteTheValue(t *testing.T) {
	for _, value := range []string{"hunter2", base64.StdEncoding.EncodeToString([]byte("hunter2")), "aHVudGVyMg=="} {
		if _, err := Decode(value); err == nil || strings.Contains(err.Error(), "hunter") {
			t.Errorf("%q: %v", value, err)
		}
	}
}

func TestTooMuchIsAnError(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var text strings.Builder
	for text.Len() < 12000 {
		_, _ = fmt.Fprintf(&text, "%x", random.Uint64())
	}
	_, err := Environment{Spec: map[string]string{"A": text.String()}}.Encode()
	if !errors.Is(err, ErrTooLong) {
		t.Errorf("%v", err)
	}
	if _, err := (Environment{Spec: map[string]string{"A": strings.Repeat("x", 12000)}}).Encode(); err != nil {
		t.Errorf("what can be compressed: %v", err)
	}
}

func TestChangedNamesAreThoseWithAnotherValueOrSource(t *testing.T) {
	to := example()
	to.Spec = map[string]string{"LEVEL": "2", "TEXT": example().Spec["TEXT"], "KEY": "hunter2"}
	to.Set, to.Secrets = nil, map[string]string{"DB": "ssm:/hunter3", "NEW": "ssm:/n"}
	if diff := cmp.Diff([]string{"KEY", "LEVEL", "NEW"}, Changed(example(), to)); diff != "" {
		t.Error(diff)
	}
	if names := Changed(to, to); len(names) > 0 || to.Equal(example()) {
		t.Error(names)
	}
}

func TestDigestsDependOnSaltNameAndValue(t *testing.T) {
	all := map[string]bool{}
	for _, d := range []string{
		Digest("s", "n", "v"), Digest("t", "n", "v"), Digest("s", "m", "v"), Digest("s", "n", "w"),
	} {
		all[d] = true
	}
	first, again := Digest("s", "n", "v"), Digest("s", "n", "v")
	if len(all) != 4 || first != again {
		t.Error(all)
	}
}
