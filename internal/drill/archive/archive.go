// Package archive keeps the reports of past drills, each with its picture, as files of the user
// who performed them.
package archive

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"aloft.dev/aloft/internal/drill"
)

// kept is how many drills are kept. The oldest give way.
const kept = 200

const (
	reportEnding  = ".json"
	pictureEnding = ".svg"
)

// Archive is the drills of one application in one region.
type Archive struct {
	Dir string // which need not exist
}

// Entry is a past drill.
type Entry struct {
	ID     string // by time: a later drill's comes after
	Result drill.Result
}

// validID matches ids, which are names of files.
var validID = regexp.MustCompile(`^[0-9]{8}T[0-9]{6}\.[0-9]{3}Z-[a-z]+$`)

// Add keeps a drill and returns its id.
func (a Archive) Add(r drill.Result) (id string, err error) {
	id = r.Started.UTC().Format("20060102T150405.000Z") + "-" + r.Experiment
	if !validID.MatchString(id) {
		return "", fmt.Errorf("keep the report of a drill: %q cannot be the name of a file", id)
	}
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return "", fmt.Errorf("keep the report of a drill: %w", err)
	}
	if err := os.MkdirAll(a.Dir, 0o700); err != nil {
		return "", fmt.Errorf("keep the report of a drill: %w", err)
	}
	// The report comes last: a drill without one does not exist.
	if err := a.write(id+pictureEnding, r.SVG()); err != nil {
		return "", err
	}
	if err := a.write(id+reportEnding, append(text, '\n')); err != nil {
		return "", err
	}
	return id, a.removeOldest()
}

// write replaces a file as a whole.
func (a Archive) write(name string, data []byte) error {
	path := filepath.Join(a.Dir, name)
	if err := os.WriteFile(path+".new", data, 0o600); err != nil {
		return fmt.Errorf("keep the report of a drill: %w", err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("keep the report of a drill: %w", err)
	}
	return nil
}

// ids returns the ids of all drills, the oldest first.
func (a Archive) ids() ([]string, error) {
	files, err := os.ReadDir(a.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list the drills: %w", err)
	}
	var all []string
	for _, f := range files {
		if id, ok := strings.CutSuffix(f.Name(), reportEnding); ok && validID.MatchString(id) {
			all = append(all, id)
		}
	}
	slices.Sort(all)
	return all, nil
}

func (a Archive) removeOldest() error {
	all, err := a.ids()
	if err != nil {
		return err
	}
	for _, id := range all[:max(0, len(all)-kept)] {
		for _, ending := range []string{reportEnding, pictureEnding} {
			if err := os.Remove(filepath.Join(a.Dir, id+ending)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("remove an old drill: %w", err)
			}
		}
	}
	return nil
}

// List returns all drills, the latest first. A file that is not a report is left out.
func (a Archive) List() ([]Entry, error) {
	ids, err := a.ids()
	if err != nil {
		return nil, err
	}
	var all []Entry
	for _, id := range slices.Backward(ids) {
		if e, err := a.Get(id); err == nil {
			all = append(all, e)
		}
	}
	return all, nil
}

// Get returns a drill. The error wraps fs.ErrNotExist if there is none with the id.
func (a Archive) Get(id string) (Entry, error) {
	text, err := a.Report(id)
	if err != nil {
		return Entry{}, err
	}
	e := Entry{ID: id}
	if err := json.Unmarshal(text, &e.Result); err != nil {
		return Entry{}, fmt.Errorf("read the drill %s: %w", id, err)
	}
	return e, nil
}

// Report returns the report of a drill as JSON, as Get does.
func (a Archive) Report(id string) ([]byte, error) { return a.read(id, reportEnding) }

// Picture returns the picture of a drill as SVG, as Get does.
func (a Archive) Picture(id string) ([]byte, error) { return a.read(id, pictureEnding) }

func (a Archive) read(id, ending string) ([]byte, error) {
	if !validID.MatchString(id) {
		return nil, fmt.Errorf("read the drill %q: %w", id, fs.ErrNotExist)
	}
	data, err := os.ReadFile(filepath.Join(a.Dir, id+ending))
	if err != nil {
		return nil, fmt.Errorf("read the drill %s: %w", id, err)
	}
	return data, nil
}
