package store

import (
	"fmt"
	"time"

	"aloft.dev/aloft/internal/cloud/identity"
)

// Amazon S3's rows belong to the account, whose buckets have names of their own in all
// regions. Objects are rows, and their content is in files (package objectfile).
var (
	Buckets = newTable("buckets", func(r *Bucket) string { return r.Name },
		func(r *Bucket) identity.Region { return r.Region })
	Objects = newTable("objects", func(r *Object) string { return ObjectKey(r.Bucket, r.Key) }, noRegion)
	// Uploads are in the order of their keys and then of their ids.
	Uploads     = newTable("uploads", func(r *Upload) string { return UploadKey(r.Bucket, r.Key, r.ID) }, noRegion)
	UploadParts = newTable("upload_parts", func(r *UploadPart) string {
		return UploadPartKey(r.UploadID, r.Number)
	}, noRegion)
)

// Bucket is a bucket of S3.
type Bucket struct {
	Name        string
	Region      identity.Region
	Created     time.Time
	Tags        Tags
	Policy      string // JSON; "": none
	Lifecycle   []LifecycleRule
	BlockPublic *PublicAccessBlock // nil: none
	BucketKeys  bool               // of the default encryption, which has no effect without AWS KMS
	NoOwnership bool               // its ownership controls were deleted: its objects are its owner's all the same
	Ownership   string             // BucketOwnerPreferred, ObjectWriter; "": BucketOwnerEnforced
	Accelerated string             // Suspended; "": Transfer Acceleration was never set
	CORS        []CORSRule
	Versioning  string      // Enabled, Suspended; "": never enabled
	ObjectLock  *ObjectLock // nil: its versions cannot be locked
	Topics      []BucketNotification
}

// ObjectLock is how long versions of a bucket are locked by default.
type ObjectLock struct {
	Mode        string // GOVERNANCE, COMPLIANCE; "": they are not
	Days, Years int32  // one of them is 0
}

// BucketNotification configures the notification of a topic of changes in a bucket.
type BucketNotification struct {
	ID, Topic      string
	Events         []string
	Prefix, Suffix *string // of keys, as the user wrote them; nil: any
}

// CORSRule says what web pages of other origins may do with a bucket.
type CORSRule struct {
	ID                                        string
	Origins, Methods, Headers, ExposedHeaders []string
	MaxAge                                    *int32 // seconds; nil: the browser's default
}

// PublicAccessBlock says what of a bucket cannot be public.
type PublicAccessBlock struct{ PublicACLs, IgnoredACLs, PublicPolicy, RestrictedBuckets bool }

// LifecycleRule is a rule by which objects expire.
type LifecycleRule struct {
	ID             string
	Enabled        bool
	ObjectFilter   ObjectFilter
	PrefixInFilter bool      // as the user wrote it: in Filter, or beside it
	Days           int32     // after which an object expires; 0: never
	Date           time.Time // from which on objects expire; zero: never
	AbandonedParts int32     // days after which an upload is aborted; 0: never
	Combined       bool      // as the user wrote the filter: with And
	NoncurrentDays int32     // days after which a version that is not current is deleted; 0: never
	NewerKept      int32     // so many of them are kept longer
	ExpiredMarkers *bool     // whether to delete markers without versions; nil: the user does not say
}

// ObjectFilter selects objects.
type ObjectFilter struct {
	Prefix             string
	Tags               Tags
	LargerThan, Before int64 // bytes; 0: any size
	NotEmpty           bool  // more than 0 bytes
}

// FileRef is a file with content, or a part of one object's.
type FileRef struct {
	ID   string
	Size int64
}

// ObjectHeaders are what a client gives an object, and gets back with it.
type ObjectHeaders struct {
	ContentType, ContentEncoding, ContentDisposition, ContentLanguage, CacheControl, Expires string
	Metadata                                                                                 map[string]string
	Tags                                                                                     Tags
}

// Checksum is the checksum of content beside its ETag.
type Checksum struct {
	Algorithm string // "": none
	Value     string // base64; of composite checksums with the number of parts
	Composite bool   // of the checksums of parts
}

// Object is an object of a bucket, or a version of one. A multipart upload has a file for each part.
type Object struct {
	Bucket, Key  string
	Files        []FileRef
	Multipart    bool
	Size         int64
	ETag         string // without quotes
	Modified     time.Time
	Headers      ObjectHeaders
	Checksum     Checksum
	Delivered    bool   // by the local cloud itself: an access log
	StorageClass string // "": STANDARD
	Protection   Protection
	// Of versions: VersionID is "" for the null version, and Sequence increases from one version of a key to
	// the next. Superseded is when the next one was made; zero: this is the latest.
	VersionID  string
	Sequence   int64
	Superseded time.Time
	Marker     bool // a delete marker, without content
}

// Protection keeps a version from being deleted.
type Protection struct {
	Mode      string    // of its retention: GOVERNANCE, COMPLIANCE; "": none
	Until     time.Time // end of the retention
	LegalHold string    // ON, OFF; "": never set
}

// ObjectKey returns the key of an object. Within a bucket, keys are in the order of their
// UTF-8 bytes, in which S3 lists objects.
func ObjectKey(bucket, key string) string { return bucket + "/" + key }

// Upload is a multipart upload that is neither complete nor aborted.
type Upload struct {
	ID, Bucket, Key string
	Initiated       time.Time
	Headers         ObjectHeaders
	Algorithm       string // of checksums; "": the client's choice for each part
	Composite       bool
	StorageClass    string // "": STANDARD
	Protection      Protection
}

// UploadKey returns the key of an upload.
func UploadKey(bucket, key, id string) string { return bucket + "/" + key + "\x01" + id }

// UploadPart is a part of an upload.
type UploadPart struct {
	UploadID string
	Number   int32
	File     FileRef
	ETag     string
	Checksum Checksum
	Modified time.Time
}

// UploadPartKey returns the key of a part. The parts of an upload are in order.
func UploadPartKey(upload string, number int32) string { return fmt.Sprintf("%s/%05d", upload, number) }
