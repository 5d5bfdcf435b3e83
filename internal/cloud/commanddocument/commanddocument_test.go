package commanddocument_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"aloft.dev/aloft/internal/cloud/commanddocument"
)

const greeting = `{
	"schemaVersion": "2.2", "description": "Greets.",
	"parameters": {
		"names": {"type": "StringList", "default": ["ada", "bob"], "maxItems": 3},
		"greeting": {"type": "String", "allowedPattern": "[A-Z][a-z]*", "maxChars": 10},
		"loud": {"type": "Boolean", "default": false, "allowedValues": [true, false]},
		"times": {"type": "Integer", "default": 1, "allowedValues": [1, 2]},
		"env": {"type": "StringMap", "default": {"a": "b"}},
		"lines": {"type": "StringList", "default": ["one", "two"]},
		"limit": {"type": "String", "default": "60"}
	},
	"mainSteps": [
		{"action": "aws:runPowerShellScript", "name": "windows", "inputs": {"runCommand": ["dir"]},
			"precondition": {"StringEquals": ["platformType", "Windows"]}},
		{"action": "aws:runShellScript", "name": "greet", "precondition": {"StringEquals": ["Linux", "platformType"]},
			"inputs": {
				"runCommand": ["echo {{greeting}} '{{ names }}' {{loud}} {{ times }} '{{ env }}'", "{{ lines }}"],
				"workingDirectory": "/{{ greeting }}", "timeoutSeconds": "{{ limit }}"}}
	]
}`

func TestADocumentOfSchemaVersion12HasAPlugin(t *testing.T) {
	d, err := commanddocument.Parse(`{"schemaVersion": "1.2", "description": "Lists.", "parameters": {
		"dir": {"type": "String", "default": "/srv"}}, "runtimeConfig": {"aws:runShellScript": {"properties": [
		{"id": "0.aws:runShellScript", "runCommand": ["ls {{ dir }}"]}]}}}`)
	if err != nil {
		t.Fatal(err)
	}
	s, problem := d.Script(nil)
	if problem != "" || !slices.Equal(s.Lines, []string{"ls /srv"}) || d.Step() != "runShellScript" {
		t.Errorf("script %+v, %s, step %s", s, problem, d.Step())
	}
}

func TestADocumentBecomesAScript(t *testing.T) {
	d, err := commanddocument.Parse(greeting)
	if err != nil {
		t.Fatal(err)
	}
	if d.Step() != "greet" || d.Description != "Greets." || !slices.Equal(d.Platforms, []string{"Linux", "Windows"}) {
		t.Errorf("got %+v", d)
	}
	for _, test := range []struct {
		given     map[string][]string
		lines     []string
		directory string
		timeout   time.Duration
	}{
		{
			map[string][]string{"greeting": {"Hi"}},
			[]string{`echo Hi '["ada","bob"]' false 1 '{"a":"b"}'`, "one", "two"}, "/Hi", time.Minute,
		},
		{
			map[string][]string{
				"greeting": {"Ho"}, "names": {"x"}, "loud": {"true"}, "times": {"2"}, "env": {`{"c": 1}`},
				"lines": {"{{ greeting }}"}, "limit": {"172800"},
			},
			[]string{`echo Ho '["x"]' true 2 '{"c":1}'`, "{{ greeting }}"}, "/Ho", 48 * time.Hour,
		},
	} {
		s, problem := d.Script(test.given)
		if problem != "" || !slices.Equal(s.Lines, test.lines) || s.Directory != test.directory ||
			s.Timeout != test.timeout {
			t.Errorf("got %q %+v, want %q", problem, s, test.lines)
		}
	}
}

func TestParametersThatADocumentDoesNotAccept(t *testing.T) {
	d, err := commanddocument.Parse(greeting)
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		parameter string
		values    []string
		want      string
	}{
		"unknown":        {"user", []string{"x"}, "not defined"},
		"a pattern":      {"greeting", []string{"hi; rm"}, "does not match"},
		"part of it":     {"greeting", []string{"Hi there"}, "does not match"},
		"characters":     {"greeting", []string{"Aaaaaaaaaaaaaaa"}, "15 characters"},
		"two values":     {"greeting", []string{"A", "B"}, "must have one value"},
		"too many":       {"names", []string{"a", "b", "c", "d"}, "4 values"},
		"allowed values": {"times", []string{"3"}, "not one of"},
		"a number":       {"limit", []string{"x"}, "timeoutSeconds, x"},
		"a map":          {"env", []string{"["}, "not of the type StringMap"},
	} {
		given := map[string][]string{"greeting": {"Hi"}}
		given[test.parameter] = test.values
		if _, problem := d.Script(given); !strings.Contains(problem, test.want) {
			t.Errorf("%s: got %q, want %q", name, problem, test.want)
		}
	}
	if _, problem := d.Script(nil); !strings.Contains(problem, "greeting is required") {
		t.Errorf("without a required parameter: %q", problem)
	}
}

func TestParseRefusals(t *testing.T) {
	step := func(rest string) string {
		return `{"schemaVersion":"2.2","mainSteps":[{"action":"aws:runShellScript","name":"one"` + rest + `}]}`
	}
	const inputs = `,"inputs":{"runCommand":["true"]}`
	for name, test := range map[string]struct {
		text        string
		unsupported bool
	}{
		"no JSON":         {"x", false},
		"more after JSON": {step(inputs) + "{}", false},
		"no schema":       {`{"mainSteps":[]}`, false},
		"schema 1.0":      {`{"schemaVersion":"1.0"}`, true},
		"schema 1.2":      {`{"schemaVersion":"1.2"}`, false},
		"two properties": {`{"schemaVersion":"1.2","runtimeConfig":{"aws:runShellScript":{"properties":[` +
			`{"runCommand":["a"]},{"runCommand":["b"]}]}}}`, true},
		"plugins in 2.2": {`{"schemaVersion":"2.2","runtimeConfig":{"aws:runShellScript":{"properties":[` +
			`{"runCommand":["a"]}]}}}`, false},
		"no steps":          {`{"schemaVersion":"2.2"}`, false},
		"an element":        {`{"schemaVersion":"2.2","x":1}`, false},
		"a step's element":  {step(`,"x":1` + inputs), false},
		"no command":        {step(`,"inputs":{}`), false},
		"an input":          {step(`,"inputs":{"runCommand":["true"],"user":"x"}`), false},
		"a timeout":         {step(`,"inputs":{"runCommand":["true"],"timeoutSeconds":0}`), false},
		"a reference":       {step(`,"inputs":{"runCommand":["{{ x }}"]}`), false},
		"Parameter Store":   {step(`,"inputs":{"runCommand":["{{ ssm:x }}"]}`), true},
		"a precondition":    {step(`,"precondition":{"StringEquals":["platformType"]}` + inputs), false},
		"of something else": {step(`,"precondition":{"StringEquals":["a","b"]}` + inputs), true},
		"no step for Linux": {step(`,"precondition":{"StringEquals":["platformType","MacOS"]}` + inputs), true},
		"two steps": {
			`{"schemaVersion":"2.2","mainSteps":[{"action":"aws:runShellScript","name":"one"` + inputs +
				`},{"action":"aws:runShellScript","name":"two"` + inputs + `}]}`, true,
		},
		"a name twice": {
			`{"schemaVersion":"2.2","mainSteps":[{"action":"aws:runShellScript","name":"one"` + inputs +
				`},{"action":"aws:runShellScript","name":"one"` + inputs + `}]}`, false,
		},
		"another action": {
			`{"schemaVersion":"2.2","mainSteps":[{"action":"aws:runDocument","name":"one","inputs":{}}]}`, true,
		},
		"a type": {
			`{"schemaVersion":"2.2","parameters":{"a":{"type":"Text"}},"mainSteps":[]}`, false,
		},
		"a default": {
			`{"schemaVersion":"2.2","parameters":{"a":{"type":"Integer","default":"x"}},"mainSteps":[]}`, false,
		},
	} {
		_, err := commanddocument.Parse(test.text)
		_, unsupported := errors.AsType[*commanddocument.UnsupportedError](err)
		if err == nil || unsupported != test.unsupported {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// FuzzDocument looks for documents and values that make the reader panic.
func FuzzDocument(f *testing.F) {
	f.Add(greeting, "greeting", "Hi")
	f.Fuzz(func(t *testing.T, text, name, value string) {
		d, err := commanddocument.Parse(text)
		if err != nil {
			return
		}
		if s, problem := d.Script(map[string][]string{name: {value}}); problem == "" && s.Timeout <= 0 {
			t.Errorf("a script with the timeout %s", s.Timeout)
		}
	})
}
