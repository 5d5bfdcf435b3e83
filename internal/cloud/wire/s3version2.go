package wire

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // Signature Version 2
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Version 1 of the AWS CLI presigns with Signature Version 2 (Amazon S3 User Guide,
// "Authenticating requests using Signature Version 2: Query string request
// authentication").
const (
	keyOfVersion2       = "AWSAccessKeyId"
	signatureOfVersion2 = "Signature"
	expiryOfVersion2    = "Expires"
)

// signedQuery are the parameters that are signed: those that name a part of a bucket or an
// object, and those that change the response.
var signedQuery = []string{
	"accelerate", "acl", "cors", "defaultObjectAcl", "delete", "lifecycle", "location", "logging", "notification",
	"partNumber", "policy", "replication", "requestPayment", "response-cache-control",
	"response-content-disposition", "response-content-encoding", "response-content-language",
	"response-content-type", "response-expires", "restore", "select", "select-type", "tagging", "torrent",
	"uploadId", "uploads", "versionId", "versioning", "versions", "website",
}

// parseVersion2 reads the claim of a request that is presigned with Signature Version 2,
// which only S3 accepts. It names no region.
func (c *claim) parseVersion2(query url.Values) error {
	expires, err := strconv.ParseInt(query.Get(expiryOfVersion2), 10, 64)
	if err != nil {
		return s3Denial("AccessDenied", "Invalid date (should be seconds since epoch): "+query.Get(expiryOfVersion2))
	}
	c.accessKey, c.signature, c.token = query.Get(keyOfVersion2), query.Get(signatureOfVersion2), query.Get(tokenHeader)
	c.service, c.region, c.presigned, c.version2 = "s3", s3Region, true, true
	c.time = time.Unix(expires, 0)
	return nil
}

// signVersion2 computes the signature of a request.
func (c *claim) signVersion2(r *http.Request, secret string) string {
	query := r.URL.Query()
	text := strings.Join([]string{
		r.Method, r.Header.Get("Content-Md5"), r.Header.Get("Content-Type"), query.Get(expiryOfVersion2), "",
	}, "\n")
	var headers []string
	for name, values := range r.Header {
		if name = strings.ToLower(name); strings.HasPrefix(name, "x-amz-") {
			headers = append(headers, name+":"+strings.Join(values, ",")+"\n")
		}
	}
	if c.token != "" && query.Has(tokenHeader) {
		headers = append(headers, strings.ToLower(tokenHeader)+":"+c.token+"\n")
	}
	slices.Sort(headers)
	text += strings.Join(headers, "") + resourceOfVersion2(r)
	mac := hmac.New(sha1.New, []byte(secret))
	mac.Write([]byte(text))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// resourceOfVersion2 returns the path as on the wire, with a bucket that is in the host, and
// the parameters that are signed.
func resourceOfVersion2(r *http.Request) string {
	resource := r.URL.EscapedPath()
	if bucket, _ := locateS3(r); bucket != "" && !strings.HasPrefix(r.URL.Path+"/", "/"+bucket+"/") {
		resource = "/" + bucket + resource
	}
	separator := "?"
	for _, name := range signedQuery {
		if values, ok := r.URL.Query()[name]; ok {
			resource += separator + name
			if values[0] != "" {
				resource += "=" + values[0]
			}
			separator = "&"
		}
	}
	return resource
}

// verifyVersion2 reports whether the secret produces the claim's signature.
func (c *claim) verifyVersion2(r *http.Request, secret string) bool {
	return subtle.ConstantTimeCompare([]byte(c.signVersion2(r, secret)), []byte(c.signature)) == 1
}
