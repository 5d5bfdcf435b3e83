package authorization

import (
	"maps"
	"reflect"
	"strings"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/runcommand"
	"aloft.dev/aloft/internal/cloud/store"
)

// commandOperations are those of Run Command, as users and agents call them.
var commandOperations = operations{
	"SendCommand": {resources: []resource{
		{fields: []string{"DocumentName"}, find: commandDocuments},
		{fields: []string{"InstanceIds"}, find: instances.withID, optional: true},
		{fields: []string{"Targets.Key"}, find: targeted, optional: true},
	}},
	"CancelCommand":                {},
	"ListCommands":                 {},
	"ListCommandInvocations":       {},
	"GetCommandInvocation":         {},
	"DescribeInstanceInformation":  {},
	"ListDocuments":                {},
	"GetDocument":                  onDocument,
	"DescribeDocument":             onDocument,
	"DescribeDocumentPermission":   onDocument,
	"CreateDocument":               onDocument,
	"UpdateDocument":               onDocument,
	"DeleteDocument":               onDocument,
	"ListDocumentVersions":         onDocument,
	"UpdateDocumentDefaultVersion": onDocument,
	"UpdateInstanceInformation":    {resources: []resource{{fields: []string{"InstanceId"}, find: instances.withID}}},
}

var onDocument = operation{resources: []resource{{fields: []string{"Name"}, find: commandDocuments}}}

// messageOperations are those of the service that delivers messages to agents. They are about
// no resource; the service accepts an instance's own credentials only.
var messageOperations = operations{
	"GetMessages": {}, "AcknowledgeMessage": {}, "SendReply": {}, "FailMessage": {}, "DeleteMessage": {},
}

// systemsManagerOperations are those of Parameter Store and Run Command.
var systemsManagerOperations = joined(parameterOperations, commandOperations)

func joined(a, b operations) operations {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}

// commandDocuments returns the document that a text names, by name or by ARN. The documents that AWS
// owns belong to no account.
func commandDocuments(s *subject, text string) []target {
	name := text[strings.LastIndex(text, "/")+1:]
	if name == runcommand.Document {
		return []target{{arn: "arn:aws:ssm:" + s.region.Name() + "::document/" + name}}
	}
	t := target{arn: identity.ARN("ssm", s.region, "document/"+name)}
	if row, ok := store.Documents.Get(s, s.region.Key(name)); ok {
		t.tags = row.Tags
	}
	return []target{t}
}

// targeted returns the instances that all targets of a command select together. Without an
// instance, the command needs the document alone.
func targeted(s *subject, _ string) []target {
	var targets []store.CommandTarget
	visit(s.input, []string{"Targets"}, func(v reflect.Value) {
		t := store.CommandTarget{Values: valuesAt(v, "Values")}
		for _, key := range valuesAt(v, "Key") {
			t.Key = key
		}
		targets = append(targets, t)
	})
	found, _ := runcommand.Recipients(s, s.region, nil, targets)
	var all []target
	for _, row := range found {
		all = append(all, instances.withID(s, row.ID)...)
	}
	if all == nil {
		return commandDocuments(s, s.value("DocumentName"))
	}
	return all
}
