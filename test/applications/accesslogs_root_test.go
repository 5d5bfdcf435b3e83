//go:build linux && root

package applications

import (
	"compress/gzip"
	"io"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"aloft.dev/aloft/test/program"
)

// accessLog returns the lines in the files of the bucket, as a client of S3 reads them.
func accessLog(t *testing.T, c *program.LocalCloud, bucket string) (lines []string) {
	t.Helper()
	pages := s3.NewListObjectsV2Paginator(c.API.S3, &s3.ListObjectsV2Input{Bucket: &bucket})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range page.Contents {
			if !strings.HasSuffix(aws.ToString(o.Key), ".log.gz") {
				continue
			}
			out, err := c.API.S3.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &bucket, Key: o.Key})
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
			lines = append(lines, strings.Split(strings.TrimSpace(string(text)), "\n")...)
		}
	}
	return lines
}

// checkAccessLog waits until the application's bucket has requests, and checks that it has each
// of them once.
func checkAccessLog(t *testing.T, c *program.LocalCloud, bucket string, paths ...string) {
	t.Helper()
	var log []string
	count := func(path string) (n int) {
		for _, line := range log {
			if strings.Contains(line, path+" HTTP/1.1") {
				n++
			}
		}
		return n
	}
	for _, path := range paths {
		program.Eventually(t, program.Patience, path+" arrives", func() bool {
			log = accessLog(t, c, bucket)
			return count(path) > 0
		})
	}
	for _, path := range paths {
		if n := count(path); n != 1 {
			t.Errorf("%s is there %d times", path, n)
		}
	}
}
