package cli

import (
	"bytes"
	"strings"
	"testing"

	"aloft.dev/aloft/internal/importedimage"
)

func TestArchivesDoNotControlTheTerminal(t *testing.T) {
	var out bytes.Buffer
	o := &localImageImportOptions{global: newGlobal("", Stdio{Out: &out, Err: &out})}
	imported := importedimage.Image{ID: "ami-1", System: "\x1b[2J\u009bDebian\u202e", User: "\x07admin"}
	if err := o.printImport(&importResult{Image: imported}); err != nil {
		t.Fatal(err)
	}
	if got := out.String(); !strings.HasPrefix(got, "✓ ami-1 is Debian, with the login user admin.\n") {
		t.Errorf("got %q", got)
	}
}
