//go:build linux

package client

import (
	"os"
	"testing"

	"aloft.dev/aloft/internal/cloud"
)

func TestAccountsAreSeparateAndShareWhatTheySay(t *testing.T) {
	s := startSimulated(t, func(c *cloud.Config) { c.AcceptAnyCredentials = true })
	program, err := os.ReadFile("testdata/accounts.py")
	if err != nil {
		t.Fatal(err)
	}
	if out := s.run(t, "accounts.py", string(program), "python3"); out != "" {
		t.Error(out)
	}
}
