package archive_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aloft.dev/aloft/internal/drill"
	"aloft.dev/aloft/internal/drill/archive"
	"aloft.dev/aloft/internal/drill/report"
	"aloft.dev/aloft/internal/load"
)

// result returns the result of a drill that lost one request in two.
func result(experiment string, began time.Time) drill.Result {
	return drill.Result{Report: report.New(report.Facts{
		Experiment: experiment, Victim: "us-east-1c",
		Recording: load.Recording{Started: began, Samples: []load.Sample{
			{At: time.Second, Kind: load.OK}, {At: 2 * time.Second, Kind: load.Timeout},
		}},
		Injected: time.Second,
	})}
}

var noon = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)

func TestDrillsAreKept(t *testing.T) {
	a := archive.Archive{Dir: filepath.Join(t.TempDir(), "shop")}
	if all, err := a.List(); err != nil || len(all) != 0 {
		t.Errorf("an archive without a folder: %v, %v", all, err)
	}
	for i, experiment := range []string{"zone", "app"} {
		if _, err := a.Add(result(experiment, noon.Add(time.Duration(i)*time.Minute))); err != nil {
			t.Fatal(err)
		}
	}
	all, err := a.List()
	if err != nil || len(all) != 2 || all[0].Result.Experiment != "app" || all[1].Result.Experiment != "zone" {
		t.Fatalf("got %v, %v", all, err)
	}
	got, err := a.Get(all[1].ID)
	if err != nil || got.Result.Sent != 2 || got.Result.Failed != 1 || !got.Result.Started.Equal(noon) {
		t.Errorf("got %+v, %v", got, err)
	}
	picture, err := a.Picture(all[1].ID)
	if err != nil || !strings.HasPrefix(string(picture), "<svg") {
		t.Errorf("the picture: %.20q, %v", picture, err)
	}
}

func TestOtherFilesAreNotDrills(t *testing.T) {
	dir := t.TempDir()
	a := archive.Archive{Dir: filepath.Join(dir, "shop")}
	if err := os.Mkdir(a.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"secret.json", "shop/20261129T120000.000Z-zone.json", "shop/notes.json"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("{"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if all, err := a.List(); err != nil || len(all) != 0 {
		t.Errorf("got %v, %v", all, err)
	}
	for _, id := range []string{"../secret", "notes", "", "20261129T120000.001Z-zone"} {
		if _, err := a.Report(id); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%q: %v", id, err)
		}
	}
}

func TestTheOldestDrillsGiveWay(t *testing.T) {
	a := archive.Archive{Dir: t.TempDir()}
	for i := range 203 {
		if _, err := a.Add(result("zone", noon.Add(time.Duration(i)*time.Second))); err != nil {
			t.Fatal(err)
		}
	}
	all, err := a.List()
	if err != nil || len(all) != 200 || !all[199].Result.Started.Equal(noon.Add(3*time.Second)) {
		t.Errorf("%d drills, %v", len(all), err)
	}
	files, err := os.ReadDir(a.Dir)
	if err != nil || len(files) != 400 {
		t.Errorf("%s, %v", fmt.Sprint(len(files), " files"), err)
	}
}
