package spec_test

import (
	"testing"

	"aloft.dev/aloft/internal/spec"
)

func TestWrittenFileParsesToTheSameSpec(t *testing.T) {
	dir := folder(t, map[string]string{"package.json": `{"scripts":{"start":"node s.js"}}`})
	derived, err := spec.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	text, err := spec.Write(derived)
	if err != nil {
		t.Fatal(err)
	}
	written, err := spec.Parse(text, spec.FileName, dir)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if derived.Machines != written.Machines || derived.LoadBalancer != written.LoadBalancer ||
		derived.Source != written.Source || derived.Release != written.Release || derived.Start != written.Start {
		t.Errorf("got %+v\nwant %+v", written, derived)
	}
}
