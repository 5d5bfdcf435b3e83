//go:build linux

package machine

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

func TestConsoleLogIsBoundedAndKeepsTheLastOutput(t *testing.T) {
	path := filepath.Join(t.TempDir(), "console.log")
	log, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = log.Close() }()
	c := &console{log: log}
	var all bytes.Buffer
	for i := range 500 {
		line := bytes.Repeat([]byte{byte('a' + i%26)}, 997)
		c.append(line)
		_, _ = all.Write(line)
		info, err := log.Stat()
		if err != nil || info.Size() > 2*consoleLimit {
			t.Fatalf("the log has %d bytes, want at most twice the limit (%v)", info.Size(), err)
		}
	}
	got, err := readConsoleTail(path)
	if err != nil {
		t.Fatal(err)
	}
	if want := all.Bytes()[all.Len()-consoleLimit:]; !bytes.Equal(got, want) {
		t.Errorf("the console returned %d bytes that are not the last %d written", len(got), len(want))
	}
	if got, err := readConsoleTail(path + ".none"); got != nil || err != nil {
		t.Errorf("without a log: got %q, %v; want nothing", got, err)
	}
}
