package wire

import (
	"net/url"
	"strings"
)

// CopySource is the object that a request to S3 copies.
type CopySource struct {
	Bucket, Key string
	Version     *string // id of a version; nil: the current one
}

// ParseCopySource parses the header x-amz-copy-source: "bucket/key?versionId=id", encoded as in URLs, with or without
// a slash at the start (Amazon S3 API Reference, CopyObject). ok is false if the text names no object.
func ParseCopySource(text string) (source CopySource, ok bool) {
	text, version, versioned := strings.Cut(text, "?versionId=")
	plain, err := url.PathUnescape(text)
	if err != nil {
		return CopySource{}, false
	}
	source.Bucket, source.Key, _ = strings.Cut(strings.TrimPrefix(plain, "/"), "/")
	if versioned {
		source.Version = &version
	}
	return source, source.Bucket != "" && source.Key != ""
}
