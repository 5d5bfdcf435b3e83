package store

import (
	"fmt"

	"aloft.dev/aloft/internal/diag"
)

// locked describes a database that another process has open.
func locked(path string) error {
	return &diag.Diagnostic{
		Where:   path,
		Summary: ErrLocked.Error(),
		Detail:  "A database can be open in one process only.",
		Hint:    "Stop the other local cloud: aloft local stop. Or use another state folder: --state-dir.",
		Cause:   ErrLocked,
	}
}

// damaged describes a database that has content which no aloft has written.
func damaged(path string, err error) error {
	return &diag.Diagnostic{
		Where:   path,
		Summary: fmt.Sprintf("the database is damaged: %v", err),
		Detail:  "Another program changed the file, or the disk lost a part of it.",
		Hint: "Restore the file from a backup, " +
			"or delete everything in the local cloud: aloft local reset --yes",
		Cause: err,
	}
}

// unknownVersion describes a database of a version that this binary cannot read.
func unknownVersion(path string, found, known int) error {
	return &diag.Diagnostic{
		Where:   path,
		Summary: fmt.Sprintf("the database has schema version %d, this aloft knows versions 1 to %d", found, known),
		Detail:  "A newer aloft wrote the database. This one would lose fields that it does not know.",
		Hint: "Start the local cloud with the newer aloft, " +
			"or delete everything in the local cloud: aloft local reset --yes",
	}
}

// migrationFailed describes a database whose rows a migration could not change.
func migrationFailed(path string, found, known int, err error) error {
	return &diag.Diagnostic{
		Where:   path,
		Summary: fmt.Sprintf("migrate the database from version %d to %d: %v", found, known, err),
		Detail:  "The database is unchanged. A row is damaged, or this aloft has a defect.",
		Hint: "Start the local cloud with the aloft that wrote the database, " +
			"or delete everything in the local cloud: aloft local reset --yes",
		Cause: err,
	}
}
