//go:build linux

package client

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"aloft.dev/aloft/internal/cloud"
)

// snippet returns the block of a language that contains a text.
func (s simulated) snippet(t *testing.T, language, text string) string {
	t.Helper()
	blocks := s.snippets(t, language)
	i := slices.IndexFunc(blocks, func(block string) bool { return strings.Contains(block, text) })
	if i < 0 {
		t.Fatalf("the page has no %s with %s", language, text)
	}
	return blocks[i]
}

// block parses configuration of Terraform or Packer that consists of one block.
func block(t *testing.T, text string) *hclsyntax.Body {
	t.Helper()
	file, diags := hclsyntax.ParseConfig([]byte(text), "page.hcl", hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return file.Body.(*hclsyntax.Body).Blocks[0].Body
}

// child returns the first block of a type within another.
func child(t *testing.T, body *hclsyntax.Body, kind string) *hclsyntax.Body {
	t.Helper()
	for _, b := range body.Blocks {
		if b.Type == kind {
			return b.Body
		}
	}
	t.Fatalf("there is no block %s", kind)
	return nil
}

// value returns a literal of a body.
func value(t *testing.T, body *hclsyntax.Body, name string) cty.Value {
	t.Helper()
	attribute, ok := body.Attributes[name]
	if !ok {
		t.Fatalf("%s is not set", name)
	}
	v, diags := attribute.Expr.Value(nil)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return v
}

// texts returns the texts of a list.
func texts(v cty.Value) []string {
	var out []string
	for _, item := range v.AsValueSlice() {
		out = append(out, item.AsString())
	}
	return out
}

// notOfTerraform are packages of the APIs that are no services with an endpoint of Terraform's
// provider.
var notOfTerraform = []string{"constraint", "page", "ec2instanceconnect", "ec2messages"}

// TestDocumentedTerraformBlock checks that the block names the endpoint of each service: a client
// calls AWS for a service that it leaves out. It plans with the block where Terraform is.
func TestDocumentedTerraformBlock(t *testing.T) {
	s := startSimulated(t)
	text := s.snippet(t, "hcl", "endpoints")
	provider := block(t, text)
	endpoints := child(t, provider, "endpoints")
	var named, served []string
	for name := range endpoints.Attributes {
		named = append(named, name)
		if got := value(t, endpoints, name).AsString(); got != s.endpoint {
			t.Errorf("%s is at %s", name, got)
		}
	}
	packages, err := os.ReadDir(filepath.Join(root, "internal", "cloud", "api"))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range packages {
		if !slices.Contains(notOfTerraform, p.Name()) {
			served = append(served, p.Name())
		}
	}
	slices.Sort(named)
	if diff := cmp.Diff(served, named); diff != "" {
		t.Errorf("services and endpoints: %s", diff)
	}
	s.plan(t, text)
}

// plan plans with a provider block: it reads the VPCs, a bucket and the account.
func (s simulated) plan(t *testing.T, provider string) {
	t.Helper()
	plugins := os.Getenv("ALOFT_TERRAFORM_PLUGINS")
	if plugins == "" {
		t.Skip("not tested: that Terraform works with the parsed block. ALOFT_TERRAFORM_PLUGINS names no plugin folder")
	}
	dir := t.TempDir()
	text := provider + `
data "aws_vpcs" "all" {}
data "aws_caller_identity" "me" {}
resource "aws_s3_bucket" "b" { bucket = "from-the-page" }
output "found" { value = "${data.aws_caller_identity.me.account_id} has ${length(data.aws_vpcs.all.ids)}" }
`
	if err := os.WriteFile(filepath.Join(dir, "main.tf"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"init", "-no-color", "-plugin-dir=" + plugins}, {"apply", "-no-color", "-auto-approve"},
		{"destroy", "-no-color", "-auto-approve"},
	} {
		cmd := exec.CommandContext(t.Context(), "terraform", append([]string{"-chdir=" + dir}, args...)...)
		cmd.Env = append(os.Environ(), "CHECKPOINT_DISABLE=1", "TF_CLI_CONFIG_FILE=/dev/null")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("terraform %s: %v\n%s", args[0], err, out)
		}
		if args[0] == "apply" && !strings.Contains(string(out), `"000000000000 has 1"`) {
			t.Errorf("%s", out)
		}
	}
}

// TestDocumentedPackerSourceFindsAnImage asks for the image as Packer does.
func TestDocumentedPackerSourceFindsAnImage(t *testing.T) {
	s := startSimulated(t, func(c *cloud.Config) { c.AnyImage = false })
	source := block(t, s.snippet(t, "hcl", "amazon-ebs"))
	if got := value(t, source, "custom_endpoint_ec2").AsString(); got != s.endpoint {
		t.Errorf("the endpoint is %s", got)
	}
	wanted := child(t, source, "source_ami_filter")
	in := &ec2.DescribeImagesInput{Owners: texts(value(t, wanted, "owners"))}
	for name, pattern := range value(t, wanted, "filters").AsValueMap() {
		in.Filters = append(in.Filters, types.Filter{Name: &name, Values: []string{pattern.AsString()}})
	}
	client := s.ec2(value(t, source, "region").AsString())
	if images := must[*ec2.DescribeImagesOutput](t)(client.DescribeImages(t.Context(), in)).Images; len(images) == 0 {
		t.Error("the source finds no image")
	}
	offered := must[*ec2.DescribeInstanceTypesOutput](t)(client.DescribeInstanceTypes(t.Context(),
		&ec2.DescribeInstanceTypesInput{InstanceTypes: []types.InstanceType{
			types.InstanceType(value(t, source, "instance_type").AsString()),
		}}))
	if len(offered.InstanceTypes) != 1 {
		t.Errorf("offered types: %v", offered.InstanceTypes)
	}
}

// TestDocumentedPlaybook checks what the playbook's modules get, and runs it twice where Ansible is.
func TestDocumentedPlaybook(t *testing.T) {
	s := startSimulated(t)
	text := s.snippet(t, "yaml", "amazon.aws")
	var plays []struct {
		Defaults map[string]map[string]string `yaml:"module_defaults"`
		Tasks    []map[string]any
	}
	if err := yaml.Unmarshal([]byte(text), &plays); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"endpoint_url": "{{ lookup('env', 'AWS_ENDPOINT_URL') }}", "region": "us-east-1"}
	if diff := cmp.Diff(want, plays[0].Defaults["group/aws"]); diff != "" {
		t.Errorf("what all modules get: %s", diff)
	}
	for _, task := range plays[0].Tasks {
		for name := range task {
			if name != "register" && !strings.HasPrefix(name, "amazon.aws.") {
				t.Errorf("%s is not a module to which the defaults belong", name)
			}
		}
	}
	if _, err := exec.LookPath("ansible-playbook"); err != nil {
		t.Skip("not tested: that Ansible runs the parsed playbook. There is no ansible-playbook")
	}
	s.run(t, "first.yml", text, "ansible-playbook")
	if out := s.run(t, "second.yml", text, "ansible-playbook"); !strings.Contains(out, "changed=0") {
		t.Errorf("the second run: %s", out)
	}
	if subnets := must[*ec2.DescribeSubnetsOutput](t)(s.ec2("us-east-1").DescribeSubnets(t.Context(),
		&ec2.DescribeSubnetsInput{Filters: []types.Filter{
			{Name: aws.String("cidr-block"), Values: []string{"10.0.1.0/24"}},
		}})).Subnets; len(subnets) != 1 {
		t.Errorf("%d subnets", len(subnets))
	}
}

// TestDocumentedJavaScriptWorks parses the program, and runs it where make bin/javascript has installed
// the SDK.
func TestDocumentedJavaScriptWorks(t *testing.T) {
	s := startSimulated(t)
	dir, text := t.TempDir(), s.snippet(t, "js", "client-ec2")
	path := filepath.Join(dir, "client.mjs")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "node", "--check", path).CombinedOutput(); err != nil {
		t.Fatalf("parse the program: %v\n%s", err, out)
	}
	if !strings.Contains(text, `endpoint: "`+s.endpoint+`"`) {
		t.Errorf("the program uses another endpoint:\n%s", text)
	}
	modules, err := filepath.Abs("../../bin/javascript/node_modules")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(modules); err != nil {
		t.Skip("not tested: that the parsed program runs. make bin/javascript has not installed the SDK")
	}
	if err := os.Symlink(modules, filepath.Join(dir, "node_modules")); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "node", path)
	cmd.Dir = dir
	if out, err := cmd.Output(); err != nil || !strings.HasPrefix(string(out), "vpc-") {
		t.Errorf("the SDK for JavaScript found %s (%v)", out, err)
	}
}
