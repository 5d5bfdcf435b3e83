//go:build linux

package balancers

import (
	"testing"

	"aloft.dev/aloft/internal/cloud/store"
)

func TestAccessLogFolderOfBucketAndPrefix(t *testing.T) {
	for _, c := range []struct{ enabled, bucket, prefix, want string }{
		{"false", "b", "", ""},
		{"true", "b", "", "/logs/b"},
		{"true", "b", "team/web", "/logs/b/team/web"},
		{"true", "..", "../../etc", "/logs/etc"},
	} {
		row := &store.LoadBalancer{
			Attributes: map[string]string{
				"access_logs.s3.enabled": c.enabled,
				"access_logs.s3.bucket":  c.bucket,
				"access_logs.s3.prefix":  c.prefix,
			},
		}
		if got := accessLogFolder("/logs", row); got != c.want {
			t.Errorf("%+v: got %s", c, got)
		}
	}
}
