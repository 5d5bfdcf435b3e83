package picture

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"path/filepath"
	"testing"
	"time"

	"aloft.dev/aloft/internal/golden"
	"aloft.dev/aloft/internal/load"
)

// recording has 20 requests per second for 12 seconds. Each kind of failure occurs
// once or more.
func recording() load.Recording {
	var r load.Recording
	for i := range 240 {
		s := load.Sample{At: time.Duration(i) * 50 * time.Millisecond, Kind: load.OK}
		if i >= 60 && i < 60+4*len(load.Kinds) && i%2 == 0 {
			s.Kind = load.Kinds[(i-60)/4]
		}
		r.Samples = append(r.Samples, s)
	}
	return r
}

func TestPictureOfRequests(t *testing.T) {
	r := recording()
	p := New(300, GridOf(Lasts(r)), `Title with <&> and "quotes"`, "240 requests")
	p.Requests(Plot{Top: 100, High: 140}, r)
	p.Time(240, 3*time.Second, "seconds since the failure")
	got := p.End()

	golden.Check(t, filepath.Join("testdata", "requests.svg"), string(got))
	for d := xml.NewDecoder(bytes.NewReader(got)); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("not well-formed: %v", err)
		}
	}
}

func TestPictureWithoutRequestsIsComplete(t *testing.T) {
	p := New(300, GridOf(Lasts(load.Recording{})), "", "")
	p.Requests(Plot{Top: 100, High: 140}, load.Recording{})
	if svg := p.End(); bytes.Contains(svg, []byte("NaN")) || bytes.Contains(svg, []byte("Inf")) {
		t.Errorf("got %s", svg)
	}
}

func TestEveryKindHasAColourOfItsOwn(t *testing.T) {
	kinds := map[string]load.Kind{}
	for _, kind := range append([]load.Kind{load.OK}, load.Kinds...) {
		colour := kindColours[kind]
		if other, taken := kinds[colour]; taken || colour == "" {
			t.Errorf("%s has the colour %q of %q", kind, colour, other)
		}
		kinds[colour] = kind
	}
}
