package report

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"aloft.dev/aloft/internal/golden"
	"aloft.dev/aloft/internal/load"
)

var tutorial = Settings{
	Interval:  5 * time.Second,
	Timeout:   2 * time.Second,
	Unhealthy: 2,
	Healthy:   2,
	Zones:     3,
	Targets:   3,
}

// zoneLost returns the facts of a zone drill: 40 s at 100 requests per second, of which
// a third fails from second 10 until the health checks have failed.
func zoneLost() Facts {
	f := Facts{
		Experiment:    "zone",
		Victim:        "us-east-1a",
		Settings:      tutorial,
		Bound:         tutorial.Bound("zone"),
		Injected:      10 * time.Second,
		Detected:      18500 * time.Millisecond,
		OutOfRotation: 19 * time.Second,
		Restored:      29 * time.Second,
		Recovered:     34 * time.Second,
	}
	f.Recording.Started = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	for i := range 4000 {
		s := load.Sample{
			At:      time.Duration(i) * 10 * time.Millisecond,
			Latency: time.Duration(2000+i%300*10) * time.Microsecond,
			Kind:    load.OK,
			Status:  200,
			Target:  fmt.Sprintf("server-%d", i%3+1),
		}
		out := s.At >= f.OutOfRotation && s.At < f.Recovered
		switch {
		case i%3 == 0 && s.At >= f.Injected && s.At < f.OutOfRotation:
			s.Kind, s.Status, s.Target, s.Latency = load.Timeout, 0, "", 5*time.Second
			if i%9 == 0 {
				s.Kind, s.Status = load.GatewayTimeout, 504
			}
		case i%3 == 0 && out:
			s.Target = fmt.Sprintf("server-%d", 2+i/3%2)
		}
		if s.At >= f.Injected && s.At < f.Recovered && s.Kind == load.OK {
			s.Latency *= 3
		}
		f.Recording.Samples = append(f.Recording.Samples, s)
	}
	return f
}

func TestReportAsJSON(t *testing.T) {
	r := New(zoneLost())
	document, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden.Check(t, filepath.Join("testdata", "zone.json"), string(document)+"\n")
}

func TestReportAsText(t *testing.T) {
	var out bytes.Buffer
	New(zoneLost()).Text(&out, 80, nil)
	golden.Check(t, filepath.Join("testdata", "zone.txt"), out.String())

	out.Reset()
	outside := zoneLost()
	outside.Settings = Settings{
		Interval:  30 * time.Second,
		Timeout:   5 * time.Second,
		Unhealthy: 2,
		Healthy:   5,
		Zones:     2,
		Targets:   2,
	}
	outside.Experiment, outside.Victim = "freeze", "server-1"
	outside.Bound = tutorial.Bound("app")
	outside.Recording.Samples[100].Kind = load.BadGateway
	outside.Alerts = []string{"alarm-unhealthy"}
	New(outside).Text(&out, 60, strings.ToUpper)
	golden.Check(t, filepath.Join("testdata", "outside.txt"), out.String())
}

func TestASCIIReplacesAllSpecialCharacters(t *testing.T) {
	var out bytes.Buffer
	New(zoneLost()).Text(&out, 80, nil)
	for _, c := range ASCII(out.String()) {
		if c > 127 {
			t.Fatalf("%q is left", c)
		}
	}
}

func TestPercentRoundsDown(t *testing.T) {
	for part, want := range map[float64]string{1: "100 %", 0.9999999: "99.999 %", 0.925: "92.500 %", 0: "0.000 %"} {
		if got := percent(part); got != want {
			t.Errorf("%v: %s, want %s", part, got, want)
		}
	}
}

// wellFormed returns the error of a picture that is not well-formed XML.
func wellFormed(picture []byte) error {
	for d := xml.NewDecoder(bytes.NewReader(picture)); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

func TestReportAsPicture(t *testing.T) {
	picture := New(zoneLost()).SVG()
	if err := wellFormed(picture); err != nil {
		t.Error(err)
	}
	golden.Check(t, filepath.Join("testdata", "zone.svg"), string(picture))
	empty := New(Facts{Experiment: "app<&>", Victim: `"`}).SVG()
	if !bytes.Contains(empty, []byte("app&lt;&amp;&gt;")) || wellFormed(empty) != nil {
		t.Error("texts are not escaped")
	}
}

func TestBoundAndAdviceFollowFromTheSettings(t *testing.T) {
	slow := Settings{
		Interval:  30 * time.Second,
		Timeout:   5 * time.Second,
		Unhealthy: 2,
		Healthy:   2,
		Zones:     2,
		Targets:   3,
	}
	single := tutorial
	single.Targets, single.Zones = 1, 0
	for _, c := range []struct {
		experiment string
		settings   Settings
		want       time.Duration
		advice     int
	}{
		{"zone", tutorial, 13 * time.Second, 0},
		{"app", tutorial, 11 * time.Second, 0},
		{"overload", tutorial, 13 * time.Second, 0},
		{"freeze", slow, 66 * time.Second, 2},
		{"instance", single, 13 * time.Second, 1},
	} {
		b := c.settings.Bound(c.experiment)
		if b.Total() != c.want || len(c.settings.advice(c.experiment)) != c.advice {
			t.Errorf("%s: got %v, advice %q; want %v, %d", c.experiment, b.Total(), c.settings.advice(c.experiment),
				c.want, c.advice)
		}
	}
}

// drawFacts draws the facts of a drill that may have begun at any time.
func drawFacts(t *rapid.T) Facts {
	kinds := []load.Kind{load.OK, load.OK, load.OK, load.Timeout, load.BadGateway, load.Reset}
	f := Facts{
		Experiment: "freeze",
		Settings:   tutorial,
		Bound:      tutorial.Bound("freeze"),
		Injected:   time.Duration(rapid.Int64Range(0, 30_000).Draw(t, "injected")) * time.Millisecond,
	}
	at := time.Duration(0)
	for range rapid.IntRange(0, 60).Draw(t, "requests") {
		at += time.Duration(rapid.Int64Range(0, 2000).Draw(t, "gap")) * time.Millisecond
		f.Recording.Samples = append(f.Recording.Samples, load.Sample{
			At:      at,
			Latency: time.Duration(rapid.Int64Range(0, 5_000_000).Draw(t, "latency")) * time.Microsecond,
			Kind:    rapid.SampledFrom(kinds).Draw(t, "kind"),
			Target:  rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "target"),
		})
	}
	return f
}

func TestEveryRequestIsCounted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := drawFacts(t)
		r := New(f)
		failed, outside := 0, 0
		var well []time.Duration
		for _, s := range f.Recording.Samples {
			if s.Kind == load.OK {
				if f.Injected == 0 || s.At+s.Latency < f.Injected {
					well = append(well, s.Latency)
				}
				continue
			}
			failed++
			if f.Injected == 0 || s.At+s.Latency < f.Injected || s.At > f.Injected+13*time.Second {
				outside++
			}
			at := (s.At - f.Injected).Milliseconds()
			if at < *r.FirstFailure || at > *r.LastFailure || *r.LastFailure-*r.FirstFailure != r.ErrorWindow {
				t.Fatalf("a failure at %d ms is outside of the error window, %d to %d ms",
					at, *r.FirstFailure, *r.LastFailure)
			}
		}
		sum := 0
		for _, n := range r.FailedByKind {
			sum += n
		}
		if r.Sent != len(f.Recording.Samples) || r.Failed != failed || sum != failed || r.OutsideOfBound != outside ||
			r.Inside() != (outside == 0) {
			t.Fatalf("%+v, want %d failed, %d outside", r, failed, outside)
		}
		slices.Sort(well)
		if n := len(well); n > 0 && r.Latency.Before.P50 != float64(well[(n+1)/2-1].Microseconds())/1000 {
			t.Fatalf("p50 %v of %v", r.Latency.Before.P50, well)
		}
		for _, width := range []int{20, 80} {
			r.Text(io.Discard, width, nil) // does not panic
		}
		if err := wellFormed(r.SVG()); err != nil || bytes.Contains(r.SVG(), []byte("NaN")) ||
			bytes.Contains(r.SVG(), []byte("Inf")) {
			t.Fatalf("%v\n%s", err, r.SVG())
		}
	})
}
