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

	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/spec"
	"aloft.dev/aloft/internal/stack"
	"aloft.dev/aloft/internal/terraform"
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
			func(s *spec.Spec) {
				s.Tags, s.Protect, s.Domain = map[string]string{"team": "a"}, true, spec.Domains{"shop.example.com"}
			},
			" to import, 4 to add, 0 to change, 0 to destroy",
		},
		"a group": {
			func(s *spec.Spec) {
				s.Scaling = simulation.ScalingTutorial(t).Scaling
				s.Scaling.Target = spec.Target{RequestsPerTarget: 100}
			},
			" to import, 0 to add, 0 to change, 0 to destroy",
		},
		// The wait for the certificate cannot be imported, nor can an email without a confirmation.
		"everything": {
			func(s *spec.Spec) {
				s.Scaling = simulation.ScalingTutorial(t).Scaling
				s.Network = simulation.PrivateTutorial(t).Network
				s.Security.Access, s.Security.SSH.From = spec.AccessEndpoint, nil
				s.Domain, s.HSTS = spec.Domains{"api.example.com", "example.com"}, true
				s.Alerts = []string{"me@example.com", "you@example.com"}
				s.Logs = &spec.Logs{Retention: "30d"}
				s.AccessLogs = &spec.AccessLogs{Enabled: true, Retention: "30d"}
			},
			" to import, 2 to add, 0 to change, 0 to destroy",
		},
	}
}

var idInCode = regexp.MustCompile(
	`"((vpc|subnet|sg|igw|rtb|nat|eipalloc|eice)-[0-9a-f]{17}|arn:aws:(elasticloadbalancing|acm|sns):.*|app/.*)"`,
)

// exportable returns an application that is exported, with a hosted zone and one address that
// has confirmed its subscription.
func exportable(t *testing.T, edit func(*spec.Spec)) *simulation.Application {
	t.Helper()
	s := &simulation.Application{Cloud: simulation.New(t), Keys: t.TempDir(), Spec: environed(t)}
	edit(s.Spec)
	s.HostedZone(t, "example.com")
	s.Release(t, "r1")
	if err := s.Store.Update(func(tx *store.Tx) error {
		for _, row := range store.Subscriptions.List(tx) {
			if row.Endpoint == "me@example.com" {
				store.Subscriptions.Edit(tx, row.ARN, func(row *store.Subscription) { row.Confirmed = true })
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return s
}

// importID returns the id by which Terraform imports a resource, or a part of it. It is "" for
// what is not imported.
func importID(f plan.Found) string {
	switch f.Kind {
	case stack.KindEnvironment, stack.KindScalingPolicy, stack.KindAlarm:
		return f.Name
	case stack.KindMember, stack.KindTarget, stack.KindImage:
		return ""
	case stack.KindRecord:
		return f.Value(stack.AttrHostedZone) + "_" + f.Value(stack.AttrName) + "_A"
	}
	id, _, _ := strings.Cut(f.ID, "/")
	if strings.HasPrefix(f.ID, "arn:") || f.Kind == stack.KindLogGroup {
		id = f.ID
	}
	return id
}

func TestEverythingIsExportedWithoutValues(t *testing.T) {
	for name, test := range exports(t) {
		t.Run(name, func(t *testing.T) {
			s := exportable(t, test.edit)
			d := deploymentOf(t, s)
			files := terraform.Write(simulation.Must(d.Blueprint(t.Context()))(t))
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
			if one := len(s.Spec.Domain) == 1; one != strings.Contains(string(files["service.tf"]), "host ") {
				t.Errorf("service.tf: %s", files["service.tf"])
			}
			imports := string(files["imports.tf"])
			for _, f := range simulation.Must(d.Discover(t.Context()))(t) {
				if !strings.Contains(imports, `"`+importID(f)) {
					t.Errorf("%s %s is not imported", f.Kind, f.ID)
				}
				if f.Kind == stack.KindImage && !strings.Contains(all, f.ID) {
					t.Errorf("%s is not exported", f.ID)
				}
			}
			for file, text := range files {
				if id := idInCode.Find(text); id != nil && file != "imports.tf" && file != "variables.tf" {
					t.Errorf("%s has an id in place of a reference: %s", file, id)
				}
			}
			referencesExist(t, files)
		})
	}
}

// referencesExist checks that the configuration has every resource and variable that it refers
// to.
func referencesExist(t *testing.T, files map[string][]byte) {
	t.Helper()
	known := map[string]bool{}
	var references []hcl.Traversal
	for name, text := range files {
		file, problems := hclsyntax.ParseConfig(text, name, hcl.InitialPos)
		if problems.HasErrors() {
			continue // told already
		}
		for _, b := range file.Body.(*hclsyntax.Body).Blocks {
			switch b.Type {
			case "resource":
				if address := strings.Join(b.Labels, "."); known[address] {
					t.Errorf("there are two %s", address)
				} else {
					known[address] = true
				}
			case "data":
				known["data."+b.Labels[0]] = true
			case "variable":
				known["var."+b.Labels[0]] = true
			}
			if b.Type != "variable" {
				references = append(references, traversals(b.Body)...)
			}
		}
	}
	for _, r := range references {
		name, ok := hcl.TraverseAttr{}, false
		if len(r) > 1 {
			name, ok = r[1].(hcl.TraverseAttr)
		}
		if address := r.RootName() + "." + name.Name; ok && !known[address] && r.RootName() != "o" {
			t.Errorf("%s is referred to, and does not exist", address)
		}
	}
}

func traversals(body *hclsyntax.Body) []hcl.Traversal {
	var all []hcl.Traversal
	for name, a := range body.Attributes {
		if name != "ignore_changes" {
			all = append(all, a.Expr.Variables()...)
		}
	}
	for _, b := range body.Blocks {
		all = append(all, traversals(b.Body)...)
	}
	return all
}

// In a VPC that exists, the network is an input.
func TestTheNetworkOfOthersIsNotExported(t *testing.T) {
	t.Parallel()
	g := newGuest(t)
	g.vpc.AddNAT(t)
	g.uses(g.vpc.Public, g.vpc.Private)
	g.Release(t, "r1")
	files := terraform.Write(simulation.Must(
		g.Deployment(t, &simulation.Builder{ReleaseName: "r1"}).Blueprint(t.Context()))(t))
	if files["network.tf"] != nil {
		t.Errorf("network.tf has %s", files["network.tf"])
	}
	referencesExist(t, files)
	simulation.Contains(t, string(files["variables.tf"]), `variable "vpc"`, g.vpc.ID, `variable "private_subnet_3"`)
	simulation.Contains(t, string(files["service.tf"]),
		"[var.public_subnet_1, var.public_subnet_2, var.public_subnet_3]")
	for _, id := range append(g.vpc.Private, g.vpc.ID) {
		if strings.Contains(string(files["servers.tf"])+string(files["imports.tf"]), id) {
			t.Errorf("%s is in the configuration", id)
		}
	}
}

// exported exports a deployment to a folder and returns it.
func exported(t *testing.T, s *simulation.Application) string {
	t.Helper()
	dir := t.TempDir()
	files := terraform.Write(simulation.Must(deploymentOf(t, s).Blueprint(t.Context()))(t))
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// runTerraform runs Terraform in a folder with the provider of a folder of plugins.
func runTerraform(t *testing.T, dir, endpoint string, args ...string) (output string, err error) {
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
		t.Skip("not tested: that Terraform takes over exported code. ALOFT_TERRAFORM_PLUGINS names no plugin folder")
	}
	for name, test := range exports(t) {
		t.Run(name, func(t *testing.T) {
			s := exportable(t, test.edit)
			dir, endpoint := exported(t, s), s.Serve(t)
			servers := strings.Join(serverIDs(s), " ")
			for _, args := range [][]string{
				{"fmt", "-check", "-diff"}, {"init", "-no-color", "-plugin-dir=" + plugins},
				{"plan", "-no-color", "-out=plan"}, {"apply", "-no-color", "plan"},
			} {
				output, err := runTerraform(t, dir, endpoint, args...)
				if err != nil {
					t.Fatalf("terraform %s: %v\n%s", args[0], err, output)
				}
				if args[0] == "plan" && !strings.Contains(output, test.plan) {
					t.Error(output)
				}
			}
			output, err := runTerraform(t, dir, endpoint, "plan", "-no-color", "-detailed-exitcode")
			if err != nil {
				t.Errorf("after the import: %v\n%s", err, output)
			}
			expect(t, "servers", strings.Join(serverIDs(s), " "), servers)
			simulation.PlanIsEmpty(t, deploymentOf(t, s))
		})
	}
}
