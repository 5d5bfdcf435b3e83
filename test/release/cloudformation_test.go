//go:build linux

package release

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"aloft.dev/aloft/internal/cloudformation"
	"aloft.dev/aloft/internal/golden"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
	"aloft.dev/aloft/test/simulation"
)

// template is a CloudFormation template.
type template struct {
	Parameters map[string]struct{ Type, Description, Default string }
	Resources  map[string]struct {
		Type, DeletionPolicy string
		DependsOn            []string
		Properties           map[string]any
	}
}

// imported is a resource that a stack takes over.
type imported struct {
	ResourceType, LogicalResourceId string
	ResourceIdentifier              map[string]string
}

// templates exports an application, and returns its two templates with the list of imports.
func templates(t *testing.T, s *simulation.Application) (
	files map[string][]byte, whole, taken template, imports []imported,
) {
	t.Helper()
	files = cloudformation.Write(simulation.Must(deploymentOf(t, s).Blueprint(t.Context()))(t))
	for file, into := range map[string]any{
		cloudformation.TemplateFile: &whole, cloudformation.ImportFile: &taken, cloudformation.ImportsFile: &imports,
	} {
		if err := json.Unmarshal(files[file], into); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
	}
	return files, whole, taken, imports
}

func TestTemplatesDescribeWhatStands(t *testing.T) {
	for name, test := range exports(t) {
		t.Run(name, func(t *testing.T) {
			s := exportable(t, test.edit)
			files, whole, taken, imports := templates(t, s)
			if len(files) != 3 {
				t.Errorf("%d files", len(files))
			}
			for file, text := range files {
				folder := strings.ReplaceAll(name, " ", "-")
				checkGolden(t, filepath.Join("testdata", "cloudformation", folder, file), text)
				if strings.Contains(string(text), "hunter") {
					t.Errorf("%s has the value of a variable", file)
				}
			}
			names := namesOfProperties(t)
			names.check(t, whole)
			names.check(t, taken)
			complete(t, whole)
			complete(t, taken)
			if id := idInCode.FindString(string(files[cloudformation.TemplateFile])); id != "" {
				t.Errorf("an id is in place of a reference: %s", id)
			}
			names.imports(t, taken, imports)
			found := simulation.Must(deploymentOf(t, s).Discover(t.Context()))(t)
			everythingIsTaken(t, found, files)
			lint(t, files)
		})
	}
}

// everythingIsTaken checks that the exported files name all that was found.
func everythingIsTaken(t *testing.T, found []plan.Found, files map[string][]byte) {
	t.Helper()
	for _, f := range found {
		in, id := cloudformation.ImportsFile, f.ID
		switch f.Kind {
		case stack.KindEnvironment, stack.KindMember: // not CloudFormation's, the group's
			continue
		case stack.KindRecord:
			in, id = cloudformation.TemplateFile, f.Value(stack.AttrName)
		case stack.KindCertificate:
			in, id = cloudformation.ImportFile, f.ID
		case stack.KindImage:
			in = cloudformation.TemplateFile
		case stack.KindScalingPolicy, stack.KindAlarm:
			id = f.Name
		case stack.KindTarget:
			in, id = cloudformation.ImportFile, `"Targets"`
		case stack.KindSchedule, stack.KindLaunchTemplate:
			id, _, _ = strings.Cut(f.ID, "/")
		}
		if !strings.Contains(string(files[in]), id) {
			t.Errorf("%s has no %s %s", in, f.Kind, id)
		}
	}
}

// complete checks that all references of a template lead somewhere, and none in a circle.
func complete(t *testing.T, of template) {
	t.Helper()
	refers := map[string][]string{}
	for id, r := range of.Resources {
		refers[id] = append(references(r.Properties), r.DependsOn...)
	}
	var visit func(id string, path []string)
	visited := map[string]bool{}
	visit = func(id string, path []string) {
		if slices.Contains(path, id) {
			t.Errorf("circle: %v %s", path, id)
			return
		}
		if visited[id] {
			return
		}
		visited[id] = true
		if _, parameter := of.Parameters[id]; parameter || strings.HasPrefix(id, "AWS::") {
			return
		}
		if _, ok := of.Resources[id]; !ok {
			t.Errorf("%v refers to %s, which does not exist", path, id)
		}
		for _, to := range refers[id] {
			visit(to, append(path[:len(path):len(path)], id))
		}
	}
	for id := range of.Resources {
		visit(id, nil)
	}
	used := map[string]bool{}
	for _, all := range refers {
		for _, id := range all {
			used[id] = true
		}
	}
	for name := range of.Parameters {
		if !used[name] {
			t.Errorf("nothing uses the parameter %s", name)
		}
	}
}

var inText = regexp.MustCompile(`\$\{([A-Za-z0-9:]+)[.}]`)

// references returns the names to which a value refers.
func references(value any) (all []string) {
	switch v := value.(type) {
	case []any:
		for _, item := range v {
			all = append(all, references(item)...)
		}
	case map[string]any:
		if name, ok := v["Ref"].(string); ok {
			return []string{name}
		}
		if path, ok := v["Fn::GetAtt"].([]any); ok {
			return []string{path[0].(string)}
		}
		if text, ok := v["Fn::Sub"].(string); ok {
			for _, match := range inText.FindAllStringSubmatch(text, -1) {
				all = append(all, match[1])
			}
			return all
		}
		for _, key := range slices.Sorted(maps.Keys(v)) {
			all = append(all, references(v[key])...)
		}
	}
	return all
}

// propertyNames are the names of properties of resource types (internal/cloudformation/names), by
// type and mark.
type propertyNames map[string]map[string][]string

func namesOfProperties(t *testing.T) propertyNames {
	t.Helper()
	text, err := os.ReadFile("../../internal/cloudformation/testdata/names.txt")
	if err != nil {
		t.Fatal(err)
	}
	all := propertyNames{}
	for line := range strings.Lines(string(text)) {
		part := strings.Fields(line)
		if all[part[0]] == nil {
			all[part[0]] = map[string][]string{}
		}
		all[part[0]][part[1]] = append(all[part[0]][part[1]], part[2])
	}
	return all
}

// check checks that resources have only properties of their types, and those that they need.
func (n propertyNames) check(t *testing.T, of template) {
	t.Helper()
	for id, r := range of.Resources {
		if n[r.Type] == nil {
			t.Errorf("%s: there are no names of %s", id, r.Type)
			continue
		}
		n.object(t, r.Type, id, "", r.Properties)
	}
}

// object checks the properties at a path.
func (n propertyNames) object(t *testing.T, kind, id, path string, value any) {
	t.Helper()
	if list, ok := value.([]any); ok {
		for _, item := range list {
			n.object(t, kind, id, path, item)
		}
		return
	}
	properties, ok := value.(map[string]any)
	below := func(name string) bool { return strings.HasPrefix(name, path) }
	if !ok || path != "" && !slices.ContainsFunc(n[kind]["has"], below) {
		return // a text, or a document of any form
	}
	for name := range properties {
		if strings.HasPrefix(name, "Fn::") || name == "Ref" {
			return
		}
	}
	for name, property := range properties {
		if !slices.Contains(n[kind]["has"], path+name) {
			t.Errorf("%s: %s has no property %s", id, kind, path+name)
		}
		n.object(t, kind, id, path+name+".", property)
	}
	for _, needed := range n[kind]["needs"] {
		name, at := strings.CutPrefix(needed, path)
		if _, has := properties[name]; at && !strings.Contains(name, ".") && !has {
			t.Errorf("%s: %s needs %s", id, kind, needed)
		}
	}
}

// imports checks that a list of imports identifies all resources of a template.
func (n propertyNames) imports(t *testing.T, of template, list []imported) {
	t.Helper()
	if len(list) != len(of.Resources) {
		t.Errorf("%d of %d resources are imported", len(list), len(of.Resources))
	}
	for _, i := range list {
		r := of.Resources[i.LogicalResourceId]
		if r.Type != i.ResourceType || r.DeletionPolicy != "Retain" {
			t.Errorf("%+v imports %s, which is deleted with %q", i, r.Type, r.DeletionPolicy)
		}
		id, want := slices.Sorted(maps.Keys(i.ResourceIdentifier)), slices.Sorted(slices.Values(n[r.Type]["id"]))
		if !slices.Equal(id, want) {
			t.Errorf("%s is identified by %v, want %v", i.LogicalResourceId, id, want)
		}
		for name, value := range i.ResourceIdentifier {
			if value == "" {
				t.Errorf("%s has no %s", i.LogicalResourceId, name)
			}
		}
	}
}

// changing are the texts that are others each time.
var changing = regexp.MustCompile(`\b(vpc|subnet|sg|igw|rtb|rtbassoc|nat|eipalloc|eice|ami|i|lt)-[0-9a-f]{17}\b|` +
	`\b[0-9a-f]{16}\b|\br1, [0-9a-f]{12}\b|SHA256:[A-Za-z0-9+/]+|ssh-ed25519 [A-Za-z0-9+/]+|` +
	`\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\bZ[0-9A-Z]{12,}\b|\b198\.1[89]\.\d+\.\d+\b`)

// checkGolden compares a text with a golden file. What changes each time is numbered.
func checkGolden(t *testing.T, path string, text []byte) {
	t.Helper()
	known := map[string]string{}
	got := changing.ReplaceAllStringFunc(string(text), func(id string) string {
		if known[id] == "" {
			known[id] = fmt.Sprintf("<%d>", len(known)+1)
		}
		return known[id]
	})
	golden.Check(t, path, got)
}

// lint checks the templates with cfn-lint, where it is installed.
func lint(t *testing.T, files map[string][]byte) {
	t.Helper()
	if _, err := exec.LookPath("cfn-lint"); err != nil {
		return
	}
	for _, name := range []string{cloudformation.TemplateFile, cloudformation.ImportFile} {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, files[name], 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(t.Context(), "cfn-lint", "--regions", simulation.Region, "--", path)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("cfn-lint %s: %v\n%s", name, err, out)
		}
	}
}
