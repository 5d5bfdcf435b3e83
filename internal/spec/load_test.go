package spec_test

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/spec"
)

// folder returns a folder named shop with files.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "shop")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// mistake is a spec with one mistake, and the diagnostic that reports it.
type mistake struct {
	name, yaml           string
	where, summary, hint string // the beginning of the place; parts of the others
}

func (m mistake) check(t *testing.T) {
	dir := folder(t, map[string]string{"aloft.yaml": m.yaml})
	_, err := spec.Load(dir)
	var list diag.List
	if !errors.As(err, &list) || len(list) != 1 {
		t.Fatalf("got %v, want one diagnostic", err)
	}
	d := list[0]
	if !strings.HasPrefix(strings.TrimPrefix(d.Where, dir+"/"), m.where) ||
		!strings.Contains(d.Summary, m.summary) || !strings.Contains(d.Hint, m.hint) || d.Hint == "" {
		t.Errorf("got\n  where   %s\n  summary %s\n  hint    %s", d.Where, d.Summary, d.Hint)
	}
}

func TestMistakeIsReportedWithPlaceExpectationAndRemedy(t *testing.T) {
	const start = "start: node x.js\n"
	for _, test := range []mistake{
		{
			"unknown key", start + "machine: {}\n",
			"aloft.yaml:2:1", `unknown key "machine"`, `did you mean "machines"?`,
		},
		{
			"unknown key below", start + "machines:\n  cont: 3\n",
			"aloft.yaml:3:3", `unknown key "cont" under machines`, `did you mean "count"?`,
		},
		{"twice", start + "port: 1\nport: 2\n", "aloft.yaml:3:1", `mapping key "port" already defined`, ""},
		{"wrong type", start + "port: many\n", "aloft.yaml:2:7", `port: expected a whole number, got "many"`, ""},
		{"list for mapping", start + "machines: [1]\n", "aloft.yaml:2:11", "machines: expected a mapping", ""},
		{
			"not a CIDR", start + "network: {cidr: tenslashsixteen}\n",
			"aloft.yaml:2:17", "network.cidr: expected a CIDR block", "",
		},
		{"address for CIDR", start + "network: {cidr: 10.0.0.1}\n", "aloft.yaml:2:17", "is an address", "/32"},
		{"host bits", start + "network:\n  cidr: 10.0.1.0/16\n", "aloft.yaml:3:9", "host bits", "write 10.0.0.0/16"},
		{
			"slash 29", start + "network:\n  subnets:\n    - 10.0.1.0/24\n    - 10.0.2.0/29\n",
			"aloft.yaml:5:7", "10.0.2.0/29 is too small", "/27",
		},
		{
			"overlap", start + "network:\n  subnets: [10.0.1.0/24, 10.0.1.128/25]\n",
			"aloft.yaml:3:26", "10.0.1.128/25 overlaps 10.0.1.0/24 of subnets[0]", "",
		},
		{
			"outside", start + "network:\n  subnets: [10.0.1.0/24, 192.168.0.0/24]\n",
			"aloft.yaml:3:26", "192.168.0.0/24 is outside the VPC's 10.0.0.0/16", "",
		},
		{
			"same zone", start + "network:\n  subnets:\n" +
				"    - {cidr: 10.0.1.0/24, zone: us-east-1a}\n    - {cidr: 10.0.2.0/24, zone: us-east-1a}\n",
			"aloft.yaml:5:33", "zone us-east-1a has subnets[0] already", "",
		},
		{"name of a load balancer", "app: internal\n" + start, "aloft.yaml:1:6", "begin with internal-", "my-internal"},
		{"name of a security group", "app: sg-shop\n" + start, "aloft.yaml:1:6", "begin with sg-", "my-sg-shop"},
		{"AWS's tag", start + "tags:\n  AWS:x: y\n", "aloft.yaml:3:3", "AWS reserves keys that begin with aws:", ""},
		{"Aloft's tag", start + "tags:\n  aloft:app: y\n", "aloft.yaml:3:3", "begin with aloft:", ""},
		{"name as a tag", start + "tags: {Name: y}\n", "aloft.yaml:2:8", "Aloft sets the tag Name", ""},
		{
			"tag's characters", start + "tags: {a: \"50%\"}\n",
			"aloft.yaml:2:8", `the value "50%" has characters`, "_.:/=+-@",
		},
		{"same tag twice", start + "tags: {Team: a, team: b}\n", "aloft.yaml:2:17", "only in its case", ""},
		{
			"long tag", start + "tags: {a: " + strings.Repeat("x", 257) + "}\n",
			"aloft.yaml:2:8", "a value of at most 256 characters, got 257", "",
		},
		{"protect", start + "protect: always\n", "aloft.yaml:2:10", "protect: expected true or false", ""},
		{"port 0", start + "port: 0\n", "aloft.yaml:2:7", "port: expected a port from 1 to 65535, got 0", ""},
		{"port 70000", start + "load_balancer:\n  port: 70000\n", "aloft.yaml:3:9", "got 70000", ""},
		{"no start", "port: 80\n", "", "holds no file that says how to build and start", "write start: in aloft.yaml"},
		{"no source", start + "source: ./missing\n", "aloft.yaml:2:9", "there is no folder", ""},
		{
			"world SSH", start + "security:\n  ssh:\n    from: [0.0.0.0/0]\n",
			"aloft.yaml:4:12", "open to the whole internet", "allow_world: true",
		},
		{
			"no way", start + "security: {access: door}\n", "aloft.yaml:2:20", `"door" is not a way`, "ssh or endpoint",
		},
		{
			"endpoint and SSH", start + "security: {access: endpoint, ssh: {from: [192.0.2.1/32]}}\n",
			"aloft.yaml:2:", "open port 22 to nobody else", "access: ssh",
		},
		{
			"endpoint and key", start + "security: {access: endpoint}\nmachines: {key: k.pub}\n",
			"aloft.yaml:3:", "have no key pair", "access: ssh",
		},
		{
			"image", start + "machines: {image: debian12}\n",
			"aloft.yaml:2:19", `unknown image "debian12"`, `did you mean "debian-12"?`,
		},
		{
			"time-out above interval", start + "load_balancer: {health: {interval: 5s, timeout: 6s}}\n",
			"aloft.yaml:2:49", "not less than the interval", "",
		},
		{
			"keep too little", start + "release: {keep: 1}\n",
			"aloft.yaml:2:17", "release.keep: expected 2 to 100, got 1", "the one before",
		},
		{
			"bake too long", start + "release: {bake: 2h}\n",
			"aloft.yaml:2:17", "release.bake: expected 0s to 3600s", "",
		},
		{
			"watch in parts of a second", start + "release: {watch: 1500ms}\n",
			"aloft.yaml:2:18", "whole seconds, got 1.5s", "",
		},
		{
			"environment file", start + "env_file: .env\n",
			"aloft.yaml:2:11", "no such file", "relative to aloft.yaml",
		},
		{
			"secret and variable", start + "env: {A: b}\nsecrets:\n  A: ssm:/a\n",
			"aloft.yaml:4:3", "A is in env as well", "keep one",
		},
		{
			"secret's place", start + "secrets: {A: vault:x}\n",
			"aloft.yaml:2:11", `"vault:x" does not refer to a parameter or a secret`, "ssm:/shop/prod/db",
		},
		{
			"alert's address", start + "alerts: [me@example.com, \"You <you@example.com>\"]\n",
			"aloft.yaml:2:26", "is not an email address", "alerts: [you@example.com]",
		},
		{
			"alert twice", start + "alerts: [a@example.com, a@example.com]\n",
			"aloft.yaml:2:25", "a@example.com is given twice", "remove one",
		},
		{
			"action", start + "permissions: [{actions: [GetObject], resources: [\"*\"]}]\n",
			"aloft.yaml:2:26", `"GetObject" is not an action`, "s3:GetObject",
		},
		{
			"resources", start + "permissions:\n  - actions: [s3:GetObject]\n",
			"aloft.yaml:3:12", "no resources are given", "arn:aws:s3",
		},
		{
			"role and permissions",
			start + "machines: {role: r}\npermissions: [{actions: [\"*\"], resources: [\"*\"]}]\n",
			"aloft.yaml:3:14", "the role r is not changed by Aloft", "own policy",
		},
		{
			"role's ARN", start + "machines: {role: \"arn:aws:iam::1:role/r\"}\n",
			"aloft.yaml:2:18", "is not the name of a role", "not its ARN",
		},
		{"indentation", "app: a\n  port: 3\n", "aloft.yaml:", "not YAML", ""},
	} {
		t.Run(test.name, test.check)
	}
}

func TestAllMistakesAreReportedTogether(t *testing.T) {
	_, err := spec.Load(
		folder(t, map[string]string{"aloft.yaml": "port: 0\nregoin: x\nmachines: {count: 99, type: huge}\n"}),
	)
	if got := len(diag.From(err)); got != 5 {
		t.Errorf("got %d diagnostics, want 5 (with the missing start command):\n%v", got, err)
	}
}

func TestVariablesOfEnvGoBeforeThoseOfTheFile(t *testing.T) {
	s, err := spec.Load(folder(t, map[string]string{
		"aloft.yaml": "start: node x.js\nenv: {TIER: paid, LEVEL: 3}\nenv_file: .env\n",
		".env":       "# of the shop\nTIER=free\nexport GREETING=\"hello\\nworld\"\nURL='a=b # c'\n",
	}))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"TIER": "paid", "LEVEL": "3", "GREETING": "hello\nworld", "URL": "a=b # c"}
	if diff := cmp.Diff(want, s.Variables()); diff != "" {
		t.Error(diff)
	}
}

func TestMistakesInAnEnvironmentFileAreReportedWithoutItsText(t *testing.T) {
	for _, text := range []string{"KEY=\"hunter2\n", "hunter2\n", "hunter-2=x\n"} {
		_, err := spec.Load(folder(t, map[string]string{
			"aloft.yaml": "start: node x.js\nenv_file: .env\n", ".env": text,
		}))
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestNodeApplicationNeedsNoFile(t *testing.T) {
	for _, test := range []struct {
		name  string
		files map[string]string
		start string
	}{
		{"script", map[string]string{"package.json": `{"scripts":{"start":"node s.js"}}`, "s.js": ""}, "npm start"},
		{"main", map[string]string{"package.json": `{"main":"lib.js"}`, "lib.js": ""}, "node lib.js"},
		{"server.js", map[string]string{"package.json": `{}`, "server.js": ""}, "node server.js"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, err := spec.Load(folder(t, test.files))
			if err != nil {
				t.Fatal(err)
			}
			if s.Start != test.start || s.App != "shop" || s.Port != 3000 || s.LoadBalancer.Port != 80 ||
				len(s.Network.Subnets) != 3 {
				t.Errorf("got %+v", s)
			}
			if got := s.Network.Subnets[2].CIDR.String(); got != "10.0.3.0/24" {
				t.Errorf("third subnet: %s", got)
			}
		})
	}
}

func TestOnlyTheLoadBalancerIsOpenByDefault(t *testing.T) {
	s, err := spec.Load(folder(t, map[string]string{"aloft.yaml": "start: node x.js\n"}))
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Security.SSH.From) != 0 || len(s.Security.App.From) != 0 || len(s.Security.Web.From) != 1 ||
		s.Security.Web.From[0] != spec.Anywhere {
		t.Errorf("got %+v", s.Security)
	}
}

func TestEveryExampleIsValid(t *testing.T) {
	folders, err := filepath.Glob("../../examples/*")
	if err != nil || len(folders) < 2 {
		t.Fatal(folders, err)
	}
	for _, dir := range folders {
		for _, stage := range stagesOf(t, dir) {
			if _, err := spec.LoadStage(dir, stage); err != nil {
				t.Errorf("%s, stage %q: %v", dir, stage, err)
			}
		}
	}
}

// stagesOf returns the stages of an application; one without a name if it has none.
func stagesOf(t *testing.T, dir string) []string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, "aloft.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Stages map[string]any `yaml:"stages"`
	}
	if err := yaml.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Stages) == 0 {
		return []string{""}
	}
	return slices.Sorted(maps.Keys(file.Stages))
}
