package spec_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"aloft.dev/aloft/internal/spec"
)

func TestWrittenFileParsesToTheSameSpec(t *testing.T) {
	dir := folder(t, map[string]string{"package.json": `{"scripts":{"start":"node s.js"}}`, "s.js": ""})
	derived, err := spec.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, types := range []spec.InstanceTypes{derived.Machines.Types, {"t3.micro", "t3a.micro"}} {
		derived.Machines.Types = types
		writtenIsTheSame(t, derived, dir)
	}
}

func writtenIsTheSame(t *testing.T, derived *spec.Spec, dir string) {
	t.Helper()
	text, err := spec.Write(derived)
	if err != nil {
		t.Fatal(err)
	}
	written, err := spec.Parse(text, spec.FileName, dir)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if !cmp.Equal(derived.Machines, written.Machines) || derived.LoadBalancer != written.LoadBalancer ||
		derived.Source != written.Source || derived.Release != written.Release || derived.Start != written.Start {
		t.Errorf("got %+v\nwant %+v", written, derived)
	}
}
