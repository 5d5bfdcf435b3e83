package s3

import (
	"context"
	"encoding/base64"
	"iter"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/store"
)

// maxKeys is the most entries of a page, to which S3 reduces greater requests.
const maxKeys = 1000

// query is a request for a page of keys.
type query struct {
	view              store.Reader
	prefix, delimiter string
	from              string // where the page begins; not before the prefix
	size              int
	encode            func(string) *string // encodes keys as the client wants them
}

// listing is what requests for a page of a bucket's keys have in common. sizeName is the name
// of size.
type listing struct {
	bucket, owner, prefix, delimiter *string
	size                             *int32
	sizeName                         string
	encoding                         types.EncodingType
}

// query returns the query of a request. It begins where the bucket does.
func (a *API) query(ctx context.Context, in listing) (query, error) {
	q := query{view: a.Store.View(), prefix: aws.ToString(in.prefix), delimiter: aws.ToString(in.delimiter)}
	if _, err := findBucket(ctx, q.view, in.bucket, in.owner); err != nil {
		return query{}, err
	}
	var err error
	if q.size, err = pageSize(in.size, in.sizeName); err != nil {
		return query{}, err
	}
	q.encode, err = encoding(in.encoding)
	return q, err
}

// keysPage is a page of rows with keys, and of common prefixes.
type keysPage[T any] struct {
	rows     []T
	prefixes []string
	last     string // the last row's key, or the last prefix
	next     string // where the next page begins; "" if there is none
}

// collect returns a page. rows iterates over those of a bucket from a key on, in order. The
// rows below a common prefix are passed over and not read.
func collect[T any](q query, rows func(from string) iter.Seq2[string, T]) keysPage[T] {
	var p keysPage[T]
	from, more := max(q.from, q.prefix), true
	for more {
		more = false
		for key, row := range rows(from) {
			if !strings.HasPrefix(key, q.prefix) {
				break
			}
			if len(p.rows)+len(p.prefixes) == q.size {
				p.next = from
				return p
			}
			if common, ok := q.common(key); ok {
				p.prefixes, p.last = append(p.prefixes, common), common
				from, more = beyond(common), true
				break
			}
			p.rows, p.last, from = append(p.rows, row), key, key+"\x00"
		}
	}
	return p
}

// common returns the prefix under which the list has a key, if it has it under one.
// What is behind \x01 orders rows of a key.
func (q query) common(key string) (prefix string, ok bool) {
	key, _, _ = strings.Cut(key, "\x01")
	i := -1
	if q.delimiter != "" {
		i = strings.Index(key[len(q.prefix):], q.delimiter)
	}
	if i < 0 {
		return "", false
	}
	return key[:len(q.prefix)+i+len(q.delimiter)], true
}

// beyond returns the first key behind all keys with a prefix.
func beyond(prefix string) string {
	b := []byte(prefix)
	b[len(b)-1]++ // no byte of UTF-8 is the greatest
	return string(b)
}

// startAfter returns where a list begins that continues after a key or a common prefix.
func (q query) startAfter(last string) string {
	if last == "" {
		return ""
	}
	if strings.HasPrefix(last, q.prefix) {
		if common, ok := q.common(last); ok && common == last {
			return beyond(common)
		}
	}
	return last + "\x00"
}

// startAfterAll returns where a list begins that continues after all rows of a key, or after a common prefix.
func (q query) startAfterAll(last string) string {
	from := q.startAfter(last)
	if from == last+"\x00" {
		return rowPosition(last, "\xff")
	}
	return from
}

// rowPosition is where one of several rows of a key is. They are in the order of a text.
func rowPosition(key, order string) string { return key + "\x01" + order }

// objectsIn returns the rows of a bucket for collect.
func objectsIn(r store.Reader, bucket string) func(from string) iter.Seq2[string, *store.Object] {
	return func(from string) iter.Seq2[string, *store.Object] {
		return func(yield func(string, *store.Object) bool) {
			for o := range store.Objects.From(r, store.ObjectKey(bucket, from)) {
				if o.Bucket != bucket || !yield(o.Key, o) {
					return
				}
			}
		}
	}
}

// encoding encodes keys as a client wants them.
func encoding(kind types.EncodingType) (func(string) *string, error) {
	switch kind {
	case "":
		return func(s string) *string { return &s }, nil
	case types.EncodingTypeUrl:
		return func(s string) *string { return aws.String(encodeKey(s)) }, nil
	}
	return nil, invalidArgument("Invalid Encoding Method specified in Request")
}

// encodeKey percent-encodes everything except slashes and what RFC 3986 calls unreserved.
func encodeKey(key string) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(key) {
		c := key[i]
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-_.~/", c) >= 0 {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('%')
		b.WriteByte(digits[c>>4])
		b.WriteByte(digits[c&15])
	}
	return b.String()
}

func pageSize(given *int32, name string) (int, error) {
	n := constraint.Default(given, maxKeys)
	if n < 0 {
		return 0, invalidArgument("Argument " + name + " must be an integer between 0 and 2147483647")
	}
	return int(min(n, maxKeys)), nil
}

// optional returns a text, nil if it is empty.
func optional(text *string, encode func(string) *string) *string {
	if aws.ToString(text) == "" {
		return nil
	}
	return encode(*text)
}

// describeList describes the objects and prefixes of a page.
func describeList(
	p keysPage[*store.Object], encode func(string) *string, owner *types.Owner,
) (objects []types.Object, prefixes []types.CommonPrefix) {
	for _, o := range p.rows {
		described := types.Object{
			Key: encode(o.Key), ETag: quoted(o.ETag), LastModified: aws.Time(o.Modified), Size: aws.Int64(o.Size),
			StorageClass:      types.ObjectStorageClass(classOf(o.StorageClass)),
			ChecksumType:      checksumType(o.Checksum.Composite),
			ChecksumAlgorithm: []types.ChecksumAlgorithm{types.ChecksumAlgorithm(o.Checksum.Algorithm)},
			Owner:             owner,
		}
		objects = append(objects, described)
	}
	for _, prefix := range p.prefixes {
		prefixes = append(prefixes, types.CommonPrefix{Prefix: encode(prefix)})
	}
	return objects, prefixes
}

// ListObjectsV2 lists objects in the order of their keys.
func (a *API) ListObjectsV2(ctx context.Context, in *s3.ListObjectsV2Input) (*s3.ListObjectsV2Output, error) {
	q, err := a.query(ctx, listing{
		in.Bucket, in.ExpectedBucketOwner, in.Prefix, in.Delimiter, in.MaxKeys, "max-keys", in.EncodingType,
	})
	if err != nil {
		return nil, err
	}
	q.from = q.startAfter(aws.ToString(in.StartAfter))
	if in.ContinuationToken != nil {
		from, err := base64.RawURLEncoding.DecodeString(*in.ContinuationToken)
		if err != nil || len(from) == 0 {
			return nil, invalidArgument("The continuation token provided is incorrect")
		}
		q.from = string(from)
	}
	p := collect(q, objectsIn(q.view, *in.Bucket))
	out := &s3.ListObjectsV2Output{
		Name: in.Bucket, Prefix: q.encode(q.prefix), Delimiter: optional(in.Delimiter, q.encode),
		StartAfter: optional(in.StartAfter, q.encode), ContinuationToken: in.ContinuationToken,
		EncodingType: in.EncodingType, MaxKeys: aws.Int32(int32(q.size)),
		IsTruncated: aws.Bool(p.next != "" && q.size > 0), KeyCount: aws.Int32(int32(len(p.rows) + len(p.prefixes))),
	}
	if *out.IsTruncated {
		out.NextContinuationToken = aws.String(base64.RawURLEncoding.EncodeToString([]byte(p.next)))
	}
	var names *types.Owner
	if aws.ToBool(in.FetchOwner) {
		names = ownerOf(q.view, in.Bucket)
	}
	out.Contents, out.CommonPrefixes = describeList(p, q.encode, names)
	return out, nil
}

// ListObjects lists objects as ListObjectsV2 does, for older clients.
func (a *API) ListObjects(ctx context.Context, in *s3.ListObjectsInput) (*s3.ListObjectsOutput, error) {
	q, err := a.query(ctx, listing{
		in.Bucket, in.ExpectedBucketOwner, in.Prefix, in.Delimiter, in.MaxKeys, "max-keys", in.EncodingType,
	})
	if err != nil {
		return nil, err
	}
	q.from = q.startAfter(aws.ToString(in.Marker))
	p := collect(q, objectsIn(q.view, *in.Bucket))
	out := &s3.ListObjectsOutput{
		Name: in.Bucket, Prefix: q.encode(q.prefix), Delimiter: optional(in.Delimiter, q.encode),
		Marker: q.encode(aws.ToString(in.Marker)), EncodingType: in.EncodingType, MaxKeys: aws.Int32(int32(q.size)),
		IsTruncated: aws.Bool(p.next != "" && q.size > 0),
	}
	if *out.IsTruncated && q.delimiter != "" {
		out.NextMarker = q.encode(p.last)
	}
	out.Contents, out.CommonPrefixes = describeList(p, q.encode, ownerOf(q.view, in.Bucket))
	return out, nil
}
