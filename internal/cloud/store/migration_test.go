package store

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.etcd.io/bbolt"

	"aloft.dev/aloft/internal/diag"
)

// testdata/version1.db.gz was written by the last build without schema versions.
// It has a row in each of its 33 tables and a value that is not zero in each
// field of each row.
func TestADatabaseOfVersion1OpensWithEveryFieldOfEveryRow(t *testing.T) {
	path := unpack(t, "version1.db.gz")
	want := readJSON(t, filepath.Join("testdata", "version1.golden"))
	for _, opening := range []string{"first", "second"} {
		s, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		got := allRows(t, s)
		dropNewer(got, want)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s opening: (-want, +got)\n%s", opening, diff)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := readVersion(t, path), fmt.Sprint(version(migrations)); got != want {
		t.Errorf("version on disk is %q, want %q", got, want)
	}
}

// dropNewer removes tables and fields that later versions have added: empty tables
// that want does not have, and fields that the same row of want does not have.
func dropNewer(got, want map[string]any) {
	for table, value := range got {
		rows := value.(map[string]any)
		wantRows, known := want[table].(map[string]any)
		if !known && len(rows) == 0 {
			delete(got, table)
		}
		for key, row := range rows {
			dropNewerFields(row, wantRows[key])
		}
	}
}

func dropNewerFields(got, want any) {
	switch got := got.(type) {
	case map[string]any:
		wantFields, ok := want.(map[string]any)
		for name, value := range got {
			if _, known := wantFields[name]; ok && !known {
				delete(got, name)
			} else {
				dropNewerFields(value, wantFields[name])
			}
		}
	case []any:
		wantItems, _ := want.([]any)
		for i, value := range got {
			if i < len(wantItems) {
				dropNewerFields(value, wantItems[i])
			}
		}
	}
}

func TestTheVersion1FixtureFillsEveryField(t *testing.T) {
	want := readJSON(t, filepath.Join("testdata", "version1.golden"))
	if len(want) != 33 {
		t.Errorf("%d tables, want 33", len(want))
	}
	checkFilled(t, "", want)
}

func checkFilled(t *testing.T, path string, value any) {
	switch value := value.(type) {
	case map[string]any:
		for key, inner := range value {
			checkFilled(t, path+"/"+key, inner)
		}
		if len(value) == 0 {
			t.Errorf("%s is empty", path)
		}
	case []any:
		for _, inner := range value {
			checkFilled(t, path+"/", inner)
		}
		if len(value) == 0 {
			t.Errorf("%s is empty", path)
		}
	case nil:
		t.Errorf("%s is null", path)
	default:
		if value == "" || value == false || value == 0.0 || value == "0001-01-01T00:00:00Z" {
			t.Errorf("%s is %v", path, value)
		}
	}
}

func TestANewDatabaseHasTheLatestVersion(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if got, want := readVersion(t, path), fmt.Sprint(version(migrations)); got != want {
		t.Errorf("version on disk is %q, want %q", got, want)
	}
}

func TestADatabaseOfANewerAloftIsRefusedWithCauseAndRemedy(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	setVersion(t, path, fmt.Sprint(version(migrations)+1))
	_, err := Open(path)
	var d *diag.Diagnostic
	if !errors.As(err, &d) {
		t.Fatalf("got %v, want a diagnostic", err)
	}
	if d.Where != path || d.Detail == "" || !strings.Contains(d.Hint, "aloft local reset") {
		t.Errorf("got %+v", d)
	}
	if want := fmt.Sprintf("schema version %d", version(migrations)+1); !strings.Contains(d.Summary, want) {
		t.Errorf("summary %q does not contain %q", d.Summary, want)
	}
}

func TestADamagedVersionIsAnError(t *testing.T) {
	for _, damaged := range []string{"", "two", "0", "-1"} {
		path := filepath.Join(t.TempDir(), "db")
		setVersion(t, path, damaged)
		s, err := Open(path)
		if err == nil {
			_ = s.Close()
			t.Errorf("version %q is accepted", damaged)
			continue
		}
		checkRemedy(t, err)
	}
}

func TestADamagedRowIsAnErrorWithCauseAndRemedy(t *testing.T) {
	for name, open := range map[string]func(path string) error{
		"current version": func(path string) error { _, err := Open(path); return err },
		"older version": func(path string) error {
			disk := openDisk(t, path)
			defer func() { _ = disk.Close() }()
			return migrate(disk, append(slices.Clone(migrations), renameFields(nil)))
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "db")
			setVersion(t, path, fmt.Sprint(version(migrations)))
			disk := openDisk(t, path)
			if err := disk.Update(func(tx *bbolt.Tx) error {
				bucket, err := tx.CreateBucket([]byte("subnets"))
				if err != nil {
					return err
				}
				return bucket.Put([]byte("subnet-1"), []byte(`{"ID": "subnet-1"`))
			}); err != nil {
				t.Fatal(err)
			}
			if err := disk.Close(); err != nil {
				t.Fatal(err)
			}
			err := open(path)
			checkRemedy(t, err)
			if err != nil && !strings.Contains(err.Error(), "subnet-1") {
				t.Errorf("%v does not name the row", err)
			}
		})
	}
}

// checkRemedy reports an error of the test unless err has a cause and a remedy.
func checkRemedy(t *testing.T, err error) {
	t.Helper()
	var d *diag.Diagnostic
	if !errors.As(err, &d) || d.Detail == "" || d.Hint == "" {
		t.Errorf("%v has no cause and remedy", err)
	}
}

func TestAFailedMigrationLeavesTheDatabaseUnchanged(t *testing.T) {
	path := unpack(t, "version1.db.gz")
	before := dump(t, path)
	boom := errors.New("boom")
	disk := openDisk(t, path)
	err := migrate(disk, []migration{
		renameFields(map[string]map[string]string{"alarms": {"Acted": "ActionsRan"}}),
		func(contents) (contents, error) { return nil, boom },
	})
	if !errors.Is(err, boom) || !strings.Contains(err.Error(), "to version 3") {
		t.Errorf("got %v, want boom in the migration to version 3", err)
	}
	checkRemedy(t, err)
	if err := disk.Close(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, dump(t, path)); diff != "" {
		t.Errorf("the database has changed: %s", diff)
	}
}

func TestMigrationsRunOnceAndInOrder(t *testing.T) {
	path := unpack(t, "version1.db.gz")
	var ran []int
	step := func(n int) migration {
		return func(all contents) (contents, error) { ran = append(ran, n); return all, nil }
	}
	for _, list := range [][]migration{
		{step(2)},
		{step(2), step(3), nil, step(5)},
		{step(2), step(3), nil, step(5)},
	} {
		disk := openDisk(t, path)
		if err := migrate(disk, list); err != nil {
			t.Fatal(err)
		}
		if err := disk.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]int{2, 3, 5}, ran); diff != "" {
		t.Error(diff)
	}
}

func TestAMigrationCanRenameATableAndAKey(t *testing.T) {
	path := unpack(t, "version1.db.gz")
	disk := openDisk(t, path)
	if err := migrate(disk, []migration{func(all contents) (contents, error) {
		for _, row := range all["alarms"] {
			all["metric_alarms"] = map[string]fields{"new-key": row}
		}
		delete(all, "alarms")
		return all, nil
	}}); err != nil {
		t.Fatal(err)
	}
	if err := disk.Close(); err != nil {
		t.Fatal(err)
	}
	got := dump(t, path)
	if len(got["metric_alarms"]) != 1 || got["metric_alarms"]["new-key"] == "" || got["alarms"] != nil {
		t.Errorf("got %v and %v", got["metric_alarms"], got["alarms"])
	}
}

func TestRenamingAFieldNeverOverwritesAnother(t *testing.T) {
	all := contents{"t": {"k": {"Old": []byte("1"), "New": []byte("2")}}}
	if _, err := renameFields(map[string]map[string]string{"t": {"Old": "New"}})(all); err == nil {
		t.Error("no error")
	}
}

// unpack returns the path of an unpacked copy of a database in testdata.
func unpack(t *testing.T, name string) string {
	t.Helper()
	packed, err := os.Open(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = packed.Close() }()
	reader, err := gzip.NewReader(packed)
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(reader)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "db")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func openDisk(t *testing.T, path string) *bbolt.DB {
	t.Helper()
	disk, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = disk.Close() })
	return disk
}

// dump returns everything in a database file: by bucket and key.
func dump(t *testing.T, path string) map[string]map[string]string {
	t.Helper()
	disk := openDisk(t, path)
	defer func() { _ = disk.Close() }()
	all := map[string]map[string]string{}
	if err := disk.View(func(tx *bbolt.Tx) error {
		return tx.ForEach(func(name []byte, bucket *bbolt.Bucket) error {
			values := map[string]string{}
			all[string(name)] = values
			return bucket.ForEach(func(key, value []byte) error {
				values[string(key)] = string(value)
				return nil
			})
		})
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

func readVersion(t *testing.T, path string) string {
	t.Helper()
	return dump(t, path)[string(metaBucket)][string(versionKey)]
}

func setVersion(t *testing.T, path, version string) {
	t.Helper()
	disk := openDisk(t, path)
	if err := disk.Update(func(tx *bbolt.Tx) error {
		meta, err := tx.CreateBucketIfNotExists(metaBucket)
		if err != nil {
			return err
		}
		return meta.Put(versionKey, []byte(version))
	}); err != nil {
		t.Fatal(err)
	}
	if err := disk.Close(); err != nil {
		t.Fatal(err)
	}
}

// allRows returns the store's rows as JSON decodes them, by table and key.
func allRows(t *testing.T, s *Store) map[string]any {
	t.Helper()
	all := map[string]map[string]any{}
	for _, tb := range tables {
		all[tb.name()] = tb.(interface{ keyed(Reader) map[string]any }).keyed(s.View())
	}
	content, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	return decodeJSON(t, content)
}

// keyed returns all rows by their keys.
func (t Table[T]) keyed(r Reader) map[string]any {
	rows := map[string]any{}
	for _, row := range t.List(r) {
		rows[t.key(row)] = row
	}
	return rows
}

func readJSON(t *testing.T, path string) map[string]any {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return decodeJSON(t, content)
}

func decodeJSON(t *testing.T, content []byte) map[string]any {
	t.Helper()
	var out map[string]any
	if err := json.Unmarshal(content, &out); err != nil {
		t.Fatal(err)
	}
	return out
}
