package spec_test

import (
	"errors"
	"os"
	"testing"

	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/spec"
)

// Any file is a spec, or has mistakes that name their place or their remedy.
func FuzzParse(f *testing.F) {
	for _, example := range []string{"production", "scaling", "monorepo", "worker"} {
		text, err := os.ReadFile("../../examples/" + example + "/aloft.yaml")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text, "staging")
	}
	f.Add([]byte("app: &a x\nstart: *a\n<<: {port: 1}\nenv: [1, {2: 3}]\n---\n"), "")
	f.Add([]byte("scaling: {min: 99999999999999999999, cpu: .inf, schedule: {a: '* * * * *'}}"), "")
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text []byte, stage string) {
		_, err := spec.ParseStage(text, spec.FileName, dir, stage)
		if err == nil {
			return
		}
		var mistakes diag.List
		if !errors.As(err, &mistakes) || len(mistakes) == 0 {
			t.Fatalf("an error without a mistake: %v", err)
		}
		for _, m := range mistakes {
			if m.Summary == "" || m.Where == "" && m.Hint == "" {
				t.Errorf("a mistake without words: %+v", m)
			}
		}
	})
}

func FuzzParseEnvFile(f *testing.F) {
	f.Add([]byte("A=1\nexport B=\"x\\n$A\"\nC='y' # z\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		variables, err := spec.ParseEnvFile(text)
		if err != nil && len(variables) > 0 {
			t.Errorf("variables %v with error %v", variables, err)
		}
	})
}
