// Package s3 serves Amazon S3 for the local cloud. Limits, errors and the contents of
// responses are those of the Amazon S3 API Reference and User Guide. Buckets and objects are
// rows of the store, and the content of objects is in files (package objectfile).
//
// Buckets have no access control lists and are not public. What asks for more is refused by
// name. Unlike on AWS, a bucket answers to every region.
package s3

import (
	"context"
	"log/slog"
	"net/http"
	"reflect"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/objectfile"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// Config configures an API.
type Config struct {
	Store *store.Store
	Files *objectfile.Folder
	Log   *slog.Logger
	Now   func() time.Time // nil: time.Now
}

// API implements the operations of Amazon S3.
type API struct {
	Config
	ids *identity.Source
}

// New returns an API.
func New(c Config) *API {
	if c.Now == nil {
		c.Now = time.Now
	}
	return &API{Config: c, ids: identity.New(nil)}
}

// now returns the time to the second, which is how precise S3 is about objects.
func (a *API) now() time.Time { return a.Now().UTC().Truncate(time.Second) }

func failure(status int, code, message string) *wire.Error {
	return &wire.Error{Code: code, Message: message, Status: status}
}

func noSuchKey() *wire.Error {
	return failure(http.StatusNotFound, "NoSuchKey", "The specified key does not exist.")
}

func invalidArgument(message string) error { return wire.Errorf("InvalidArgument", "%s", message) }

func malformedXML() error {
	return wire.Errorf("MalformedXML",
		"The XML you provided was not well-formed or did not validate against our published schema")
}

// findBucket returns a bucket of the caller's account, or one that is shared with the caller. owner is the account
// that the caller expects to own it, nil for any.
func findBucket(ctx context.Context, r store.Reader, name, owner *string) (*store.Bucket, error) {
	bucket, ok := store.Buckets.Get(r, aws.ToString(name))
	switch {
	case !ok:
		return nil, failure(http.StatusNotFound, "NoSuchBucket", "The specified bucket does not exist")
	case !wire.MayUse(ctx, bucket.Region.Account(), bucketARN(bucket.Name)),
		owner != nil && *owner != bucket.Region.Account():
		return nil, failure(http.StatusForbidden, "AccessDenied", "Access Denied")
	}
	return bucket, nil
}

// editBucket changes a bucket.
func (a *API) editBucket(ctx context.Context, name, owner *string, edit func(*store.Bucket) error) error {
	return a.Store.Update(func(tx *store.Tx) error {
		bucket, err := findBucket(ctx, tx, name, owner)
		if err != nil {
			return err
		}
		edited := *bucket
		if err := edit(&edited); err != nil {
			return err
		}
		store.Buckets.Put(tx, &edited)
		return nil
	})
}

const maxKey = 1024 // bytes

func checkKey(key *string) error {
	switch text := aws.ToString(key); {
	case len(text) > maxKey:
		return wire.Errorf("KeyTooLongError", "Your key is too long")
	case containsControl(text):
		return wire.Errorf("InvalidURI", "Couldn't parse the specified URI.")
	}
	return nil
}

// containsControl reports whether a key has a character that separates keys in the store, or
// is not UTF-8.
func containsControl(key string) bool {
	for _, c := range key {
		if c <= 1 || c == 0xfffd {
			return true
		}
	}
	return false
}

// lacking are the parameters, by the names of the SDK's fields, that the local cloud does not
// honour.
var lacking = []string{
	"SSECustomerAlgorithm", "SSECustomerKey", "SSECustomerKeyMD5", "CopySourceSSECustomerAlgorithm",
	"CopySourceSSECustomerKey", "CopySourceSSECustomerKeyMD5", "SSEKMSKeyId", "SSEKMSEncryptionContext",
	"GrantFullControl", "GrantRead", "GrantReadACP", "GrantWrite", "GrantWriteACP",
	"ObjectLockEventHold", "ObjectLockEventHoldDurationDays",
	"ObjectLockEventHoldDurationYears", "WebsiteRedirectLocation", "WriteOffsetBytes", "MFA",
	"AnnotationDirective", "IfMatchLastModifiedTime", "IfMatchSize",
	"IfMatchInitiatedTime", "BucketNamespace", "ChecksumMD5", "ChecksumSHA512", "ChecksumXXHASH64",
	"ChecksumXXHASH3", "ChecksumXXHASH128",
}

// implemented are the values, by parameter, that the local cloud honours.
var implemented = map[string][]string{
	"ServerSideEncryption": {"AES256"},
}

// check refuses what the local cloud does not honour of a request.
func check(in any) error {
	v := reflect.Indirect(reflect.ValueOf(in))
	set := func(name string) (reflect.Value, bool) {
		field := v.FieldByName(name)
		return field, field.IsValid() && !field.IsZero()
	}
	for _, name := range lacking {
		if field, ok := set(name); ok && !isFalse(field) {
			return wire.NotImplemented("the parameter %s of S3", name)
		}
	}
	for name, values := range implemented {
		if field, ok := set(name); ok && field.String() != values[0] {
			return wire.NotImplemented("%s %s of S3", name, field)
		}
	}
	if class, ok := set("StorageClass"); ok {
		if err := checkStorageClass(class); err != nil {
			return err
		}
	}
	if key, ok := set("Key"); ok {
		text := key.Elem().String()
		return checkKey(&text)
	}
	return nil
}

// isFalse reports whether a field is a Boolean that says no.
func isFalse(field reflect.Value) bool {
	field = reflect.Indirect(field)
	return field.Kind() == reflect.Bool && !field.Bool()
}

var tagRules = constraint.TagRules{
	Code:     "InvalidTag",
	Reserved: wire.Errorf("InvalidTag", "System tags cannot be added/updated by requester"),
	TooMany:  wire.Errorf("BadRequest", "Tag count cannot be greater than %d", constraint.MaxTags),
}

// removeFiles removes files that no row refers to. What cannot be removed is a leftover,
// which the next start removes.
func (a *API) removeFiles(files []store.FileRef) {
	for _, f := range files {
		if err := a.Files.Remove(f.ID); err != nil {
			a.Log.Warn("remove the file of an object", "error", err)
		}
	}
}

// DeleteLeftovers removes the files that a killed daemon has left. No operation may run
// meanwhile.
func (a *API) DeleteLeftovers() error {
	view, known := a.Store.View(), map[string]bool{}
	for _, o := range slices.Concat(store.Objects.List(view), store.ObjectVersions.List(view)) {
		for _, f := range o.Files {
			known[f.ID] = true
		}
	}
	for _, p := range store.UploadParts.List(view) {
		known[p.File.ID] = true
	}
	return a.Files.Retain(func(id string) bool { return known[id] })
}

// expiryInterval is the time between two deletions of what has expired.
const expiryInterval = time.Minute

// Run deletes what expires by the rules of buckets, until ctx ends.
func (a *API) Run(ctx context.Context) error {
	ticker := time.NewTicker(expiryInterval)
	defer ticker.Stop()
	for {
		if err := a.Expire(); err != nil {
			a.Log.Warn("delete expired objects", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}
