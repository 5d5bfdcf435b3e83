//go:build linux

package image

import (
	"slices"
	"testing"
)

func TestOnlySettingsForReachingTheArchiveAreSelected(t *testing.T) {
	dump := "APT \"\";\nAPT::Install-Recommends \"true\";\nAcquire::http::Proxy \"http://proxy:3128\";\n" +
		"Acquire::http::Proxy-Auto-Detect \"x\";\nAcquire::Check-Date \"false\";\n"
	want := []string{`Acquire::http::Proxy "http://proxy:3128";`, `Acquire::Check-Date "false";`}
	if got := archiveSettings([]byte(dump)); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
