//go:build linux && root

package torture

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"go.etcd.io/bbolt"

	"aloft.dev/aloft/internal/cloud/durable"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/test/powerloss"
)

// writer is a process that carries out rounds.
type writer struct {
	orders  io.WriteCloser
	answers *bufio.Scanner
}

func startWriter(t *testing.T) *writer {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), roleVariable+"=writer")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(in.Close(), cmd.Wait()); err != nil {
			t.Error(err)
		}
	})
	return &writer{in, bufio.NewScanner(out)}
}

// do carries out a round and returns the last transaction that was answered, and why the
// round ended.
func (w *writer) do(t *testing.T, r round) (done int, end string) {
	t.Helper()
	if err := json.NewEncoder(w.orders).Encode(r); err != nil {
		t.Fatal(err)
	}
	for done = r.Next - 1; w.answers.Scan(); {
		var a answer
		if err := json.Unmarshal(w.answers.Bytes(), &a); err != nil {
			t.Fatal(err)
		}
		if a.Ended {
			return done, a.Error
		}
		done = a.Done
	}
	t.Fatal("the writer died")
	return 0, ""
}

// TestRealStoreSurvivesPowerCuts cuts the power at random points of transactions and of
// openings. After each cut the store holds every answered transaction and, at most, the
// one that was in flight, wholly.
func TestRealStoreSurvivesPowerCuts(t *testing.T) {
	random, w := random(t, 1), startWriter(t)
	folder := t.TempDir()
	const perDisk = 10 // then a new disk, so that creations of the database are cut too
	for cut := 0; cut < *cutsFlag; cut += perDisk {
		model, err := store.Open("")
		if err != nil {
			t.Fatal(err)
		}
		files, done := map[string][]byte{}, 0
		for range min(perDisk, *cutsFlag-cut) {
			files, done = cutOnce(t, random, w, folder, files, model, done)
		}
	}
}

// cutOnce lets the writer continue after transaction done until the power is lost, checks
// what is left, and returns it with the last transaction in it, which model then holds too.
func cutOnce(
	t *testing.T, random *rand.Rand, w *writer, folder string, files map[string][]byte, model *store.Store, done int,
) (map[string][]byte, int) {
	t.Helper()
	lostAfter := random.IntN(1 + random.IntN(500)) // often during the opening
	disk, err := powerloss.Mount(folder, files, lostAfter)
	if err != nil {
		t.Fatal(err)
	}
	r := round{Path: filepath.Join(folder, "aloft.db"), Seed: *seedFlag, Next: done + 1, Last: done + 40}
	answered, end := w.do(t, r)
	if end != "" && !disk.Lost() {
		t.Fatalf("transaction %d failed with power: %s", answered+1, end)
	}
	files = disk.Files(random)
	if err := disk.Unmount(); err != nil {
		t.Fatal(err)
	}
	recorded.Add(func(r *Report) { r.PowerCuts++; r.Answered += answered - done })
	for number := done + 1; number <= answered; number++ {
		repeat(t, model, number)
	}
	s := reopen(t, files)
	if s == nil {
		if answered > 0 {
			recorded.Add(func(r *Report) { r.Lost += answered })
			t.Fatalf("after %d changes the database is gone, with %d answered transactions", lostAfter, answered)
		}
		return files, answered
	}
	if found := rows(s); !slices.Equal(found, rows(model)) {
		repeat(t, model, answered+1)
		if !slices.Equal(found, rows(model)) {
			recorded.Add(func(r *Report) { r.Lost++ })
			t.Fatalf("after %d changes the database holds neither transaction %d nor the next", lostAfter, answered)
		}
		answered++
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return files, answered
}

// repeat makes a transaction in the model.
func repeat(t *testing.T, model *store.Store, number int) {
	t.Helper()
	if err := model.Update(transaction(*seedFlag, number)); err != nil {
		t.Fatal(err)
	}
}

// reopen opens a copy of the database among files, or returns nil if there is none. The
// pages of the file must be consistent.
func reopen(t *testing.T, files map[string][]byte) *store.Store {
	t.Helper()
	if _, ok := files["aloft.db"]; !ok {
		return nil
	}
	folder := scratch(t)
	defer remove(t, folder)
	path := copyOf(t, files, folder)
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatalf("open the database after the cut: %v", err)
	}
	if err := db.View(func(tx *bbolt.Tx) error {
		var problems []error
		for problem := range tx.Check() {
			problems = append(problems, problem)
		}
		return errors.Join(problems...)
	}); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestRealFilesSurvivePowerCuts replaces a file, as the local cloud writes its keys and
// machine.json, and cuts the power after each number of changes. The file has the old or
// the new content, and the new one if the replacement was answered.
func TestRealFilesSurvivePowerCuts(t *testing.T) {
	random, folder := random(t, 2), t.TempDir()
	const before, after = "before", "the content afterwards"
	for lostAfter := range 8 {
		for range 10 {
			disk, err := powerloss.Mount(folder, map[string][]byte{"seal.key": []byte(before)}, lostAfter)
			if err != nil {
				t.Fatal(err)
			}
			failed := durable.WriteFile(filepath.Join(folder, "seal.key"), []byte(after), 0o600)
			if failed == nil && lostAfter < 4 {
				t.Errorf("the file was replaced with %d changes", lostAfter)
			}
			found := string(disk.Files(random)["seal.key"])
			if err := disk.Unmount(); err != nil {
				t.Fatal(err)
			}
			recorded.Add(func(r *Report) { r.PowerCuts++ })
			if found != after && (failed == nil || found != before) {
				t.Errorf("after %d changes (%v) the file contains %q", lostAfter, failed, found)
			}
		}
	}
}
