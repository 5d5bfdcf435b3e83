package wire

import (
	"io"
	"net"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"aloft.dev/aloft/internal/cloud/wire/names"
)

// routeS3 determines the operation of a request to S3, its bucket and its key.
func (x *exchange) routeS3(r *http.Request) {
	bucket, key := locateS3(r)
	x.labels, x.headers = map[string]string{"Bucket": bucket, "Key": key}, r.Header
	var err error
	x.values, err = url.ParseQuery(r.URL.RawQuery)
	x.malformed = err != nil // decodeS3 reports it
	x.operation = x.table.RouteS3(r.Method, bucket, key, x.values, r.Header)
}

// locateS3 returns the bucket and the key of a request. The bucket is the first segment of
// the path, or in the host: "bucket.localhost", "bucket.s3.localhost" or
// "bucket.s3.eu-west-1.localhost".
func locateS3(r *http.Request) (bucket, key string) {
	path := strings.TrimPrefix(r.URL.Path, "/")
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if name, ok := strings.CutSuffix(strings.ToLower(host), ".localhost"); ok {
		name = "." + name
		if i := strings.LastIndex(name+".", ".s3."); i >= 0 {
			name = name[:i]
		}
		if bucket = strings.TrimPrefix(name, "."); bucket != "" {
			return bucket, path
		}
	}
	bucket, key, _ = strings.Cut(path, "/")
	return bucket, key
}

// decodeS3 decodes a request to S3: its path, query string, headers and body.
func (x *exchange) decodeS3(op *operation, v reflect.Value) error {
	if x.malformed {
		return Errorf("InvalidURI", "Couldn't parse the specified URI.")
	}
	for _, m := range op.in.fields {
		field := v.Field(m.index)
		switch m.at.Place {
		case names.InHeaders:
			if values := x.headersWith(m.at.Name); len(values) > 0 {
				field.Set(reflect.ValueOf(values))
			}
			continue
		case names.AsBody:
			if err := x.decodeS3Body(m, field, v); err != nil {
				return err
			}
			continue
		case names.InBody, names.InPath, names.InQuery, names.InHeader, names.AsAttribute:
		}
		text, given := x.bound(m.at)
		if !given {
			continue
		}
		x.parameters = append(x.parameters, m.name)
		if err := setS3(m, text, v); err != nil {
			return err
		}
	}
	return x.decodeS3Rest()
}

// decodeS3Rest reads the body of an operation that has none in the API's model, so that
// its signature counts.
func (x *exchange) decodeS3Rest() error {
	if x.payload.taken {
		return nil
	}
	_, err := x.payload.document()
	return err
}

// setS3 sets a field to a text outside the body. Times in headers are those of HTTP.
func setS3(m member, text string, v reflect.Value) error {
	field := settableField(m, v)
	if m.shape.kind == timestamp {
		if t, err := http.ParseTime(text); err == nil {
			field.Set(reflect.ValueOf(t.UTC()))
			return nil
		}
	}
	if m.shape.kind == list { // of texts
		for item := range strings.SplitSeq(text, ",") {
			last := reflect.New(m.shape.elem.typ).Elem()
			last.SetString(strings.TrimSpace(item))
			field.Set(reflect.Append(field, last))
		}
		return nil
	}
	if err := setScalar(m.at.Name, text, m.shape, field); err != nil {
		return &Error{Code: "InvalidArgument", Message: "Provided " + m.at.Name + " is not valid: " + text}
	}
	return nil
}

// headersWith returns the headers that start with a prefix, by the rest of their names.
func (x *exchange) headersWith(prefix string) map[string]string {
	found := map[string]string{}
	for name, values := range x.headers {
		if rest, ok := cutPrefixFold(name, prefix); ok {
			found[strings.ToLower(rest)] = strings.Join(values, ",")
		}
	}
	return found
}

func cutPrefixFold(s, prefix string) (rest string, ok bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}

// decodeS3Body sets a field that is the body: a stream, a text or a document.
func (x *exchange) decodeS3Body(m member, field, v reflect.Value) error {
	if m.shape.kind == stream {
		x.payload.taken = true
		field.Set(reflect.ValueOf(x.payload))
		return nil
	}
	body, err := x.payload.document()
	if err != nil {
		return err
	}
	x.parameters = append(x.parameters, m.name)
	switch {
	case len(body) == 0:
	case m.shape.kind == text:
		settableField(m, v).SetString(string(body))
	default:
		d := xmlDecoder{}
		err := d.read(body, m.at.Name, m.shape, settableField(m, v))
		x.unknown = d.unknown
		if err != nil {
			return Errorf("MalformedXML",
				"The XML you provided was not well-formed or did not validate against our published schema")
		}
	}
	return nil
}

const s3XMLType = "application/xml"

// encodeS3 encodes the output of an operation of S3.
func (x *exchange) encodeS3(op *operation, out reflect.Value) *response {
	r := &response{status: http.StatusOK, header: x.s3Header()}
	w := &xmlEncoder{}
	document := false
	for _, m := range op.out.fields {
		field := out.Field(m.index)
		document = document || m.at.Place == names.InBody
		if m.shape.kind == stream {
			r.stream, _ = field.Interface().(io.ReadCloser)
			continue
		}
		// The document of an enumeration has its root even if the value is empty: clients parse it.
		emptyDocument := m.at.Place == names.AsBody && field.Kind() == reflect.String
		if !m.isPresent(field) && !emptyDocument {
			continue
		}
		switch m.at.Place {
		case names.InHeader:
			r.header.Set(m.at.Name, s3HeaderText(m, reflect.Indirect(field)))
		case names.InHeaders:
			for _, key := range sortedKeys(field) {
				r.header.Set(m.at.Name+key.String(), field.MapIndex(key).String())
			}
		case names.AsBody:
			if m.at.Name == "" {
				r.contentType, r.body = "application/json", []byte(reflect.Indirect(field).String())
				continue
			}
			w.s3Document(x.table, m.at.Name, func() { w.s3Payload(m, reflect.Indirect(field)) })
		case names.InBody, names.InPath, names.InQuery, names.AsAttribute:
		}
	}
	if document {
		w.s3Document(x.table, x.table.Root(op.name), func() { w.structure(op.out, out) })
	}
	if w.Len() > 0 {
		r.contentType, r.body = s3XMLType, w.Bytes()
	}
	r.status = s3Status(x, r)
	return r
}

// s3Document writes a document with the namespace of S3.
func (w *xmlEncoder) s3Document(table *names.Table, root string, content func()) {
	w.WriteString(xmlHeader)
	w.WriteString("<" + root + " xmlns=\"" + table.Namespace + "\">")
	content()
	w.WriteString("</" + root + ">")
}

// s3Payload writes the content of a document that is one field of the output.
func (w *xmlEncoder) s3Payload(m member, v reflect.Value) {
	if m.shape.kind == structure {
		w.structure(m.shape, v)
		return
	}
	w.text(v.String())
}

// s3Status returns the status of a response without an error.
func s3Status(x *exchange, r *response) int {
	switch {
	case r.header.Get("Content-Range") != "":
		return http.StatusPartialContent
	case strings.HasPrefix(x.operation, "Delete") && len(r.body) == 0, x.operation == "AbortMultipartUpload",
		x.operation == "PutBucketPolicy":
		return http.StatusNoContent
	}
	return http.StatusOK
}

func s3HeaderText(m member, v reflect.Value) string {
	switch m.shape.kind {
	case boolean:
		return strconv.FormatBool(v.Bool())
	case integer:
		return strconv.FormatInt(v.Int(), 10)
	case timestamp:
		format := http.TimeFormat
		if strings.EqualFold(m.at.Name, retainUntil) {
			format = "2006-01-02T15:04:05.000Z"
		}
		return v.Interface().(time.Time).UTC().Format(format)
	default:
		return v.String()
	}
}

// retainUntil is the only header of a response with a time in ISO 8601 (Smithy model of Amazon S3,
// ObjectLockRetainUntilDate).
const retainUntil = "X-Amz-Object-Lock-Retain-Until-Date"

// s3Header returns the headers of every response of S3.
func (x *exchange) s3Header() http.Header {
	header := http.Header{}
	header.Set("X-Amz-Request-Id", x.id)
	header.Set("X-Amz-Id-2", x.id)
	return header
}

// encodeS3Error encodes an error into r (Amazon S3 API Reference, "Error responses").
// Responses to HEAD and those without a change have no body.
func (x *exchange) encodeS3Error(r *response, e *Error) {
	r.header = x.s3Header()
	for name, value := range map[string]string{
		"ETag": e.Object.ETag, "Last-Modified": e.Object.LastModified, "X-Amz-Version-Id": e.Object.VersionID,
		"X-Amz-Delete-Marker": e.Object.DeleteMarker, "Allow": e.Object.Allow,
		"X-Amz-Bucket-Region": e.Object.Region,
	} {
		if value != "" {
			r.header.Set(name, value)
		}
	}
	if r.contentType = ""; r.status == http.StatusNotModified {
		return
	}
	w := &xmlEncoder{}
	w.WriteString(xmlHeader)
	w.WriteString("<Error>")
	w.element("Code", e.Code)
	w.element("Message", e.Message)
	if e.Object.Region != "" {
		w.element("Region", e.Object.Region)
	}
	w.element("Resource", x.resource)
	w.element("RequestId", x.id)
	w.element("HostId", x.id)
	w.WriteString("</Error>")
	r.contentType, r.body = s3XMLType, w.Bytes()
}

func s3Denial(code, message string) *Error {
	return &Error{Code: code, Message: message, Status: http.StatusForbidden}
}

// skewedS3 returns the error for a request that was signed too long ago or has expired.
func (c *claim) skewedS3() *Error {
	if c.presigned {
		return s3Denial("AccessDenied", "Request has expired")
	}
	return s3Denial("RequestTimeTooSkewed",
		"The difference between the request time and the current time is too large.")
}

// s3Region is the region of the endpoint that serves the buckets of all regions.
const s3Region = "us-east-1"

// s3Error returns S3's error for a claim that cannot be parsed. Clients that did not know a region sign again for the
// one in it.
func (c *claim) s3Error(r *http.Request, err error) error {
	known, ok := err.(*Error) //nolint:errorlint // claim.parse returns nothing else
	if !ok || known == nil {
		return err
	}
	code := "AuthorizationHeaderMalformed"
	if r.Header.Get("Authorization") == "" {
		code = "AuthorizationQueryParametersError"
	}
	if c.region != "" && !regionName(c.region) {
		return &Error{
			Code: code, Message: "The authorization header is malformed; the region '" + c.region +
				"' is wrong; expecting '" + s3Region + "'",
			Object: ObjectHeader{Region: s3Region},
		}
	}
	return &Error{Code: code, Message: known.Message}
}

// checkS3Headers checks that all of Amazon's headers are signed.
func (c *claim) checkS3Headers(r *http.Request) error {
	for name := range r.Header {
		if name != payloadHeader && strings.HasPrefix(name, "X-Amz-") &&
			!slices.Contains(c.signedHeaders, strings.ToLower(name)) {
			return s3Denial("AccessDenied", "There were headers present in the request which were not signed")
		}
	}
	if !c.presigned && r.Header.Get(payloadHeader) == "" {
		return Errorf("InvalidRequest", "Missing required header for this request: x-amz-content-sha256")
	}
	return nil
}
