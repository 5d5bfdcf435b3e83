package store

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"iter"
	"math"

	"aloft.dev/aloft/internal/cloud/identity"
)

// ObjectVersions are the versions of objects that are not current, and delete markers. Those of an object
// are in order, the newest first.
var ObjectVersions = newTable("object_versions", func(r *Object) string {
	return ObjectVersionKey(r.Bucket, r.Key, r.Sequence)
}, noRegion)

// ObjectVersionKey returns the key of a version. Keys of objects do not contain \x01.
func ObjectVersionKey(bucket, key string, sequence int64) string {
	return ObjectKey(bucket, key) + "\x01" + VersionOrder(sequence)
}

// VersionOrder returns a text by which newer versions of an object come before older ones.
func VersionOrder(sequence int64) string { return fmt.Sprintf("%016x", math.MaxInt64-sequence) }

// NullVersion is the id of a version that was written while versioning was not enabled. An object has at most
// one.
const NullVersion = "null"

// versionIDs encodes ids of versions in 32 characters. Their bytes are the sequence, random ones and a
// checksum.
var versionIDs = base64.NewEncoding("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._").
	WithPadding(base64.NoPadding)

// The bytes of an id.
const (
	versionIDLen     = 24
	versionRandomLen = 12
	versionSumLen    = 4
)

// NewVersionID returns an id for a version.
func NewVersionID(sequence int64, ids *identity.Source) string {
	random, _ := hex.DecodeString(ids.Hex(2 * versionRandomLen)) // always hexadecimal
	id := append(binary.BigEndian.AppendUint64(nil, uint64(sequence)), random...)
	return versionIDs.EncodeToString(binary.BigEndian.AppendUint32(id, crc32.ChecksumIEEE(id)))
}

// VersionSequence returns the sequence in an id. ok is false if the id was never a version's, and for
// NullVersion.
func VersionSequence(id string) (sequence int64, ok bool) {
	raw, err := versionIDs.DecodeString(id)
	if err != nil || len(raw) != versionIDLen {
		return 0, false
	}
	content, sum := raw[:versionIDLen-versionSumLen], raw[versionIDLen-versionSumLen:]
	return int64(binary.BigEndian.Uint64(raw)), crc32.ChecksumIEEE(content) == binary.BigEndian.Uint32(sum)
}

// VersionIDOf returns the id of a version.
func VersionIDOf(o *Object) string {
	if o.VersionID == "" {
		return NullVersion
	}
	return o.VersionID
}

// OthersOf iterates over the versions of an object that are not current and its markers, the newest first.
func OthersOf(r Reader, bucket, key string) iter.Seq[*Object] {
	return func(yield func(*Object) bool) {
		for o := range ObjectVersions.From(r, ObjectKey(bucket, key)+"\x01") {
			if o.Bucket != bucket || o.Key != key || !yield(o) {
				return
			}
		}
	}
}

// FindVersion returns the version or marker of an object with an id, nil if there is none.
func FindVersion(r Reader, bucket, key, id string) *Object {
	if o, ok := Objects.Get(r, ObjectKey(bucket, key)); ok && VersionIDOf(o) == id {
		return o
	}
	if sequence, ok := VersionSequence(id); ok {
		if o, ok := ObjectVersions.Get(r, ObjectVersionKey(bucket, key, sequence)); ok && o.VersionID == id {
			return o
		}
		return nil
	}
	for o := range OthersOf(r, bucket, key) {
		if VersionIDOf(o) == id {
			return o
		}
	}
	return nil
}
