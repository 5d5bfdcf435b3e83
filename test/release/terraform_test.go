//go:build linux

package release

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"

	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/spec"
	"aloft.dev/aloft/internal/stack"
	"aloft.dev/aloft/test/simulation"
)

// exports are applications to export, with what Terraform plans for them. It cannot import
// the registrations of servers, and registers them again, which changes nothing.
func exports(t *testing.T) map[string]struct {
	edit func(*spec.Spec)
	plan string
} {
	return map[string]struct {
		edit func(*spec.Spec)
		plan string
	}{
		"servers": {
			func(s *spec.Spec) { s.Tags, s.Protect = map[string]string{"team": "a"}, true },
			" to import, 3 to add, 0 to change, 0 to destroy",
		},
		"a group": {
			func(s *spec.Spec) { s.Scaling = simulation.ScalingTutorial(t).Scaling },
			" to import, 0 to add, 0 to change, 0 to destroy",
		},
	}
}

var idInCode = regexp.MustCompile(`"((vpc|subnet|sg|igw|rtb)-[0-9a-f]{17}|arn:aws:elasticloadbalancing:.*)"`)

func TestEverythingIsExportedWithoutValues(t *testing.T) {
	for name, test := range exports(t) {
		t.Run(name, func(t *testing.T) {
			s := environedApplication(t, test.edit)
			d := deploymentOf(t, s)
			files := simulation.Must(d.ExportTerraform(t.Context()))(t)
			all := ""
			for name, text := range files {
				if _, problems := hclsyntax.ParseConfig(text, name, hcl.InitialPos); problems.HasErrors() {
					t.Errorf("%s: %v", name, problems)
				}
				if string(hclwrite.Format(text)) != string(text) {
					t.Errorf("%s is not formatted", name)
				}
				all += string(text)
			}
			if strings.Contains(all, "hunter") {
				t.Error("the value of a variable is exported")
			}
			imports := string(files["imports.tf"])
			for _, f := range simulation.Must(d.Discover(t.Context()))(t) {
				id, _, _ := strings.Cut(f.ID, "/")
				switch f.Kind {
				case stack.KindEnvironment, stack.KindScalingPolicy:
					id = f.Name
				}
				switch f.Kind {
				case stack.KindMember: // the group's
				case stack.KindTarget, stack.KindImage:
					if !strings.Contains(all, f.ID) && f.Kind == stack.KindImage {
						t.Errorf("%s is not exported", f.ID)
					}
				default:
					if !strings.Contains(imports, id) {
						t.Errorf("%s %s is not imported", f.Kind, id)
					}
				}
			}
			for _, f := range []string{"network.tf", "security.tf", "identity.tf", "service.tf"} {
				if id := idInCode.Find(files[f]); id != nil {
					t.Errorf("%s has an id in place of a reference: %s", f, id)
				}
			}
		})
	}
}

// A configuration without everything that the application has is not written.
func TestWhatCannotBeExportedIsNamed(t *testing.T) {
	s := environedApplication(t, func(s *spec.Spec) { s.Alerts = []string{"me@example.com"} })
	files, err := deploymentOf(t, s).ExportTerraform(t.Context())
	problem := diag.From(err)
	if files != nil || len(problem) != 1 || !strings.Contains(problem[0].Detail, "alarm-down") ||
		!strings.Contains(problem[0].Detail, "alerts") {
		t.Errorf("got %d files, %v", len(files), err)
	}
}

// exported exports a deployment to a folder and returns it.
func exported(t *testing.T, s *simulation.Application) string {
	t.Helper()
	dir := t.TempDir()
	files := simulation.Must(deploymentOf(t, s).ExportTerraform(t.Context()))(t)
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// terraform runs Terraform in a folder with the provider of a folder of plugins.
func terraform(t *testing.T, dir, endpoint string, args ...string) (output string, err error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "terraform", append([]string{"-chdir=" + dir}, args...)...)
	cmd.Env = append(os.Environ(), "AWS_ENDPOINT_URL="+endpoint, "AWS_ACCESS_KEY_ID=AKIAALOFT",
		"AWS_SECRET_ACCESS_KEY=secret", "AWS_EC2_METADATA_DISABLED=true", "CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1",
		"TF_CLI_CONFIG_FILE=/dev/null")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func TestTerraformTakesOverWhatWasExported(t *testing.T) {
	plugins := os.Getenv("ALOFT_TERRAFORM_PLUGINS")
	if plugins == "" {
		t.Skip("ALOFT_TERRAFORM_PLUGINS names no folder with the AWS provider")
	}
	for name, test := range exports(t) {
		t.Run(name, func(t *testing.T) {
			s := environedApplication(t, test.edit)
			dir, endpoint := exported(t, s), s.Serve(t)
			servers := strings.Join(serverIDs(s), " ")
			for _, args := range [][]string{
				{"fmt", "-check", "-diff"}, {"init", "-no-color", "-plugin-dir=" + plugins},
				{"plan", "-no-color", "-out=plan"}, {"apply", "-no-color", "plan"},
			} {
				output, err := terraform(t, dir, endpoint, args...)
				if err != nil {
					t.Fatalf("terraform %s: %v\n%s", args[0], err, output)
				}
				if args[0] == "plan" && !strings.Contains(output, test.plan) {
					t.Error(output)
				}
			}
			output, err := terraform(t, dir, endpoint, "plan", "-no-color", "-detailed-exitcode")
			if err != nil {
				t.Errorf("after the import: %v\n%s", err, output)
			}
			expect(t, "servers", strings.Join(serverIDs(s), " "), servers)
			simulation.PlanIsEmpty(t, deploymentOf(t, s))
		})
	}
}
