// Package commanddocument reads documents of Systems Manager that run commands on machines, and makes scripts of them
// (AWS Systems Manager User Guide, "SSM Command document plugin reference" and "Data elements and parameters").
//
// The documents are JSON of schema version 2.0 or 2.2, or of the earlier 1.2 with one plugin, which is read as a
// step. One of the steps is for Linux and runs a shell script. Others are for other systems: their preconditions say
// so, and they are not run.
package commanddocument

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

// UnsupportedError is the error for a document that AWS accepts and the local cloud does not run.
type UnsupportedError struct{ What string }

func (e *UnsupportedError) Error() string { return "the local cloud does not run " + e.What }

func unsupported(format string, args ...any) error {
	return &UnsupportedError{fmt.Sprintf(format, args...)}
}

// Document is a document.
type Document struct {
	Schema      string
	Description string
	Parameters  map[string]Parameter
	Platforms   []string // of its steps, sorted: "Linux", "MacOS", "Windows"

	step   string // its name
	inputs inputs
}

// Step returns the name of the step that runs on Linux.
func (d *Document) Step() string { return d.step }

// Action is the action of the steps that run.
const Action = "aws:runShellScript"

type content struct {
	Schema      string               `json:"schemaVersion"`
	Description string               `json:"description"`
	Parameters  map[string]Parameter `json:"parameters"`
	Steps       []step               `json:"mainSteps"`
	Plugins     map[string]plugin    `json:"runtimeConfig"` // of schema version 1.2, by action
	Editor      string               `json:"$schema"`       // for editors
}

type step struct {
	Action       string              `json:"action"`
	Name         string              `json:"name"`
	Inputs       json.RawMessage     `json:"inputs"`
	Precondition map[string][]string `json:"precondition"`
}

// plugin is what steps are in documents of schema version 1.2. It runs once for each of its properties.
type plugin struct {
	Properties []map[string]json.RawMessage `json:"properties"`
}

// inputs are those of Action.
type inputs struct {
	Commands  commands        `json:"runCommand"`
	Directory string          `json:"workingDirectory"`
	Timeout   json.RawMessage `json:"timeoutSeconds"`
}

// commands are lines, or a reference to a parameter that has them.
type commands []string

// UnmarshalJSON implements json.Unmarshaler.
func (c *commands) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		*c = commands{one}
		return nil
	}
	return json.Unmarshal(data, (*[]string)(c))
}

var (
	stepForm      = regexp.MustCompile(`^[a-zA-Z0-9_\-]{3,128}$`)
	parameterForm = regexp.MustCompile(`^[a-zA-Z0-9_]+$`)
	reference     = regexp.MustCompile(`\{\{\s*([^{}]*?)\s*\}\}`)
)

// platforms are the systems of preconditions.
var platforms = []string{"Linux", "MacOS", "Windows"}

// Parse reads a document. The error is an *UnsupportedError, or says why the document is invalid.
func Parse(text string) (*Document, error) {
	var c content
	if err := strict([]byte(text), &c); err != nil {
		return nil, err
	}
	switch c.Schema {
	case "2.2", "2.0":
	case "1.2":
		if err := c.readPlugins(); err != nil {
			return nil, err
		}
	case "1.0", "0.3":
		return nil, unsupported("documents of schema version %s", c.Schema)
	default:
		return nil, fmt.Errorf("the schema version %q is not supported for the document type Command", c.Schema)
	}
	if len(c.Plugins) > 0 {
		return nil, fmt.Errorf("a document of schema version %s has no runtimeConfig", c.Schema)
	}
	d := &Document{Schema: c.Schema, Description: c.Description, Parameters: c.Parameters}
	for _, name := range slices.Sorted(maps.Keys(c.Parameters)) {
		if !parameterForm.MatchString(name) {
			return nil, fmt.Errorf("the parameter name %q is invalid", name)
		}
		p := c.Parameters[name]
		if err := p.compile(name); err != nil {
			return nil, err
		}
		c.Parameters[name] = p
	}
	return d, d.readSteps(c.Steps)
}

// strict decodes JSON without unknown members.
func strict(text []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return fmt.Errorf("JSON not well-formed or with an unknown element: %w", err)
	}
	if decoder.More() {
		return fmt.Errorf("JSON not well-formed: there is more after its end")
	}
	return nil
}

// readPlugins makes a step of the only plugin.
func (c *content) readPlugins() error {
	if len(c.Steps) > 0 || len(c.Plugins) == 0 {
		return fmt.Errorf("a document of schema version 1.2 has a runtimeConfig and no mainSteps")
	}
	for action, p := range c.Plugins {
		if len(c.Plugins) > 1 || len(p.Properties) != 1 {
			return unsupported("documents of schema version 1.2 with several plugins or properties")
		}
		inputs := maps.Clone(p.Properties[0])
		delete(inputs, "id")
		text, err := json.Marshal(inputs)
		if err != nil {
			return fmt.Errorf("the properties of %s: %w", action, err)
		}
		c.Steps = []step{{Action: action, Name: strings.TrimPrefix(action, "aws:"), Inputs: text}}
	}
	c.Plugins = nil
	return nil
}

// readSteps reads the steps, and finds the one that runs on Linux.
func (d *Document) readSteps(steps []step) error {
	if len(steps) == 0 {
		return fmt.Errorf("the document has no mainSteps")
	}
	seen := map[string]bool{}
	run := -1
	for i, s := range steps {
		switch {
		case s.Action == "":
			return fmt.Errorf("step %d has no action", i+1)
		case !stepForm.MatchString(s.Name):
			return fmt.Errorf("the step name %q is invalid", s.Name)
		case seen[s.Name]:
			return fmt.Errorf("the step name %s is not unique", s.Name)
		}
		seen[s.Name] = true
		platform, err := s.platform()
		if err != nil {
			return err
		}
		d.addPlatform(platform)
		if platform != "" && platform != "Linux" {
			continue
		}
		if run >= 0 {
			return unsupported("documents with more than one step for Linux: %s and %s", steps[run].Name, s.Name)
		}
		run = i
	}
	if run < 0 {
		return unsupported("documents without a step for Linux")
	}
	return d.readInputs(steps[run])
}

// addPlatform records a platform of a step; "": any.
func (d *Document) addPlatform(platform string) {
	for _, one := range platforms {
		if (platform == "" && one != "Windows" || platform == one) && !slices.Contains(d.Platforms, one) {
			d.Platforms = append(d.Platforms, one)
		}
	}
	slices.Sort(d.Platforms)
}

// platform returns the only platform on which a step runs; "": it runs on any.
func (s step) platform() (string, error) {
	if s.Precondition == nil {
		return "", nil
	}
	operands := s.Precondition["StringEquals"]
	if len(s.Precondition) != 1 || len(operands) != 2 {
		return "", fmt.Errorf("the precondition of step %s is invalid", s.Name)
	}
	if operands[1] == "platformType" {
		operands = []string{operands[1], operands[0]}
	}
	if operands[0] != "platformType" || !slices.Contains(platforms, operands[1]) {
		return "", unsupported("preconditions about anything but platformType, as in step %s", s.Name)
	}
	return operands[1], nil
}

func (d *Document) readInputs(s step) error {
	if s.Action != Action {
		return unsupported("the action %s", s.Action)
	}
	d.step = s.Name
	if err := strict(s.Inputs, &d.inputs); err != nil {
		return fmt.Errorf("the inputs of step %s: %w", s.Name, err)
	}
	if len(d.inputs.Commands) == 0 {
		return fmt.Errorf("step %s has no runCommand", s.Name)
	}
	for _, text := range append(slices.Clone(d.inputs.Commands), d.inputs.Directory, d.timeout()) {
		for _, match := range reference.FindAllStringSubmatch(text, -1) {
			name := match[1]
			if strings.HasPrefix(name, "ssm:") || strings.HasPrefix(name, "ssm-secure:") {
				return unsupported("references to parameters of Parameter Store, {{%s}}", name)
			}
			if _, ok := d.Parameters[name]; !ok {
				return fmt.Errorf("the parameter %s is used and not defined", name)
			}
		}
	}
	if text := d.timeout(); !strings.Contains(text, "{{") {
		if _, problem := parseTimeout(text); problem != "" {
			return fmt.Errorf("step %s: %s", s.Name, problem)
		}
	}
	return nil
}

// defaultTimeout and maxTimeout are in seconds.
const (
	defaultTimeout = "3600"
	maxTimeout     = 172800
)

// timeout returns the text of timeoutSeconds, which may be a number.
func (d *Document) timeout() string {
	if d.inputs.Timeout == nil {
		return defaultTimeout
	}
	var text string
	if json.Unmarshal(d.inputs.Timeout, &text) == nil {
		return text
	}
	return string(d.inputs.Timeout)
}

// Script is what a machine runs.
type Script struct {
	Lines     []string
	Directory string // "": the agent's
	Timeout   time.Duration
}

// Script returns the script with values of parameters, as a user gives them, or why the document does not accept them.
func (d *Document) Script(given map[string][]string) (s Script, problem string) {
	values := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if _, ok := d.Parameters[name]; !ok {
			return s, fmt.Sprintf("The parameter %s is not defined in the document.", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(d.Parameters)) {
		values[name], problem = d.Parameters[name].value(name, given[name])
		if problem != "" {
			return s, problem
		}
	}
	for _, line := range d.inputs.Commands {
		if match := reference.FindStringSubmatch(line); match != nil && match[0] == strings.TrimSpace(line) {
			if list, ok := values[match[1]].([]string); ok {
				s.Lines = append(s.Lines, list...)
				continue
			}
		}
		s.Lines = append(s.Lines, insert(line, values))
	}
	s.Directory = insert(d.inputs.Directory, values)
	s.Timeout, problem = parseTimeout(insert(d.timeout(), values))
	return s, problem
}

// insert replaces the references in a text.
func insert(text string, values map[string]any) string {
	return reference.ReplaceAllStringFunc(text, func(match string) string {
		v := values[reference.FindStringSubmatch(match)[1]]
		if s, ok := v.(string); ok {
			return s
		}
		encoded, err := json.Marshal(v)
		if err != nil {
			return ""
		}
		return string(encoded)
	})
}
