// Package cloudformation describes a deployment that stands as CloudFormation templates: one
// that creates the same elsewhere, and one with which a stack takes over what stands.
package cloudformation

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"strings"

	"aloft.dev/aloft/internal/blueprint"
)

// Names of the files that Write returns.
const (
	TemplateFile = "template.json"            // creates the same
	ImportFile   = "import.json"              // describes what a stack takes over
	ImportsFile  = "resources-to-import.json" // the identifiers of that
)

// Write returns the templates of a deployment by the names of their files. What CloudFormation
// can create and cannot take over is in the first template alone.
func Write(b *blueprint.Blueprint) map[string][]byte {
	whole, taken := describe(b, false), describe(b, true)
	return map[string][]byte{
		TemplateFile: encode(whole.template), ImportFile: encode(taken.template), ImportsFile: encode(taken.imports),
	}
}

// object is an object of a template, a property's value or an intrinsic function.
type object = map[string]any

// template is a CloudFormation template (AWS CloudFormation User Guide, "Template sections").
type template struct {
	Version     string `json:"AWSTemplateFormatVersion"`
	Description string
	Parameters  map[string]parameter `json:",omitempty"`
	Resources   map[string]*resource
}

// parameter is an input of a template.
type parameter struct {
	Type        string
	Description string
	Default     string `json:",omitempty"`
}

// resource is a resource of a template.
type resource struct {
	Type                string
	DependsOn           []string `json:",omitempty"`
	DeletionPolicy      string   `json:",omitempty"`
	UpdateReplacePolicy string   `json:",omitempty"`
	Properties          object   `json:",omitempty"`
}

// retain is the policy of what a stack takes over: it stays when the stack goes.
const retain = "Retain"

// resourceToImport identifies what a resource of a template is (AWS CloudFormation API
// Reference, ResourceToImport).
type resourceToImport struct {
	ResourceType       string
	LogicalResourceId  string
	ResourceIdentifier map[string]string
}

// code is a template that is being written.
type code struct {
	*blueprint.Blueprint
	template
	imports    []resourceToImport
	importing  bool
	references map[string]any // to what has an id, an ARN or a name in AWS

	attachments []string // of internet gateways, for which load balancers and routes wait
	delivery    []string // policies of buckets, for which load balancers wait
}

// describe returns a template of a deployment: one that takes it over, or one that creates it.
func describe(b *blueprint.Blueprint, importing bool) *code {
	c := &code{
		Blueprint: b, importing: importing, references: map[string]any{},
		template: template{
			Version: "2010-09-09", Description: b.App + ", as Aloft has deployed it",
			Parameters: map[string]parameter{}, Resources: map[string]*resource{},
		},
	}
	for _, write := range []func(){
		c.inputs, c.network, c.security, c.identity, c.logGroups, c.images, c.targetGroups, c.buckets, c.loadBalancers,
		c.certificates, c.listeners, c.records, c.servers, c.scaling, c.topics, c.alarms,
	} {
		write()
	}
	return c
}

// encode returns a value as JSON that people read.
func encode(value any) []byte {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(value); err != nil {
		panic(fmt.Sprintf("texts, numbers, lists and maps have a JSON form: %v", err))
	}
	return out.Bytes()
}

// declare declares a parameter, to which later references to a value refer.
func (c *code) declare(address, kind, what, value string) object {
	name := logicalID(address)
	c.Parameters[name] = parameter{Type: kind, Description: what, Default: value}
	ref := object{"Ref": name}
	if value != "" {
		c.references[value] = ref
	}
	return ref
}

// add adds a resource under an address, and returns its logical id. What CloudFormation can
// take over has an identifier.
func (c *code) add(address, kind string, identifier map[string]string, properties object) *added {
	r := &resource{Type: kind, Properties: withoutEmpty(properties)}
	id := logicalID(address)
	for n := 2; c.Resources[id] != nil; n++ {
		id = fmt.Sprintf("%s%d", logicalID(address), n)
	}
	if c.importing {
		r.DeletionPolicy, r.UpdateReplacePolicy = retain, retain
		c.imports = append(c.imports, resourceToImport{kind, id, identifier})
	}
	c.Resources[id] = r
	return &added{c, r, id}
}

// withoutEmpty deletes the properties without a value.
func withoutEmpty(properties object) object {
	maps.DeleteFunc(properties, func(_ string, value any) bool { return value == nil || value == "" })
	return properties
}

// added is a resource of a template that is being written.
type added struct {
	*code
	*resource
	id string
}

// isKnownAs makes later references to a text in AWS refer to the resource: to what Ref returns,
// or to an attribute.
func (a *added) isKnownAs(text, attribute string) *added {
	if text != "" && attribute == "" {
		a.references[text] = object{"Ref": a.id}
	} else if text != "" {
		a.references[text] = object{"Fn::GetAtt": []string{a.id, attribute}}
	}
	return a
}

// after makes CloudFormation create the resource after others, to which it does not refer.
func (a *added) after(others ...string) { a.DependsOn = append(a.DependsOn, others...) }

var notInID = regexp.MustCompile(`[^A-Za-z0-9]+`)

// logicalID returns a name that has only letters and digits: "server-1" is "Server1".
func logicalID(address string) string {
	var id strings.Builder
	for _, word := range notInID.Split(address, -1) {
		if word != "" {
			id.WriteString(strings.ToUpper(word[:1]) + word[1:])
		}
	}
	return id.String()
}

// value returns a text: a reference, or with what differs elsewhere replaced. It is nil if there
// is none.
func (c *code) value(text string) any {
	if text == "" {
		return nil
	}
	if to, ok := c.references[text]; ok {
		return to
	}
	return c.anywhere(text)
}

// values returns the values of texts.
func (c *code) values(texts []string) []any {
	all := []any{}
	for _, text := range texts {
		all = append(all, c.value(text))
	}
	return all
}

// anywhere returns a text in which account, region and partition are those of the stack.
func (c *code) anywhere(text string) any {
	escaped := strings.ReplaceAll(text, "${", "${!")
	pairs := []string{c.Region, "${AWS::Region}", "arn:aws:", "arn:${AWS::Partition}:"}
	if c.Account != "" {
		pairs = append(pairs, c.Account, "${AWS::AccountId}")
	}
	replaced := strings.NewReplacer(pairs...).Replace(escaped)
	if replaced == escaped {
		return text
	}
	return object{"Fn::Sub": replaced}
}

// document returns a policy in JSON with the texts of any account and region.
func (c *code) document(policy string) any {
	var document any
	if err := json.Unmarshal([]byte(policy), &document); err != nil {
		return policy
	}
	return c.walk(document)
}

func (c *code) walk(value any) any {
	switch v := value.(type) {
	case string:
		return c.anywhere(v)
	case []any:
		for i := range v {
			v[i] = c.walk(v[i])
		}
	case object:
		for key := range v {
			if key != "Version" {
				v[key] = c.walk(v[key])
			}
		}
	}
	return value
}
