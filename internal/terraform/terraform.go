// Package terraform describes a deployment that stands as Terraform configuration, with
// import blocks by which Terraform takes it over in place.
package terraform

import (
	"bytes"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"

	"aloft.dev/aloft/internal/blueprint"
)

// ProviderVersion is the constraint on the version of the AWS provider whose attributes
// the configuration has (Terraform Registry, "hashicorp/aws").
const ProviderVersion = "~> 5.84"

// Files are the texts of a configuration by the names of its files.
type Files map[string][]byte

// Write returns the configuration of a deployment.
func Write(b *blueprint.Blueprint) Files {
	c := &code{
		Blueprint: b, files: map[string]*hclwrite.File{}, references: map[string]hcl.Traversal{},
		variables: map[string]variable{},
	}
	c.declare("region", variable{what: "AWS region", value: b.Region})
	c.settings()
	for _, write := range []func(){
		c.inputs, c.network, c.security, c.identity, c.environments, c.logGroups, c.images, c.targetGroups, c.buckets,
		c.loadBalancers, c.certificates, c.listeners, c.records, c.servers, c.scaling, c.topics, c.alarms, c.inputFile,
	} {
		write()
	}
	files := Files{}
	for name, file := range c.files {
		files[name] = hclwrite.Format(file.Bytes())
	}
	return files
}

// code is a configuration that is being written.
type code struct {
	*blueprint.Blueprint
	files      map[string]*hclwrite.File
	references map[string]hcl.Traversal // to what has an id, an ARN or a name in AWS
	variables  map[string]variable

	validation []hcl.Traversal // what waits for certificates, for which listeners wait
	delivery   []hcl.Traversal // policies of buckets, for which load balancers wait
	hasAccount bool
}

// variable is an input of the configuration.
type variable struct {
	what, value string
	sensitive   bool
}

func (c *code) declare(name string, v variable) { c.variables[name] = v }

// file returns the body of a file.
func (c *code) file(name string) *hclwrite.Body {
	if c.files[name] == nil {
		c.files[name] = hclwrite.NewEmptyFile()
	}
	return c.files[name].Body()
}

// settings writes the provider.
func (c *code) settings() {
	main := c.file("main.tf")
	required := main.AppendNewBlock("terraform", nil).Body().AppendNewBlock("required_providers", nil).Body()
	required.SetAttributeValue("aws", cty.ObjectVal(map[string]cty.Value{
		"source": cty.StringVal("hashicorp/aws"), "version": cty.StringVal(ProviderVersion),
	}))
	main.AppendNewline()
	provider := main.AppendNewBlock("provider", []string{"aws"}).Body()
	provider.SetAttributeTraversal("region", variableOf("region"))
	// Terraform leaves these tags to Aloft, in place as well as elsewhere.
	var keys []cty.Value
	for _, key := range blueprint.KeyTags() {
		keys = append(keys, cty.StringVal(key))
	}
	provider.AppendNewBlock("ignore_tags", nil).Body().SetAttributeValue("keys", cty.ListVal(keys))
}

// inputFile writes the variables.
func (c *code) inputFile() {
	inputs := c.file("variables.tf")
	for i, name := range slices.Sorted(maps.Keys(c.variables)) {
		if i > 0 {
			inputs.AppendNewline()
		}
		v, body := c.variables[name], inputs.AppendNewBlock("variable", []string{name}).Body()
		body.SetAttributeValue("description", cty.StringVal(v.what))
		body.SetAttributeTraversal("type", hcl.Traversal{hcl.TraverseRoot{Name: "string"}})
		body.SetAttributeValue("default", cty.StringVal(v.value))
		if v.sensitive {
			body.SetAttributeValue("sensitive", cty.True)
		}
	}
}

func variableOf(name string) hcl.Traversal {
	return hcl.Traversal{hcl.TraverseRoot{Name: "var"}, hcl.TraverseAttr{Name: name}}
}

var notInName = regexp.MustCompile(`[^a-z0-9]+`)

// block is a resource of the configuration.
type block struct {
	*code
	body *hclwrite.Body
	of   hcl.Traversal
}

// resource begins a resource in a file, which Terraform imports by an id of its own. What
// the provider cannot import has none.
func (c *code) resource(file, kind, name, importID string) block {
	name = notInName.ReplaceAllString(name, "_")
	of := hcl.Traversal{hcl.TraverseRoot{Name: kind}, hcl.TraverseAttr{Name: name}}
	if importID != "" {
		imports := c.append("imports.tf", "import").Body()
		imports.SetAttributeTraversal("to", of)
		imports.SetAttributeValue("id", cty.StringVal(importID))
	}
	return block{c, c.append(file, "resource", kind, name).Body(), of}
}

// append appends a block to a file, after an empty line.
func (c *code) append(file, kind string, labels ...string) *hclwrite.Block {
	if c.files[file] != nil {
		c.file(file).AppendNewline()
	}
	return c.file(file).AppendNewBlock(kind, labels)
}

// isKnownAs makes later references to a text in AWS refer to an attribute of the resource.
func (b block) isKnownAs(text, attribute string) block {
	if text != "" {
		b.references[text] = append(slices.Clone(b.of), hcl.TraverseAttr{Name: attribute})
	}
	return b
}

// inside returns a block within the block.
func (b block) inside(name string) block {
	return block{b.code, b.body.AppendNewBlock(name, nil).Body(), b.of}
}

// text sets an attribute to a text: to a reference, if another resource is known by it.
func (b block) text(name, value string) block {
	if value == "" {
		return b
	}
	b.body.SetAttributeRaw(name, b.tokens(value))
	return b
}

func (b block) number(name string, n int64) block {
	b.body.SetAttributeValue(name, cty.NumberIntVal(n))
	return b
}

func (b block) flag(name string, on bool) block {
	b.body.SetAttributeValue(name, cty.BoolVal(on))
	return b
}

// list sets an attribute to a list of texts, sorted as AWS returns sets.
func (b block) list(name string, values []string) block {
	var all []hclwrite.Tokens
	for _, value := range values {
		all = append(all, b.tokens(value))
	}
	b.body.SetAttributeRaw(name, hclwrite.TokensForTuple(all))
	return b
}

// texts sets an attribute to a mapping of names to texts.
func (b block) texts(name string, values map[string]string) {
	var all []hclwrite.ObjectAttrTokens
	for _, key := range slices.Sorted(maps.Keys(values)) {
		all = append(all, hclwrite.ObjectAttrTokens{
			Name: hclwrite.TokensForIdentifier(key), Value: b.tokens(values[key]),
		})
	}
	b.body.SetAttributeRaw(name, hclwrite.TokensForObject(all))
}

// after makes Terraform create the resource after others, to which it does not refer.
func (b block) after(others ...hcl.Traversal) {
	var all []hclwrite.Tokens
	for _, other := range others {
		all = append(all, hclwrite.TokensForTraversal(other))
	}
	if len(all) > 0 {
		b.body.SetAttributeRaw("depends_on", hclwrite.TokensForTuple(all))
	}
}

// variable sets an attribute to an input.
func (b block) variable(name, input string) block {
	b.body.SetAttributeTraversal(name, variableOf(input))
	return b
}

// tags sets the tags that users can set, but for those of keys.
func (b block) tags(tags map[string]string) block {
	all := map[string]cty.Value{}
	for key, value := range tags {
		if !strings.HasPrefix(key, "aws:") && !slices.Contains(blueprint.KeyTags(), key) {
			all[key] = cty.StringVal(value)
		}
	}
	if len(all) > 0 {
		b.body.SetAttributeValue("tags", cty.MapVal(all))
	}
	return b
}

// ignores makes Terraform leave attributes to whoever sets them.
func (b block) ignores(attributes ...string) {
	var all []hclwrite.Tokens
	for _, a := range attributes {
		all = append(all, hclwrite.TokensForIdentifier(a))
	}
	b.inside("lifecycle").body.SetAttributeRaw("ignore_changes", hclwrite.TokensForTuple(all))
}

// tokens returns a text: a reference, or with the region in it replaced.
func (c *code) tokens(value string) hclwrite.Tokens {
	if to, ok := c.references[value]; ok {
		return hclwrite.TokensForTraversal(to)
	}
	all := hclwrite.TokensForValue(cty.StringVal(value))
	for _, t := range all {
		if t.Type == hclsyntax.TokenQuotedLit {
			t.Bytes = bytes.ReplaceAll(t.Bytes, []byte(c.Region), []byte("${var.region}"))
		}
	}
	return all
}
