package console

import (
	"slices"
	"testing"
)

func TestLinesAreInterruptedWhereNothingIsKnown(t *testing.T) {
	s := Series{1, 2, -1, 4, -1}
	if got, want := s.Levels(), "M0.0 17.5h0L30.0 12.0M90.0 1.0h0"; got != want {
		t.Errorf("levels %s, want %s", got, want)
	}
	if got, want := s.Counts(), "M0.0 17.5h0L30.0 12.0L60.0 23.0L90.0 1.0L120.0 23.0"; got != want {
		t.Errorf("counts %s, want %s", got, want)
	}
	if s.Latest() != "4" || s.Highest() != "4" || (Series{-1, -1}).Levels() != "" || (Series{}).Counts() != "" {
		t.Errorf("latest %s, highest %s", s.Latest(), s.Highest())
	}
}

func TestValuesOfFiveMinutesLastThatLong(t *testing.T) {
	for _, c := range []struct {
		given, want Series
		minutes     int
	}{
		{Series{-1, -1, -1}, Series{-1, -1, -1}, 0},
		{Series{-1, 3, -1}, Series{-1, 3, -1}, 0},
		{Series{1, 2, -1, 4}, Series{1, 2, -1, 4}, 1},
		{Series{-1, 1, -1, -1, 2, -1, -1, -1}, Series{-1, 1, 1, 1, 2, 2, 2, -1}, 3},
	} {
		got := slices.Clone(c.given)
		if minutes := got.spread(); minutes != c.minutes || !slices.Equal(got, c.want) {
			t.Errorf("%v: %v, each of %d minutes; want %v, of %d", c.given, got, minutes, c.want, c.minutes)
		}
	}
}
