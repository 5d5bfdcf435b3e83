package store

import (
	"encoding/json"

	"go.etcd.io/bbolt"
)

// Tx is a transaction. It sees its own writes.
type Tx struct {
	base    *View
	written map[string]content // copies of the base's, by the names of tables
	changes []change
	changed map[rowName]int // where in changes
	err     error           // of the first write that failed
}

// rowName names a row of any table.
type rowName struct{ table, key string }

// change is how a transaction leaves a row.
type change struct {
	rowName
	existed bool // before the transaction
	row     any  // nil: deleted
}

// adds reports whether the row is new.
func (c change) adds() bool { return !c.existed && c.row != nil }

// persist writes the change to disk.
func (c change) persist(tx *bbolt.Tx) error {
	bucket, err := tx.CreateBucketIfNotExists([]byte(c.table))
	if err != nil {
		return err
	}
	if c.row == nil {
		return bucket.Delete([]byte(c.key))
	}
	value, err := json.Marshal(c.row)
	if err != nil {
		return err
	}
	return bucket.Put([]byte(c.key), value)
}

// fail makes Update return err and commit nothing, unless an earlier write failed.
func (tx *Tx) fail(err error) {
	if tx.err == nil {
		tx.err = err
	}
}

func (tx *Tx) content(table string) content {
	if written, ok := tx.written[table]; ok {
		return written
	}
	return tx.base.content(table)
}

// writable returns the content of a table that the transaction may change.
func (tx *Tx) writable(table string) content {
	written, ok := tx.written[table]
	if !ok {
		if tx.written == nil {
			tx.written = map[string]content{}
		}
		written = tx.base.content(table).copy()
		tx.written[table] = written
	}
	return written
}

// record notes that the transaction stored a row, or deleted it if row is nil. existed is
// whether there was one before this write.
func (tx *Tx) record(table, key string, existed bool, row any) {
	name := rowName{table, key}
	if at, ok := tx.changed[name]; ok {
		tx.changes[at].row = row
		return
	}
	if tx.changed == nil {
		tx.changed = map[rowName]int{}
	}
	tx.changed[name] = len(tx.changes)
	tx.changes = append(tx.changes, change{name, existed, row})
}
