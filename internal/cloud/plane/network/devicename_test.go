//go:build linux

package network

import (
	"testing"
)

func TestDeviceName(t *testing.T) {
	for id, want := range map[string]string{
		"eni-0123456789abcdef0": "eni0123456789ab",
		"eni-1":                 "eni" + deviceName("eni", "eni-1")[3:],
	} {
		if got := deviceName("eni", id); got != want || len(got) != maxDeviceName {
			t.Errorf("deviceName(%s) = %s, want %s", id, got, want)
		}
	}
	if deviceName("eni", "eni-1") == deviceName("eni", "eni-2") {
		t.Error("two interfaces have the same device name")
	}
}
