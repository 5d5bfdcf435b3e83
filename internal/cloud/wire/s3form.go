package wire

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // Signature Version 2
	"crypto/subtle"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"aloft.dev/aloft/internal/cloud/wire/names"
)

// maxFormFields is the size of all fields of a form before its file, with their names, in bytes (Amazon S3 API
// Reference, "POST Object").
const maxFormFields = 20 << 10

// objectForm is a request that an HTML form makes: a POST of multipart/form-data to a bucket. Its fields say what a
// PUT says in headers, and a policy among them is signed in place of the request (Amazon S3 API Reference, "POST
// Object").
type objectForm struct {
	fields   map[string]string // by name in lower case
	file     io.Reader
	filename string
	bucket   string
	key      string
}

// isForm reports whether a request is a form's.
func (h *handler) isForm(r *http.Request) bool {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return r.Method == http.MethodPost && err == nil && kind == "multipart/form-data" && h.services["s3"] != nil &&
		r.Header.Get("Authorization") == "" && r.URL.RawQuery == ""
}

// admitForm verifies the signature of a form's policy and that the form follows it, and makes the request the PUT
// that means the same.
func (h *handler) admitForm(r *http.Request, x *exchange) (*service, error) {
	svc := h.services["s3"]
	x.table, x.dialect, x.resource = svc.table, names.S3, r.URL.Path
	if r.ContentLength < 0 {
		return nil, missingLength()
	}
	f, err := readObjectForm(r)
	if err != nil {
		return nil, err
	}
	if err := x.claim.parseForm(f.fields); err != nil {
		return nil, err
	}
	key, err := h.formKey(x, f.fields["policy"])
	if err != nil {
		return nil, err
	}
	limits, err := f.checkPolicy(h.Now())
	if err != nil {
		return nil, err
	}
	if err := f.becomePut(r); err != nil {
		return nil, err
	}
	x.form, x.principal, x.verified = f, key.Principal, true
	x.payload = &Payload{
		body: &limitedFile{file: f.file, limits: limits}, progress: x.progress, header: r.Header, length: -1,
		most: r.ContentLength, form: true,
	}
	return svc, nil
}

// readObjectForm reads the fields of a form up to its file.
func readObjectForm(r *http.Request) (*objectForm, error) {
	parts, err := r.MultipartReader()
	if err != nil {
		return nil, malformedForm()
	}
	f := &objectForm{fields: map[string]string{}}
	f.bucket, _ = locateS3(r)
	for left := int64(maxFormFields); ; {
		part, err := parts.NextRawPart()
		switch {
		case errors.Is(err, io.EOF):
			return nil, Errorf("InvalidArgument", "POST requires exactly one file upload per request.")
		case err != nil:
			return nil, malformedForm()
		}
		name := strings.ToLower(part.FormName())
		if name == "file" {
			f.file, f.filename = part, part.FileName()
			break
		}
		value, err := io.ReadAll(io.LimitReader(part, left+1))
		if left -= int64(len(name) + len(value)); err != nil || left < 0 {
			return nil, Errorf("MaxPostPreDataLengthExceeded",
				"Your POST request fields preceeding the upload file was too large.") //nolint:misspell // as S3 says it
		}
		f.fields[name] = string(value)
	}
	for _, name := range []string{"key", "policy"} {
		if f.fields[name] == "" {
			return nil, Errorf("InvalidArgument", "Bucket POST must contain a field named '%s'.  If it is specified, "+
				"please check the order of the fields.", name)
		}
	}
	// Policies are about the key that the object gets (Amazon S3 API Reference, "POST policy").
	f.key = strings.ReplaceAll(f.fields["key"], "${filename}", f.filename)
	f.fields["key"] = f.key
	return f, nil
}

func malformedForm() error {
	return Errorf("MalformedPOSTRequest", "The body of your POST request is not well-formed multipart/form-data.")
}

// parseForm reads the claim of a form, signed with Signature Version 4, or with Version 2 as older clients do.
func (c *claim) parseForm(fields map[string]string) error {
	c.token, c.encodedOnce = fields["x-amz-security-token"], true
	if fields["x-amz-algorithm"] == "" && fields["awsaccesskeyid"] != "" {
		c.accessKey, c.signature = fields["awsaccesskeyid"], fields["signature"]
		c.service, c.region, c.version2 = "s3", s3Region, true
		return nil
	}
	if fields["x-amz-algorithm"] != algorithm {
		return s3Denial("AccessDenied", "Access Denied")
	}
	if err := c.fill(fields["x-amz-credential"], "host", fields["x-amz-signature"], fields["x-amz-date"]); err != nil {
		return err
	}
	if c.service != "s3" {
		return s3Denial("AccessDenied", "Access Denied")
	}
	return nil
}

// formKey returns the key that has signed a form's policy.
func (h *handler) formKey(x *exchange, policy string) (Key, error) {
	c := &x.claim
	key, err := h.Credentials(c.accessKey, c.token)
	anyKey := h.acceptsAny(key, err)
	x.account = h.accountOf(key, c.accessKey, anyKey)
	switch {
	case anyKey:
		return Key{}, nil
	case err != nil:
		return Key{}, unknownKey(x.dialect)
	}
	want := c.signText(policy, key.Secret)
	if c.version2 {
		mac := hmac.New(sha1.New, []byte(key.Secret))
		mac.Write([]byte(policy))
		want = base64.StdEncoding.EncodeToString(mac.Sum(nil))
	}
	switch {
	case subtle.ConstantTimeCompare([]byte(want), []byte(c.signature)) != 1:
		return Key{}, badSignature(x.dialect)
	case key.temporary() && !h.Now().Before(key.Expires):
		return Key{}, expiredToken(x.dialect)
	}
	return key, nil
}

// formHeaders are the fields that are headers of a PUT besides those of Amazon S3.
var formHeaders = []string{
	"cache-control", "content-type", "content-disposition", "content-encoding", "content-md5", "expires",
}

// becomePut makes a request the PUT of an object that means the same.
func (f *objectForm) becomePut(r *http.Request) error {
	path := "/" + f.key
	if strings.Trim(r.URL.Path, "/") != "" {
		path = "/" + f.bucket + path
	}
	r.Method, r.URL.Path, r.URL.RawPath = http.MethodPut, path, ""
	r.Header.Del("Content-Type")
	for name := range r.Header {
		if strings.HasPrefix(name, "X-Amz-") {
			r.Header.Del(name)
		}
	}
	for _, name := range formHeaders {
		if value := f.fields[name]; value != "" {
			r.Header.Set(name, value)
		}
	}
	for name, value := range f.fields {
		switch {
		case signingFields[name]:
		case strings.HasPrefix(name, "x-amz-"):
			r.Header.Set(name, value)
		case name == "acl":
			r.Header.Set("X-Amz-Acl", value)
		case name == "tagging":
			tags, err := tagsOf(value)
			if err != nil {
				return err
			}
			r.Header.Set("X-Amz-Tagging", tags)
		}
	}
	return nil
}

// signingFields are fields about the signature, which no PUT has.
var signingFields = map[string]bool{
	"x-amz-algorithm": true, "x-amz-credential": true, "x-amz-date": true, "x-amz-signature": true,
	"x-amz-security-token": true, "awsaccesskeyid": true, "signature": true,
}

// tagsOf returns the tags of a document as a header has them.
func tagsOf(document string) (string, error) {
	var tagging struct {
		Tags []struct{ Key, Value string } `xml:"TagSet>Tag"`
	}
	if err := xml.Unmarshal([]byte(document), &tagging); err != nil {
		return "", Errorf("MalformedXML",
			"The XML you provided was not well-formed or did not validate against our published schema")
	}
	var pairs []string
	for _, tag := range tagging.Tags {
		pairs = append(pairs, url.QueryEscape(tag.Key)+"="+url.QueryEscape(tag.Value))
	}
	return strings.Join(pairs, "&"), nil
}

// limitedFile is the file of a form, whose policy limits its size.
type limitedFile struct {
	file   io.Reader
	limits formLimits
	read   int64
}

func (l *limitedFile) Read(b []byte) (int, error) {
	n, err := l.file.Read(b)
	l.read += int64(n)
	switch {
	case l.limits.most >= 0 && l.read > l.limits.most:
		return n, Errorf("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size")
	case errors.Is(err, io.EOF) && l.read < l.limits.least:
		return n, Errorf("EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size")
	}
	return n, err
}

// answer makes the response to a PUT the one that a form asks for.
func (f *objectForm) answer(r *http.Request, response *response) {
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	location := (&url.URL{Scheme: scheme, Host: r.Host, Path: r.URL.Path}).String()
	etag := response.header.Get("Etag")
	response.header.Set("Location", location)
	response.status = http.StatusNoContent
	redirect := f.fields["success_action_redirect"]
	if redirect == "" {
		redirect = f.fields["redirect"]
	}
	if to, err := url.Parse(redirect); redirect != "" && err == nil && to.Host != "" {
		query := to.Query()
		query.Set("bucket", f.bucket)
		query.Set("key", f.key)
		query.Set("etag", etag)
		to.RawQuery = query.Encode()
		response.status = http.StatusSeeOther
		response.header.Set("Location", to.String())
		return
	}
	switch f.fields["success_action_status"] {
	case "200":
		response.status = http.StatusOK
	case "201":
		w := &xmlEncoder{}
		w.WriteString(xmlHeader + "<PostResponse>")
		for _, e := range [][2]string{{"Location", location}, {"Bucket", f.bucket}, {"Key", f.key}, {"ETag", etag}} {
			w.element(e[0], e[1])
		}
		w.WriteString("</PostResponse>")
		response.status, response.contentType, response.body = http.StatusCreated, s3XMLType, w.Bytes()
	}
}

// formLimits is which sizes a policy lets the file have. most is -1 for any.
type formLimits struct{ least, most int64 }

func formDenied(why string) error {
	return s3Denial("AccessDenied", "Invalid according to Policy: "+why)
}

func number(v any) (int64, bool) {
	switch v := v.(type) {
	case float64:
		return int64(v), v >= 0 && v == float64(int64(v))
	case string:
		n, err := strconv.ParseInt(v, 10, 64)
		return n, err == nil && n >= 0
	}
	return 0, false
}

// expired reports whether a policy has expired.
func expired(expiration string, now time.Time) (bool, error) {
	at, err := time.Parse(time.RFC3339, expiration)
	if err != nil {
		return false, Errorf("InvalidPolicyDocument", "Invalid Policy: Invalid 'expiration' value: '%s'", expiration)
	}
	return !now.Before(at), nil
}
