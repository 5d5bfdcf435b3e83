package manners

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	for text, want := range map[string][]Manner{
		"aws": All(), "kind": {}, "times": {Times}, "load, times,load": {Load, Times},
	} {
		got, err := Parse(text)
		if err != nil || !cmp.Equal(got, want) {
			t.Errorf("Parse(%q) = %v, %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "nice", "times,"} {
		if _, err := Parse(text); err == nil {
			t.Errorf("Parse(%q) succeeded", text)
		}
	}
}

func TestEveryMannerIsDescribed(t *testing.T) {
	var described []Manner
	for _, d := range Descriptions() {
		described = append(described, d.Manner)
		if d.What == "" || d.Source == "" {
			t.Errorf("the description of %s is incomplete: %+v", d.Manner, d)
		}
	}
	if diff := cmp.Diff(All(), described); diff != "" {
		t.Error(diff)
	}
}

func TestKindCloud(t *testing.T) {
	var none *Set
	for _, s := range []*Set{none, new(Set)} {
		if s.Has(Times) || s.Happens(Load, 1, "call") || s.Holds(Zones, 1, "zone") ||
			s.Duration(Times, Span{time.Minute, time.Hour}, "create", "a") != 0 || s.Scaled(Times, time.Hour) != 0 ||
			s.Sample(Consistency, Span{time.Minute, time.Hour}, "lag") != 0 {
			t.Errorf("a cloud without settings has manners")
		}
	}
}

// decisions returns what a set decides about things with the given names.
func decisions(seed uint64, names ...string) []string {
	s := new(Set)
	s.Use(Settings{Manners: All(), Seed: seed})
	var out []string
	for _, name := range names {
		d := s.Duration(Times, Span{time.Minute, time.Hour}, "create", name)
		out = append(out, fmt.Sprint(d, s.Happens(Load, 0.5, "call"), s.Holds(Zones, 0.5, "a zone")))
	}
	return out
}

func TestDecisionsFollowFromTheSeed(t *testing.T) {
	first := decisions(1, "a", "b", "c")
	if diff := cmp.Diff(first, decisions(1, "x", "y", "z")); diff != "" {
		t.Errorf("the same seed decides differently about other names:\n%s", diff)
	}
	if cmp.Equal(first, decisions(2, "a", "b", "c")) {
		t.Error("another seed decides the same")
	}
}

func TestDuration(t *testing.T) {
	s := new(Set)
	s.Use(Settings{Manners: []Manner{Times}, TimeScale: 0.1})
	span := Span{2 * time.Minute, 3 * time.Minute}
	seen := map[time.Duration]bool{}
	for i := range 100 {
		name := fmt.Sprint(i)
		d := s.Duration(Times, span, "create", name)
		if d < span.Min/10 || d > span.Max/10 {
			t.Fatalf("duration is %s, want a tenth of %s to %s", d, span.Min, span.Max)
		}
		if again := s.Duration(Times, span, "create", name); again != d {
			t.Fatalf("the same name takes %s, then %s", d, again)
		}
		seen[d] = true
	}
	if len(seen) < 90 {
		t.Errorf("100 names have %d different durations", len(seen))
	}
	if got := s.Scaled(Times, time.Minute); got != 6*time.Second {
		t.Errorf("a minute is %s, want 6s", got)
	}
	if s.Duration(Load, span, "create", "0") != 0 {
		t.Error("a manner that is off takes time")
	}
}

func TestHappensAboutAsOftenAsAsked(t *testing.T) {
	s := new(Set)
	s.Use(Settings{Manners: []Manner{Load}, Seed: 7})
	count := 0
	for range 10000 {
		if s.Happens(Load, 0.2, "call") {
			count++
		}
	}
	if count < 1800 || count > 2200 {
		t.Errorf("an event of probability 0.2 happened %d times in 10000 calls", count)
	}
}

func TestOnlyTimesTakesTime(t *testing.T) {
	s := new(Set)
	s.Use(Settings{Manners: []Manner{Times}, TimeScale: 0.5})
	now := time.Now()
	for _, d := range []Delay{
		CreateVPC, CreateSubnet, CreateLoadBalancer, PublishName, ReleaseInterfaces, CreateImage, StartInstance,
		CheckInstance, StopInstance, TerminateInstance, PostConsole, DeliverMetrics, StartLaunch, DeleteScalingGroup,
	} {
		span := spans[d]
		if got := s.Until(now, d, "a").Sub(now); span.Min == 0 || got < span.Min/2 || got > span.Max/2 {
			t.Errorf("%s takes %s, want half of %s to %s", d, got, span.Min, span.Max)
		}
	}
	s.Use(Settings{Manners: []Manner{Load}})
	if at := s.Until(now, CreateVPC, "a"); !at.IsZero() {
		t.Errorf("without the manner something takes until %s", at)
	}
}

func TestSamplesAreDrawnAnew(t *testing.T) {
	draw := func(seed uint64) (all []time.Duration) {
		s := new(Set)
		s.Use(Settings{Manners: []Manner{Consistency}, Seed: seed, TimeScale: 0.5})
		for range 50 {
			d := s.Sample(Consistency, Span{time.Second, 3 * time.Second}, "lag")
			if d < time.Second/2 || d > 3*time.Second/2 {
				t.Fatalf("sample is %s, want half of 1s to 3s", d)
			}
			all = append(all, d)
		}
		return all
	}
	first := draw(1)
	if diff := cmp.Diff(first, draw(1)); diff != "" {
		t.Errorf("the same seed draws differently:\n%s", diff)
	}
	if first[0] == first[1] || cmp.Equal(first, draw(2)) {
		t.Errorf("samples repeat: %v", first)
	}
}
