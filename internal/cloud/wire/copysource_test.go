package wire

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"
)

func TestParseCopySource(t *testing.T) {
	for text, want := range map[string]CopySource{
		"bkt/k":                             {Bucket: "bkt", Key: "k"},
		"/bkt/a/b":                          {Bucket: "bkt", Key: "a/b"},
		"%2Fbkt/a%20b":                      {Bucket: "bkt", Key: "a b"},
		"bkt%2Fk?versionId=3":               {Bucket: "bkt", Key: "k", Version: aws.String("3")},
		"bkt/what%3FversionId=3":            {Bucket: "bkt", Key: "what?versionId=3"},
		"bkt/k?versionId=":                  {Bucket: "bkt", Key: "k", Version: aws.String("")},
		"bkt/what%3FversionId=?versionId=a": {Bucket: "bkt", Key: "what?versionId=", Version: aws.String("a")},
	} {
		if got, ok := ParseCopySource(text); !ok || !cmp.Equal(got, want) {
			t.Errorf("%s: got %+v, %t", text, got, ok)
		}
	}
	for _, text := range []string{"", "bkt", "bkt/", "/", "//bkt/k", "/%2Fbkt/k", "bkt/%zz"} {
		if got, ok := ParseCopySource(text); ok {
			t.Errorf("%s: got %+v, want nothing", text, got)
		}
	}
}
