package s3_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // Signature Version 2
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"io"
	"maps"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// formPolicy returns the policy of a form for keys below a/, with further conditions.
func formPolicy(until time.Time, more string) string {
	return `{"expiration":"` + until.UTC().Format(time.RFC3339) + `","conditions":[{"bucket":"bkt"},` +
		`["starts-with","$key","a/"],{"x-amz-algorithm":"AWS4-HMAC-SHA256"},["starts-with","$x-amz-credential",""],` +
		`["starts-with","$x-amz-date",""]` + more + `]}`
}

// signForm signs a form with Signature Version 4.
func (w *world) signForm(fields map[string]string, policy string) {
	w.Helper()
	credentials, err := w.Options().Credentials.Retrieve(w.Context())
	w.ok(nil, err)
	day := time.Now().UTC().Format("20060102")
	fields["policy"] = base64.StdEncoding.EncodeToString([]byte(policy))
	fields["x-amz-algorithm"] = "AWS4-HMAC-SHA256"
	fields["x-amz-date"] = day + "T000000Z"
	fields["x-amz-credential"] = credentials.AccessKeyID + "/" + day + "/us-east-1/s3/aws4_request"
	key := []byte("AWS4" + credentials.SecretAccessKey)
	for _, part := range []string{day, "us-east-1", "s3", "aws4_request", fields["policy"]} {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(part))
		key = mac.Sum(nil)
	}
	fields["x-amz-signature"] = hex.EncodeToString(key)
}

// post posts a form with a file, and returns the response and its body.
func (w *world) post(fields map[string]string, content string) (*http.Response, string) {
	w.Helper()
	var body bytes.Buffer
	m := multipart.NewWriter(&body)
	for name, value := range fields {
		w.ok(nil, m.WriteField(name, value))
	}
	file, err := m.CreateFormFile("file", "photo.txt")
	w.ok(file, err)
	_, err = io.WriteString(file, content)
	w.ok(nil, err)
	w.ok(nil, m.WriteField("submit", "Upload")) // S3 ignores what follows the file
	w.ok(nil, m.Close())
	r, err := http.NewRequestWithContext(w.Context(), http.MethodPost, *w.Options().BaseEndpoint+"/bkt", &body)
	w.ok(r, err)
	r.Header.Set("Content-Type", m.FormDataContentType())
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(r)
	w.ok(nil, err)
	text, err := io.ReadAll(response.Body)
	w.ok(nil, err)
	w.ok(nil, response.Body.Close())
	return response, string(text)
}

func TestFormsPostObjects(t *testing.T) {
	w := newWorld(t)
	later := time.Now().Add(time.Hour)
	const meta = `,{"x-amz-meta-color":"red"},["starts-with","$Content-Type","text/"],{"success_action_status":"201"}`
	fields := map[string]string{
		"key": "a/${filename}", "Content-Type": "text/plain", "x-amz-meta-color": "red", "success_action_status": "201",
	}
	// The policy is about the key with the file's name.
	w.signForm(fields, strings.Replace(formPolicy(later, meta), "a/", "a/photo", 1))
	response, text := w.post(fields, "hello")
	if response.StatusCode != http.StatusCreated || !strings.Contains(text, "<Key>a/photo.txt</Key>") ||
		!strings.HasSuffix(response.Header.Get("Location"), "/bkt/a/photo.txt") {
		t.Fatalf("got %s: %s", response.Status, text)
	}
	head, err := w.HeadObject(t.Context(), &s3.HeadObjectInput{
		Bucket: aws.String("bkt"), Key: aws.String("a/photo.txt"),
	})
	w.ok(head, err)
	if *head.ContentType != "text/plain" || head.Metadata["color"] != "red" || w.get("a/photo.txt") != "hello" {
		t.Errorf("got %+v", head)
	}
	for name, c := range map[string]struct {
		policy string
		change func(fields map[string]string)
		want   string
	}{
		"a field that the policy lacks": {
			formPolicy(later, ""), func(f map[string]string) { f["x-amz-meta-color"] = "red" }, "Extra input fields",
		},
		"another key": {
			formPolicy(later, ""), func(f map[string]string) { f["key"] = "b/x" },
			`Policy Condition failed: [&#34;starts-with&#34;, &#34;$key&#34;, &#34;a/&#34;]`,
		},
		"names of fields without an end": {
			formPolicy(later, ""), func(f map[string]string) { f[strings.Repeat("x", 20<<10)] = "" },
			"MaxPostPreDataLengthExceeded",
		},
		"an old policy": {formPolicy(time.Now(), ""), func(map[string]string) {}, "Policy expired"},
		"a file that is too large": {
			formPolicy(later, `,["content-length-range",1,4]`), func(map[string]string) {}, "EntityTooLarge",
		},
		"a file that is too small": {
			formPolicy(later, `,["content-length-range",9,99]`), func(map[string]string) {}, "EntityTooSmall",
		},
		"another signature": {
			formPolicy(later, ""), func(f map[string]string) { f["x-amz-signature"] = strings.Repeat("0", 64) },
			"SignatureDoesNotMatch",
		},
		"no signature": {
			formPolicy(later, ""), func(f map[string]string) { delete(f, "x-amz-algorithm") }, "AccessDenied",
		},
		"no key":      {formPolicy(later, ""), func(f map[string]string) { delete(f, "key") }, "named &#39;key&#39;"},
		"broken JSON": {"{", func(map[string]string) {}, "Invalid JSON"},
	} {
		fields := map[string]string{"key": "a/new"}
		w.signForm(fields, c.policy)
		c.change(fields)
		if response, text := w.post(fields, "hello"); response.StatusCode < 400 || !strings.Contains(text, c.want) {
			t.Errorf("%s: got %s: %s, want %s", name, response.Status, text, c.want)
		}
	}
	if got := w.get("a/new") + w.get("b/x"); got != "NoSuchKeyNoSuchKey" {
		t.Errorf("refused forms wrote %s", got)
	}
	if n := w.onDisk(); n != 1 {
		t.Errorf("there are %d files, want 1", n)
	}
}

func TestFormsMayHaveOlderSignaturesAndRedirect(t *testing.T) {
	w := newWorld(t)
	credentials, err := w.Options().Credentials.Retrieve(t.Context())
	w.ok(nil, err)
	policy := base64.StdEncoding.EncodeToString([]byte(`{"expiration":"2100-01-01T00:00:00Z","conditions":[` +
		`{"bucket":"bkt"},{"key":"k"},["eq","$success_action_redirect","http://localhost/done?a=b"]]}`))
	mac := hmac.New(sha1.New, []byte(credentials.SecretAccessKey))
	mac.Write([]byte(policy))
	fields := map[string]string{
		"key": "k", "policy": policy, "AWSAccessKeyId": credentials.AccessKeyID,
		"signature":               base64.StdEncoding.EncodeToString(mac.Sum(nil)),
		"success_action_redirect": "http://localhost/done?a=b",
	}
	response, text := w.post(fields, "x")
	if to := response.Header.Get("Location"); response.StatusCode != http.StatusSeeOther ||
		!strings.HasPrefix(to, "http://localhost/done?a=b&bucket=bkt&etag=%22") || !strings.HasSuffix(to, "&key=k") {
		t.Errorf("got %s to %s: %s", response.Status, to, text)
	}
	changed := maps.Clone(fields)
	changed["signature"] = base64.StdEncoding.EncodeToString([]byte("nothing"))
	if response, text := w.post(changed, "y"); response.StatusCode != http.StatusForbidden {
		t.Errorf("another signature: got %s: %s", response.Status, text)
	}
	if got := w.get("k"); got != "x" {
		t.Errorf("got %s", got)
	}
}
