package metric

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"aloft.dev/aloft/internal/cloud/identity"
)

// opened returns a store whose history is in a folder, and what it logs.
func opened(t *testing.T, dir string) (*Store, *bytes.Buffer) {
	t.Helper()
	var log bytes.Buffer
	h, err := OpenHistory(dir, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	return &Store{History: h}, &log
}

// sums returns the sums of a metric from noon on.
func sums(s *Store, id ID) (out []float64) {
	for _, p := range s.Points("r", id, noon, noon.Add(Retention), "Count") {
		out = append(out, p.Sum)
	}
	return out
}

func TestSummariesOutliveTheProcess(t *testing.T) {
	dir := t.TempDir()
	id := NewID("Own", "Size", Dimension{"A", "1"})
	s, _ := opened(t, dir)
	s.Add("r", id, noon, "Count", SummaryOf(1, 1))
	s.Add("r", id, noon.Add(time.Minute), "Count", SummaryOf(2, 1))
	if err := s.Save(noon.Add(time.Minute), noon.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	killed, _ := opened(t, dir)
	if diff := cmp.Diff([]float64{1}, sums(killed, id)); diff != "" {
		t.Errorf("without the minute that was not saved: %s", diff)
	}
	s.Add("r", id, noon, "Count", SummaryOf(4, 1)) // late
	if err := s.SaveAll(noon.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	before := size(t, dir)
	if err := s.SaveAll(noon.Add(2 * time.Minute)); err != nil {
		t.Fatal(err)
	}
	if size(t, dir) != before {
		t.Error("summaries that have not changed are written again")
	}
	again, _ := opened(t, dir)
	again.Add("r", id, noon.Add(time.Minute), "Count", SummaryOf(8, 1))
	if diff := cmp.Diff([]float64{5, 10}, sums(again, id)); diff != "" {
		t.Error(diff)
	}
	again.Expire(noon.Add(Retention + time.Second))
	if diff := cmp.Diff([]float64{10}, sums(again, id)); diff != "" {
		t.Errorf("after their retention: %s", diff)
	}
}

// segments returns the files of a history.
func segments(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, historyStream, "*"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	return files
}

func size(t *testing.T, dir string) (bytes int64) {
	t.Helper()
	for _, file := range segments(t, dir) {
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		bytes += info.Size()
	}
	return bytes
}

func TestUnreadableMetricsAreLeftOut(t *testing.T) {
	dir := t.TempDir()
	id := NewID("Own", "Size")
	s, _ := opened(t, dir)
	s.Add("r", id, noon, "Count", SummaryOf(1, 1))
	if err := s.SaveAll(noon); err != nil {
		t.Fatal(err)
	}
	if err := s.History.write(noon.Add(time.Second), []byte{encodingVersion, 7}); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(segments(t, dir)[0], os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString("half"); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	again, log := opened(t, dir)
	if diff := cmp.Diff([]float64{1}, sums(again, id)); diff != "" {
		t.Error(diff)
	}
	if text := log.String(); !strings.Contains(text, "bytes=4") || !strings.Contains(text, "unreadable: left out") ||
		strings.Count(text, "\n") != 2 {
		t.Errorf("the log says %s", text)
	}
}

func TestMetricsThatCannotBeWrittenAreSavedLater(t *testing.T) {
	dir := t.TempDir()
	id := NewID("Own", "Size")
	s, _ := opened(t, dir)
	s.Add("r", id, noon, "Count", SummaryOf(1, 1))
	folder := filepath.Join(dir, historyStream)
	if err := os.Rename(folder, folder+"-away"); err != nil {
		t.Fatal(err)
	}
	if err := s.SaveAll(noon); err == nil {
		t.Fatal("saved into a folder that is not there")
	}
	if err := os.Rename(folder+"-away", folder); err != nil {
		t.Fatal(err)
	}
	if err := s.SaveAll(noon.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	again, _ := opened(t, dir)
	if diff := cmp.Diff([]float64{1}, sums(again, id)); diff != "" {
		t.Error(diff)
	}
}

// summaries generates summaries as measurements make them.
func summaries() *rapid.Generator[Summary] {
	return rapid.Custom(func(t *rapid.T) (s Summary) {
		value, times := rapid.Float64Range(-1e9, 1e9), rapid.Float64Range(1, 1e6)
		for range rapid.IntRange(1, 3).Draw(t, "merged") {
			low := value.Draw(t, "low")
			high := low + rapid.Float64Range(0, 5).Draw(t, "range")
			switch rapid.IntRange(0, 2).Draw(t, "kind") {
			case 0:
				s.Merge(SummaryOf(low, times.Draw(t, "times")))
			case 1:
				s.Merge(SummaryBetween(low, high, value.Draw(t, "sum"), times.Draw(t, "times")))
			default:
				s.Merge(SummaryOfSet(times.Draw(t, "times"), value.Draw(t, "sum"), low, high))
			}
		}
		return s
	})
}

func TestSummariesAreDecodedAsTheyWereEncoded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var e encoder
		var want, got []Summary
		var places, gotPlaces []place
		for range rapid.IntRange(0, 5).Draw(t, "n") {
			region := identity.Region(rapid.String().Draw(t, "region"))
			at := place{
				seriesKey{region, NewID("n", rapid.String().Draw(t, "name"))},
				pointKey{rapid.Int64Range(0, 1<<40).Draw(t, "minute"), rapid.String().Draw(t, "unit")},
			}
			s := summaries().Draw(t, "summary")
			e.add(at, &s)
			want, places = append(want, s), append(places, at)
		}
		var d decoder
		err := d.decode(string(e.bytes()), func(at place, s Summary) {
			got, gotPlaces = append(got, s), append(gotPlaces, at)
		})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(Summary{}, occurrence{})); diff != "" {
			t.Error(diff)
		}
		inside := cmp.AllowUnexported(place{}, seriesKey{}, pointKey{}, ID{})
		if diff := cmp.Diff(places, gotPlaces, inside); diff != "" {
			t.Error(diff)
		}
	})
}

func FuzzDecode(f *testing.F) {
	var e encoder
	s := SummaryOf(1, 2)
	e.add(place{seriesKey{"r", NewID("n", "m")}, pointKey{1, "u"}}, &s)
	f.Add(string(e.bytes()))
	f.Fuzz(func(_ *testing.T, encoded string) {
		var d decoder
		_ = d.decode(encoded, func(place, Summary) {}) // must not panic
	})
}

// BenchmarkLoad reads as many summaries as a Store holds.
func BenchmarkLoad(b *testing.B) {
	dir := b.TempDir()
	h, err := OpenHistory(dir, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	s := Store{History: h}
	for minute := range maxSummaries / 200 {
		at := noon.Add(time.Duration(minute) * time.Minute)
		for i := range 200 {
			name, instance := "Metric"+string(rune('a'+i%10)), strings.Repeat("i", 1+i/10)
			id := NewID("AWS/EC2", name, Dimension{"InstanceId", instance})
			s.Add("r", id, at, "Count", SummaryOf(float64(i*minute)/7, 1))
		}
		if err := s.Save(at, at.Add(time.Minute)); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		again, err := OpenHistory(dir, slog.New(slog.DiscardHandler))
		if err != nil {
			b.Fatal(err)
		}
		loaded := Store{History: again}
		if n := len(loaded.List("r", noon)); n != 200 || loaded.points != maxSummaries {
			b.Fatal(n, loaded.points)
		}
	}
}
