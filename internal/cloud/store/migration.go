package store

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"

	"go.etcd.io/bbolt"
)

// fields are a stored row's fields as JSON, by name.
type fields map[string]json.RawMessage

// contents are a whole database's rows by table name and key.
type contents map[string]map[string]fields

// A migration turns the rows of one schema version into those of the next. It
// may change the contents in place.
type migration func(contents) (contents, error)

// renameFields returns a migration that renames fields: by table, from the old
// name to the new one.
func renameFields(byTable map[string]map[string]string) migration {
	return func(all contents) (contents, error) {
		for table, names := range byTable {
			for key, row := range all[table] {
				if err := rename(row, names); err != nil {
					return nil, fmt.Errorf("%s %s: %w", table, key, err)
				}
			}
		}
		return all, nil
	}
}

func rename(row fields, names map[string]string) error {
	for from, to := range names {
		value, ok := row[from]
		if !ok {
			continue
		}
		if _, taken := row[to]; taken {
			return fmt.Errorf("rename field %s: the row already has a field %s", from, to)
		}
		row[to] = value
		delete(row, from)
	}
	return nil
}

// The bucket and key of the schema version. No table may have the bucket's name.
var (
	metaBucket = []byte("_schema")
	versionKey = []byte("version")
)

// migrate brings the database to the schema version that the migrations lead to.
// It runs all missing migrations in one transaction: a database is migrated
// completely or not at all.
func migrate(disk *bbolt.DB, migrations []migration) error {
	known := version(migrations)
	found, stored := 0, false
	if err := disk.View(func(tx *bbolt.Tx) (err error) {
		found, stored, err = storedVersion(tx, known)
		return err
	}); err != nil {
		return damaged(disk.Path(), err)
	}
	switch {
	case found > known || found < unversioned:
		return unknownVersion(disk.Path(), found, known)
	case found == known && stored:
		return nil
	}
	return disk.Update(func(tx *bbolt.Tx) error {
		if found < known {
			if err := runMigrations(tx, migrations, found); err != nil {
				return migrationFailed(disk.Path(), found, known, err)
			}
		}
		meta, err := tx.CreateBucketIfNotExists(metaBucket)
		if err != nil {
			return fmt.Errorf("write the schema version: %w", err)
		}
		return meta.Put(versionKey, []byte(strconv.Itoa(known)))
	})
}

// storedVersion returns the database's schema version and reports whether the
// database names it. An empty database has the version known.
func storedVersion(tx *bbolt.Tx, known int) (number int, stored bool, err error) {
	meta := tx.Bucket(metaBucket)
	if meta == nil {
		if first, _ := tx.Cursor().First(); first == nil {
			return known, false, nil
		}
		return unversioned, false, nil
	}
	number, err = strconv.Atoi(string(meta.Get(versionKey)))
	if err != nil {
		return 0, false, fmt.Errorf("read the schema version: %w", err)
	}
	return number, true, nil
}

// runMigrations turns the rows of version from into rows of the latest version.
func runMigrations(tx *bbolt.Tx, migrations []migration, from int) error {
	all, err := readContents(tx)
	if err != nil {
		return err
	}
	for i := from - unversioned; i < len(migrations); i++ {
		if migrations[i] == nil {
			continue
		}
		if all, err = migrations[i](all); err != nil {
			return fmt.Errorf("to version %d: %w", i+unversioned+1, err)
		}
	}
	return writeContents(tx, all)
}

func readContents(tx *bbolt.Tx) (contents, error) {
	all := contents{}
	err := tx.ForEach(func(table []byte, bucket *bbolt.Bucket) error {
		if bytes.Equal(table, metaBucket) {
			return nil
		}
		rows := map[string]fields{}
		all[string(table)] = rows
		return bucket.ForEach(func(key, value []byte) error {
			row := fields{}
			if err := json.Unmarshal(value, &row); err != nil {
				return fmt.Errorf("read %s %s: %w", table, key, err)
			}
			rows[string(key)] = row
			return nil
		})
	})
	return all, err
}

// writeContents replaces all rows of the database.
func writeContents(tx *bbolt.Tx, all contents) error {
	var old [][]byte
	if err := tx.ForEach(func(table []byte, _ *bbolt.Bucket) error {
		if !bytes.Equal(table, metaBucket) {
			old = append(old, bytes.Clone(table))
		}
		return nil
	}); err != nil {
		return fmt.Errorf("list the tables: %w", err)
	}
	for _, table := range old {
		if err := tx.DeleteBucket(table); err != nil {
			return fmt.Errorf("replace table %s: %w", table, err)
		}
	}
	for table, rows := range all {
		bucket, err := tx.CreateBucket([]byte(table))
		if err != nil {
			return fmt.Errorf("create table %s: %w", table, err)
		}
		if err := writeRows(bucket, rows); err != nil {
			return fmt.Errorf("write table %s: %w", table, err)
		}
	}
	return nil
}

func writeRows(bucket *bbolt.Bucket, rows map[string]fields) error {
	for key, row := range rows {
		value, err := json.Marshal(row)
		if err != nil {
			return err
		}
		if err := bucket.Put([]byte(key), value); err != nil {
			return err
		}
	}
	return nil
}
