package store

import (
	"time"

	"aloft.dev/aloft/internal/cloud/identity"
)

// Documents has "region/name" as key.
var Documents = newTable("documents", func(r *Document) string { return r.Region.Key(r.Name) },
	func(r *Document) identity.Region { return r.Region })

// Document is a document of Systems Manager whose steps are commands.
type Document struct {
	Name       string
	Region     identity.Region
	TargetType string // "/AWS::EC2::Instance"; "": not given
	Default    int    // number of the version
	Versions   []DocumentVersion
	Created    time.Time
	Tags       Tags
}

// DocumentVersion is a version of a document. Numbers begin with 1, and later versions have greater ones.
type DocumentVersion struct {
	Number  int
	Name    string // "": it has none
	Content string // JSON
	Created time.Time
}
