package eventlog

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

var start = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)

func open(t *testing.T, dir string, limit int64) *Log {
	t.Helper()
	l, err := Open(dir, limit)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// fill creates a stream and appends a batch for each text, a second apart, whose words are
// events of the same millisecond.
func fill(t *testing.T, l *Log, id string, batches ...string) {
	t.Helper()
	if err := l.Create(id); err != nil {
		t.Fatal(err)
	}
	for i, words := range batches {
		put(t, l, id, start.Add(time.Duration(i)*time.Second), words)
	}
}

func put(t *testing.T, l *Log, id string, at time.Time, words string) {
	t.Helper()
	var events []Event
	for word := range strings.FieldsSeq(words) {
		events = append(events, Event{Time: at.UnixMilli(), Message: word})
	}
	if err := l.Append(id, at, events); err != nil {
		t.Fatal(err)
	}
}

// all reads the messages of the streams page by page.
func all(t *testing.T, l *Log, q Query, streams ...string) string {
	t.Helper()
	var words []string
	for range 10_000 {
		page, err := l.Read(streams, q)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range page.Events {
			words = append(words, f.Message)
		}
		if !page.More {
			return strings.Join(words, " ")
		}
		if q.Backward {
			q.Until = page.Next
		} else {
			q.From = page.Next
		}
	}
	t.Fatal("the pages do not end")
	return ""
}

func everything(limit int) Query { return Query{Until: End, Limit: limit, Bytes: 1 << 20} }

func TestPagesHoldEachEventOnceInOrder(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir, 1<<30)
	fill(t, l, "a", "1 2", "5", "6 7 8")
	fill(t, l, "b", "3 4")
	put(t, l, "b", start.Add(3*time.Second), "9")
	for _, log := range []*Log{l, open(t, dir, 1<<30)} {
		for limit := 1; limit < 11; limit++ {
			q := everything(limit)
			if got := all(t, log, q, "a", "b"); got != "1 2 3 4 5 6 7 8 9" {
				t.Errorf("pages of %d: got %s", limit, got)
			}
			q.Backward = true
			if got := all(t, log, q, "a", "b"); got != "9 8 7 6 5 4 3 2 1" {
				t.Errorf("pages of %d backward: got %s", limit, got)
			}
		}
	}
	q := everything(10)
	q.From, q.Until = At(start.Add(time.Second).UnixMilli()), At(start.Add(3*time.Second).UnixMilli())
	if got := all(t, l, q, "a", "b"); got != "5 6 7 8" {
		t.Errorf("a range: got %s", got)
	}
	q = everything(10)
	q.Match = func(message string) bool { return message > "3" }
	if got := all(t, l, q, "b"); got != "4 9" {
		t.Errorf("what matches: got %s", got)
	}
	q = everything(10)
	q.Bytes = 2 * EventSize("1")
	if page, err := l.Read([]string{"a"}, q); err != nil || len(page.Events) != 2 || !page.More {
		t.Errorf("a page of two events' size: got %+v, %v", page, err)
	}
}

func TestEventsThatArriveLateAreInOrderOfTheirTimes(t *testing.T) {
	l := open(t, t.TempDir(), 1<<30)
	fill(t, l, "a")
	const events = 400
	for i := range events { // over several blocks
		at := (i * 177) % events
		put(t, l, "a", start.Add(time.Duration(at)*time.Second), fmt.Sprintf("%04d%01000d", at, 0))
	}
	for _, limit := range []int{7, 90, 10_000} {
		words := strings.Fields(all(t, l, everything(limit), "a"))
		if len(words) != events || !slices.IsSorted(words) {
			t.Errorf("pages of %d: %d events, sorted: %v", limit, len(words), slices.IsSorted(words))
		}
	}
}

func TestATornEndIsRemovedAndAppendingContinues(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir, 1<<30)
	fill(t, l, "a", "1", "2")
	segments, err := filepath.Glob(filepath.Join(dir, "a", "*"))
	if err != nil || len(segments) != 1 {
		t.Fatal(segments, err)
	}
	whole, err := os.ReadFile(segments[0])
	if err != nil {
		t.Fatal(err)
	}
	next := frame(1<<62, []Event{{Time: 1, Message: "half"}})
	for cut := range next {
		if err := os.WriteFile(segments[0], append(slices.Clone(whole), next[:cut]...), 0o600); err != nil {
			t.Fatal(err)
		}
		l, lost := open(t, dir, 1<<30), int64(0)
		l.Lost = func(_ string, bytes int64) { lost += bytes }
		if got := all(t, l, everything(10), "a"); got != "1 2" || lost != int64(cut) {
			t.Fatalf("%d bytes of a frame: got %s, lost %d", cut, got, lost)
		}
		put(t, l, "a", start.Add(3*time.Second), "3")
		if got := all(t, open(t, dir, 1<<30), everything(10), "a"); got != "1 2 3" {
			t.Fatalf("%d bytes of a frame, and a batch: got %s", cut, got)
		}
	}
}

func TestTheOldestEventsMakeRoom(t *testing.T) {
	const limit = 4 * segmentSize
	dir := t.TempDir()
	l := open(t, dir, limit)
	fill(t, l, "old", "first")
	fill(t, l, "new")
	line := strings.Repeat("x", 100<<10)
	for i := range 100 {
		put(t, l, "new", start.Add(time.Duration(i+1)*time.Minute), fmt.Sprint(i, line))
	}
	if l.used > limit {
		t.Errorf("%d bytes are used", l.used)
	}
	if got := all(t, l, everything(10), "old"); got != "" {
		t.Errorf("the oldest event is still there: %s", got)
	}
	words := all(t, l, Query{Until: End, Limit: 1, Bytes: 1, Backward: true}, "new")
	if !strings.HasPrefix(words, "99"+line) {
		t.Errorf("the latest event is not there")
	}
	again := open(t, dir, limit)
	if again.used != l.used {
		t.Errorf("%d bytes are used after a restart, %d before", again.used, l.used)
	}
}

func TestExpiredSegmentsAreDeleted(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir, 1<<30)
	fill(t, l, "a", "1")
	put(t, l, "a", start.Add(25*time.Hour), "2") // in a segment of its own
	for before, want := range map[time.Duration]string{time.Hour: "1 2", 26*time.Hour - 1: "1 2"} {
		if err := l.Expire("a", start.Add(before)); err != nil {
			t.Fatal(err)
		}
		if got := all(t, l, everything(10), "a"); got != want {
			t.Errorf("%v later: got %s, want %s", before, got, want)
		}
	}
	if err := l.Expire("a", start.Add(26*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if got := all(t, l, everything(10), "a"); got != "2" {
		t.Errorf("got %s", got)
	}
	if files, err := os.ReadDir(filepath.Join(dir, "a")); err != nil || len(files) != 1 {
		t.Errorf("files %v, %v", files, err)
	}
}

func TestARemovedStreamIsGone(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir, 1<<30)
	fill(t, l, "a", "1")
	fill(t, l, "b", "2")
	if err := l.Remove("a"); err != nil {
		t.Fatal(err)
	}
	if err := l.Append("a", start, []Event{{Message: "x"}}); !errors.Is(err, ErrNoStream) {
		t.Errorf("appending to a removed stream: %v", err)
	}
	l = open(t, dir, 1<<30)
	if err := l.Retain(func(string) bool { return false }); err != nil {
		t.Fatal(err)
	}
	if folders, err := os.ReadDir(dir); err != nil || len(folders) != 0 || l.used != 0 {
		t.Errorf("%v is left, %v, and %d bytes are used", folders, err, l.used)
	}
}

func TestASummaryTellsTimes(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir, 1<<30)
	fill(t, l, "a", "1", "2")
	late := start.Add(time.Hour)
	if err := l.Append("a", late, []Event{{Time: 7, Message: "x"}}); err != nil {
		t.Fatal(err)
	}
	for _, log := range []*Log{l, open(t, dir, 1<<30)} {
		got, err := log.Summary("a")
		want := Summary{First: 7, Last: start.Add(time.Second).UnixMilli(), Ingested: late.UnixMilli()}
		if err != nil || got != want || log.Size("a") == 0 {
			t.Errorf("got %+v, %v, %d bytes", got, err, log.Size("a"))
		}
	}
}

func FuzzReadFrame(f *testing.F) {
	f.Add(frame(1, []Event{{Time: 1, Message: "a"}}))
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, _, length := readFrame(data); length > len(data) {
			t.Errorf("a frame of %d bytes in %d", length, len(data))
		}
	})
}
