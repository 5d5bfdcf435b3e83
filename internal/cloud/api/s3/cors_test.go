package s3_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// ask sends a request of a page at an origin, and returns the response with its body.
func (w *world) ask(method, url string, header http.Header) (*http.Response, string) {
	w.Helper()
	r, err := http.NewRequestWithContext(w.Context(), method, url, nil)
	w.ok(nil, err)
	r.Header = header
	response, err := http.DefaultClient.Do(r)
	w.ok(nil, err)
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	w.ok(nil, err)
	return response, string(body)
}

func TestPagesOfOtherOriginsNeedARule(t *testing.T) {
	w := newWorld(t)
	w.put("k", "content")
	presigned, err := s3.NewPresignClient(w.Client).PresignGetObject(t.Context(), &s3.GetObjectInput{
		Bucket: aws.String("bkt"), Key: aws.String("k"),
	}, func(o *s3.PresignOptions) {
		o.ClientOptions = append(o.ClientOptions, func(o *s3.Options) { o.UsePathStyle = true })
	})
	w.ok(nil, err)
	const page = "https://page.example"
	get := func(origin string) (*http.Response, string) {
		return w.ask(http.MethodGet, presigned.URL, http.Header{"Origin": {origin}, "Sec-Fetch-Site": {"cross-site"}})
	}
	ask := func(origin, method, headers string) (*http.Response, string) {
		return w.ask(http.MethodOptions, presigned.URL, http.Header{
			"Origin": {origin}, "Access-Control-Request-Method": {method}, "Access-Control-Request-Headers": {headers},
		})
	}
	if r, body := ask(page, "GET", ""); r.StatusCode != 403 || !strings.Contains(body, "CORS is not enabled") {
		t.Errorf("without rules: %d %s", r.StatusCode, body)
	}
	if r, body := get(page); r.StatusCode != 403 {
		t.Errorf("without rules: %d %s", r.StatusCode, body)
	}
	w.ok(w.PutBucketCors(t.Context(), &s3.PutBucketCorsInput{
		Bucket: aws.String("bkt"), CORSConfiguration: &types.CORSConfiguration{CORSRules: []types.CORSRule{
			{
				ID: aws.String("one"), AllowedOrigins: []string{"https://*.example"},
				AllowedMethods: []string{"GET", "PUT"}, AllowedHeaders: []string{"X-Amz-*"},
				ExposeHeaders: []string{"ETag"}, MaxAgeSeconds: aws.Int32(60),
			},
			{AllowedOrigins: []string{"*"}, AllowedMethods: []string{"HEAD"}},
		}},
	}))
	r, body := get(page)
	if body != "content" || r.Header.Get("Access-Control-Allow-Origin") != page ||
		r.Header.Get("Access-Control-Expose-Headers") != "ETag" {
		t.Errorf("allowed: %d %s %v", r.StatusCode, body, r.Header)
	}
	if r, body := get("https://evil.test"); r.StatusCode != 403 || body == "content" {
		t.Errorf("another origin: %d %s", r.StatusCode, body)
	}
	plain, _, _ := strings.Cut(presigned.URL, "?")
	if r, _ := w.ask(http.MethodGet, plain, http.Header{"Origin": {page}}); r.StatusCode != 403 {
		t.Errorf("without a signature: %d", r.StatusCode)
	}
	r, _ = ask(page, "PUT", "x-amz-date, X-Amz-Meta-A")
	for name, want := range map[string]string{
		"Access-Control-Allow-Headers": "x-amz-date, x-amz-meta-a", "Access-Control-Allow-Methods": "GET, PUT",
		"Access-Control-Allow-Credentials": "true", "Access-Control-Max-Age": "60",
	} {
		if got := r.Header.Get(name); got != want || r.StatusCode != 200 {
			t.Errorf("%d, %s: got %q, want %q", r.StatusCode, name, got, want)
		}
	}
	for _, c := range [][3]string{
		{page, "DELETE", ""}, {page, "GET", "content-type"}, {"https://evil.test", "GET", ""}, {"", "GET", ""},
	} {
		if r, body := ask(c[0], c[1], c[2]); r.StatusCode == 200 {
			t.Errorf("%v: %s", c, body)
		}
	}
	if r, _ := ask("https://evil.test", "HEAD", ""); r.Header.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("every origin: %v", r.Header)
	}
	got, err := w.GetBucketCors(t.Context(), &s3.GetBucketCorsInput{Bucket: aws.String("bkt")})
	w.ok(got, err)
	if len(got.CORSRules) != 2 || *got.CORSRules[0].ID != "one" || *got.CORSRules[0].MaxAgeSeconds != 60 {
		t.Errorf("rules %+v", got.CORSRules)
	}
	w.ok(w.DeleteBucketCors(t.Context(), &s3.DeleteBucketCorsInput{Bucket: aws.String("bkt")}))
	_, err = w.GetBucketCors(t.Context(), &s3.GetBucketCorsInput{Bucket: aws.String("bkt")})
	w.refused(err, "NoSuchCORSConfiguration")
}

func TestRulesForOtherOriginsAreChecked(t *testing.T) {
	w := newWorld(t)
	origins, methods := []string{"*"}, []string{"GET"}
	for want, rules := range map[string][]types.CORSRule{
		"MalformedXML": {},
		"InvalidRequest: Found unsupported HTTP method in CORS config. Unsupported method is MYMETHOD": {
			{AllowedOrigins: origins, AllowedMethods: []string{"MYMETHOD"}},
		},
		`InvalidRequest: AllowedOrigin "*a*" can not have more than one wildcard.`: {
			{AllowedOrigins: []string{"*a*"}, AllowedMethods: methods},
		},
		"InvalidRequest: ExposeHeader": {
			{AllowedOrigins: origins, AllowedMethods: methods, ExposeHeaders: []string{"x-*"}},
		},
	} {
		_, err := w.PutBucketCors(t.Context(), &s3.PutBucketCorsInput{
			Bucket: aws.String("bkt"), CORSConfiguration: &types.CORSConfiguration{CORSRules: rules},
		})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
