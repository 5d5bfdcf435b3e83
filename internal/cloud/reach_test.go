//go:build linux

package cloud

import (
	"slices"
	"testing"

	"aloft.dev/aloft/internal/cloud/plane/image"
)

func TestMachinesReachProxiesArchivesAndRegistries(t *testing.T) {
	env := map[string]string{
		"http_proxy": "http://proxy.lan:3128", "HTTPS_PROXY": "http://localhost:3129", "no_proxy": "http://not.lan:1",
	}
	archives := image.Mirrors{"debian": "http://mirror.lan/debian"}
	got := places(env, archives, []string{"https://npm.lan:8443/all/", "https://10.1.2.3/", "", "direct", "://"})
	slices.Sort(got)
	want := []string{"10.1.2.3:443", "mirror.lan:80", "npm.lan:8443", "proxy.lan:3128"}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
