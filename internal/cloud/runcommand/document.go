package runcommand

import (
	"cmp"
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"aloft.dev/aloft/internal/cloud/store"
)

// Plugin is the name of the plugin that runs the commands of Document.
const Plugin = "aws:runShellScript"

// Document is the document of AWS that the local cloud has, in its only version.
const (
	Document            = "AWS-RunShellScript"
	DocumentVersion     = "1"
	DocumentOwner       = "Amazon"
	DocumentSchema      = "1.2"
	DocumentDescription = "Run a shell script or specify the commands to run."
)

// DocumentContent is the document's content.
//
//go:embed AWS-RunShellScript.json
var DocumentContent string

// Parameter is a parameter of the document.
type Parameter struct {
	Name        string
	Type        string // "String", "StringList"
	Description string
	Default     string
	Required    bool
}

// Parameters returns the document's parameters.
func Parameters() []Parameter {
	return []Parameter{
		{
			Name: commands, Type: "StringList", Required: true,
			Description: "(Required) Specify a shell script or a command to run.",
		},
		{
			Name: workingDirectory, Type: "String",
			Description: "(Optional) The path to the working directory on your instance.",
		},
		{
			Name: executionTimeout, Type: "String", Default: "3600",
			Description: "(Optional) The time in seconds for a command to complete before it is considered to have " +
				"failed. Default is 3600 (1 hour). Maximum is 172800 (48 hours).",
		},
	}
}

const (
	commands         = "commands"
	workingDirectory = "workingDirectory"
	executionTimeout = "executionTimeout"
)

const maxWorkingDirectory = 4096

var timeoutForm = regexp.MustCompile(
	`^(([1-9][0-9]{0,4})|(1[0-6][0-9]{4})|(17[0-1][0-9]{3})|(172[0-7][0-9]{2})|(172800))$`,
)

// CheckParameters returns how long a command with the parameters may take, or why the
// document does not accept them.
func CheckParameters(given map[string][]string) (execution time.Duration, problem string) {
	known := Parameters()
	for _, name := range slices.Sorted(maps.Keys(given)) {
		i := slices.IndexFunc(known, func(p Parameter) bool { return p.Name == name })
		switch {
		case i < 0:
			return 0, fmt.Sprintf("The parameter %s is not defined in the document %s.", name, Document)
		case known[i].Type == "String" && len(given[name]) != 1:
			return 0, fmt.Sprintf("The parameter %s must have one value.", name)
		}
	}
	if len(given[commands]) == 0 {
		return 0, "The parameter commands is required."
	}
	if v := given[workingDirectory]; v != nil && len(v[0]) > maxWorkingDirectory {
		return 0, fmt.Sprintf("The parameter workingDirectory has more than %d characters.", maxWorkingDirectory)
	}
	timeout := known[2].Default
	if v := given[executionTimeout]; v != nil {
		timeout = v[0]
	}
	if !timeoutForm.MatchString(timeout) {
		return 0, fmt.Sprintf("The value of the parameter executionTimeout, %s, does not match the pattern %s.",
			timeout, strings.Trim(timeoutForm.String(), "^$"))
	}
	seconds, _ := strconv.Atoi(timeout) // the pattern admits numbers only
	return time.Duration(seconds) * time.Second, ""
}

// arguments returns the parameters as messages have them, with defaults.
func arguments(given map[string][]string) map[string]any {
	all := map[string]any{}
	for _, p := range Parameters() {
		values, ok := given[p.Name]
		switch {
		case p.Type == "StringList":
			all[p.Name] = values
		case ok:
			all[p.Name] = values[0]
		default:
			all[p.Name] = p.Default
		}
	}
	return all
}

// argumentsOf returns the parameters of the message that carries a command. A document of one's own has become a
// script, which is sent as AWS's document would be.
func argumentsOf(c *store.Command) map[string]any {
	if c.Step == "" {
		return arguments(c.Parameters)
	}
	return map[string]any{
		commands: c.Script, workingDirectory: c.Directory,
		executionTimeout: strconv.Itoa(int(c.Execution / time.Second)),
	}
}

// PluginOf returns the name of the only plugin of a command: the step of a document of one's own.
func PluginOf(c *store.Command) string { return cmp.Or(c.Step, Plugin) }

// content returns the document as messages have it.
func content() json.RawMessage { return json.RawMessage(DocumentContent) }
