package s3_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// keys lists a bucket page by page.
func (w *world) keys(in s3.ListObjectsV2Input) string {
	w.Helper()
	in.Bucket = aws.String("bkt")
	var found []string
	pages := s3.NewListObjectsV2Paginator(w.Client, &in)
	for pages.HasMorePages() {
		page, err := pages.NextPage(w.Context())
		w.ok(page, err)
		if n := len(page.Contents) + len(page.CommonPrefixes); n != int(*page.KeyCount) || n > int(*page.MaxKeys) {
			w.Errorf("%d entries, of %d", n, *page.KeyCount)
		}
		for _, o := range page.Contents {
			found = append(found, *o.Key)
		}
		for _, p := range page.CommonPrefixes {
			found = append(found, "<"+*p.Prefix+">")
		}
	}
	return strings.Join(found, " ")
}

func TestLists(t *testing.T) {
	w := newWorld(t)
	w.ok(w.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("bkt0")})) // whose keys are neighbours
	for _, key := range []string{"a", "b/", "b/1", "b/2/x", "b/2/y", "b/3", "b0", "c//d", "ü", "ü/e"} {
		w.put(key, key)
	}
	for name, c := range map[string]struct {
		in   s3.ListObjectsV2Input
		want string
	}{
		"all":      {s3.ListObjectsV2Input{}, "a b/ b/1 b/2/x b/2/y b/3 b0 c//d ü ü/e"},
		"a prefix": {s3.ListObjectsV2Input{Prefix: aws.String("b/2")}, "b/2/x b/2/y"},
		"folders":  {s3.ListObjectsV2Input{Delimiter: aws.String("/")}, "a b0 ü <b/> <c/> <ü/>"},
		"a folder": {
			s3.ListObjectsV2Input{Delimiter: aws.String("/"), Prefix: aws.String("b/")}, "b/ b/1 b/3 <b/2/>",
		},
		"after a key": {s3.ListObjectsV2Input{StartAfter: aws.String("b/2/x")}, "b/2/y b/3 b0 c//d ü ü/e"},
		"after a folder": {
			s3.ListObjectsV2Input{Delimiter: aws.String("/"), StartAfter: aws.String("b/")}, "b0 ü <c/> <ü/>",
		},
		"nothing": {s3.ListObjectsV2Input{Prefix: aws.String("z")}, ""},
	} {
		for _, size := range []int32{1, 2, 3, 1000} {
			in := c.in
			in.MaxKeys = &size
			got := strings.Fields(w.keys(in))
			if size < 1000 { // prefixes are at the end of each page
				got = strings.Fields(sortedAs(got, strings.Fields(c.want)))
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("%s, by %d: got %s, want %s", name, size, got, c.want)
			}
		}
	}
	out, err := w.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{
		Bucket: aws.String("bkt"), Prefix: aws.String("ü"), EncodingType: types.EncodingTypeUrl,
	})
	w.ok(out, err)
	if *out.Contents[1].Key != "%C3%BC/e" || *out.Prefix != "%C3%BC" {
		t.Errorf("encoded: %s, %s", *out.Contents[1].Key, *out.Prefix)
	}
	old, err := w.ListObjects(t.Context(), &s3.ListObjectsInput{
		Bucket: aws.String("bkt"), Delimiter: aws.String("/"), Marker: aws.String("a"), MaxKeys: aws.Int32(1),
	})
	w.ok(old, err)
	if len(old.CommonPrefixes) != 1 || *old.NextMarker != "b/" || !*old.IsTruncated {
		t.Errorf("the older list: %+v", old)
	}
	_, err = w.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{
		Bucket: aws.String("bkt"), ContinuationToken: aws.String("!"),
	})
	w.refused(err, "InvalidArgument")
}

// sortedAs returns the words in the order of others, then those that are not among them.
func sortedAs(words, order []string) string {
	var sorted []string
	left := map[string]int{}
	for _, word := range words {
		left[word]++
	}
	for _, word := range order {
		if left[word] > 0 {
			left[word]--
			sorted = append(sorted, word)
		}
	}
	for word, n := range left {
		for range n {
			sorted = append(sorted, "extra:"+word)
		}
	}
	return strings.Join(sorted, " ")
}
