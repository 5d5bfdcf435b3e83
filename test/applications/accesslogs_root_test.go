//go:build linux && root

package applications

import (
	"compress/gzip"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"aloft.dev/aloft/test/program"
)

// Requests are in files of the application's bucket, which a client of S3 reads, also those
// from while the daemon was down.
func TestRealAccessLogsAreInABucket(t *testing.T) {
	c := program.Start(t)
	dir := t.TempDir()
	spec := program.SmallSpec("shop", "debian-12", "access_logs: {retention: 7d}", "node server.js")
	program.Write(t, filepath.Join(dir, "aloft.yaml"), spec)
	program.Write(t, filepath.Join(dir, "package.json"), "{}")
	program.Write(t, filepath.Join(dir, "server.js"), talkative)
	c.Must(t, "up", dir)
	url := c.Status(t, dir).URL
	lines := func() (all []string) {
		t.Helper()
		bucket := aws.String("aloft-shop-000000000000-us-east-1")
		pages := s3.NewListObjectsV2Paginator(c.API.S3, &s3.ListObjectsV2Input{Bucket: bucket})
		for pages.HasMorePages() {
			page, err := pages.NextPage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range page.Contents {
				if !strings.HasSuffix(*o.Key, ".log.gz") {
					continue
				}
				out, err := c.API.S3.GetObject(t.Context(), &s3.GetObjectInput{Bucket: bucket, Key: o.Key})
				if err != nil {
					t.Fatal(err)
				}
				zip, err := gzip.NewReader(out.Body)
				if err != nil {
					t.Fatal(err)
				}
				text, err := io.ReadAll(zip)
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, strings.Split(strings.TrimSpace(string(text)), "\n")...)
			}
		}
		return all
	}
	count := func(path string) (n int) {
		for _, line := range lines() {
			if strings.Contains(line, path+" HTTP/1.1") {
				n++
			}
		}
		return n
	}
	arrives := func(path string) {
		t.Helper()
		program.Eventually(t, 3*time.Minute, path+" arrives", func() bool { return count(path) > 0 })
	}
	program.Fetch(t, url+"/first")
	arrives("/first")
	killDaemon(t, c)
	program.Fetch(t, url+"/while-down") // the load balancer runs on
	c.Must(t, "local", "start", "--address", program.LocalAddress)
	arrives("/while-down")
	for _, path := range []string{"/first", "/while-down"} {
		if n := count(path); n != 1 {
			t.Errorf("%s is there %d times", path, n)
		}
	}
	c.Must(t, "down", dir, "--yes", "--images")
	c.NothingTagged(t, "shop")
	buckets, err := c.API.S3.ListBuckets(t.Context(), &s3.ListBucketsInput{})
	if err != nil || len(buckets.Buckets) > 0 {
		t.Errorf("after aloft down: %+v, %v", buckets, err)
	}
}
