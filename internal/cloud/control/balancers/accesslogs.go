//go:build linux

package balancers

import (
	"path/filepath"

	"aloft.dev/aloft/internal/cloud/store"
)

// accessLogFolder returns the folder of a load balancer's access logs, or "" if they
// are off. Below logs it has one folder for the bucket and those of the prefix. Clean
// keeps it below logs whatever the bucket and the prefix are.
func accessLogFolder(logs string, row *store.LoadBalancer) string {
	if logs == "" || row.Attributes["access_logs.s3.enabled"] != "true" {
		return ""
	}
	clean := func(key string) string { return filepath.Clean("/" + row.Attributes["access_logs.s3."+key]) }
	return filepath.Join(logs, clean("bucket"), clean("prefix"))
}
