package spec_test

import (
	"bytes"
	"flag"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aloft.dev/aloft/internal/spec"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestTheFileThatInitWritesMeansTheSpecItWasMadeOf(t *testing.T) {
	dir := folder(t, map[string]string{"package.json": `{"scripts":{"start":"node s.js"}}`})
	assumed, err := spec.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	text, err := spec.Write(assumed)
	if err != nil {
		t.Fatal(err)
	}
	written, err := spec.Parse(text, spec.FileName, dir)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if assumed.Machines != written.Machines || assumed.LoadBalancer != written.LoadBalancer ||
		assumed.Source != written.Source ||
		assumed.Release != written.Release ||
		assumed.Start != written.Start {
		t.Errorf("got %+v\nwant %+v", written, assumed)
	}
}

func TestTheSchemaInTheDocumentsIsTheTypes(t *testing.T) {
	const golden = "../../docs/aloft.schema.json"
	got, err := spec.Schema()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, got) {
		t.Error("run go test ./internal/spec -update\n" + cmp.Diff(string(want), string(got)))
	}
}
