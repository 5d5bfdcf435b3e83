package resource

import (
	"encoding/base64"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
)

func TestHostKeysAreReadFromTheLastCompleteBlock(t *testing.T) {
	line := func() (string, ssh.PublicKey) {
		public, err := generate(filepath.Join(t.TempDir(), "key"), "test")
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(public))), public
	}
	old, _ := line()
	text, want := line()
	const prefix = "[   12.3] cloud-init[500]: "
	console := "Linux version 6.1\r\n" + keysBegin + "\r\n" + old + " root@ip\r\n" + keysEnd + "\r\n" +
		prefix + keysBegin + "\r\n" + prefix + text + " root@ip-10-0-1-9\r\ngarbage\r\n" + keysEnd + "\r\n" +
		keysBegin + "\r\n" + old // cut off
	got := HostKeys(base64.StdEncoding.EncodeToString([]byte(console)))
	if len(got) != 1 || string(got[0].Marshal()) != string(want.Marshal()) {
		t.Errorf("got %v", got)
	}
	for _, none := range []string{"", "!", base64.StdEncoding.EncodeToString([]byte("login: "))} {
		if got := HostKeys(none); got != nil {
			t.Errorf("%q: got %v", none, got)
		}
	}
}
