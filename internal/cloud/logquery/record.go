package logquery

import (
	"encoding/json"
	"maps"
	"strconv"
	"strings"
	"time"
)

// record is an event with the fields that commands added, or a result of stats.
type record struct {
	event    *Event // nil: a result of stats
	now      time.Time
	fields   map[string]value // added
	slots    []value          // results of the aggregations in the expressions of stats
	document any              // of a message that is JSON
	parsed   bool
}

// set adds a field.
func (r *record) set(name string, v value) {
	if r.fields == nil {
		r.fields = map[string]value{}
	}
	r.fields[name] = v
}

// field returns the value of a field.
func (r *record) field(name string) value {
	if v, ok := r.fields[name]; ok {
		return v
	}
	if r.event == nil {
		return value{}
	}
	switch name {
	case "@timestamp":
		return momentValue(float64(r.event.Time))
	case "@ingestionTime":
		return momentValue(float64(r.event.Ingested))
	case "@message":
		return textValue(r.event.Message)
	case "@logStream":
		return textValue(r.event.Stream)
	case "@log":
		return textValue(r.event.Log)
	case "@ptr":
		return textValue(r.event.Pointer)
	}
	if strings.HasPrefix(name, "@") {
		return value{}
	}
	return r.discovered(name)
}

// discovered returns a field of the message: a member of JSON, or a field of a flow log.
func (r *record) discovered(name string) value {
	if !r.parsed {
		r.parsed, r.document = true, documentOf(r.event.Message)
	}
	return at(r.document, name)
}

// documentOf returns the JSON object that a message is, or the fields of a record of a VPC flow log in the default
// format, or nil.
func documentOf(message string) any {
	trimmed := strings.TrimSpace(message)
	if !strings.HasPrefix(trimmed, "{") {
		if found := flowLogFields(trimmed); found != nil {
			return found
		}
		return nil
	}
	decoder := json.NewDecoder(strings.NewReader(trimmed))
	decoder.UseNumber()
	var document map[string]any
	if decoder.Decode(&document) != nil || decoder.More() {
		return nil
	}
	return document
}

// flowLogNames are the fields of the default format of VPC flow logs, by the names under which queries know them
// (Amazon CloudWatch Logs User Guide, "Supported logs and discovered fields").
var flowLogNames = []string{
	"version", "accountId", "interfaceId", "srcAddr", "dstAddr", "srcPort", "dstPort", "protocol", "packets", "bytes",
	"startTime", "endTime", "action", "logStatus",
}

const (
	account      = 1 // indexes in flowLogNames
	interfaceID  = 2
	accountDigit = 12
)

func flowLogFields(message string) any {
	parts := strings.Fields(message)
	if len(parts) != len(flowLogNames) || parts[0] != "2" || len(parts[account]) != accountDigit ||
		!strings.HasPrefix(parts[interfaceID], "eni-") {
		return nil
	}
	fields := map[string]any{}
	for i, name := range flowLogNames {
		if parts[i] != "-" {
			fields[name] = parts[i]
		}
	}
	return fields
}

// at returns the member of a document at a path: "user.names.0". Names of members may have dots.
func at(document any, path string) value {
	switch d := document.(type) {
	case map[string]any:
		if member, ok := d[path]; ok {
			return scalar(member)
		}
		for i := range len(path) {
			if path[i] != '.' {
				continue
			}
			if member, ok := d[path[:i]]; ok {
				return at(member, path[i+1:])
			}
		}
	case []any:
		index, rest, nested := strings.Cut(path, ".")
		i, err := strconv.Atoi(index)
		if err != nil || i < 0 || i >= len(d) {
			return value{}
		}
		if nested {
			return at(d[i], rest)
		}
		return scalar(d[i])
	}
	return value{}
}

// scalar returns a value of JSON. That of an object or a list is its text.
func scalar(member any) value {
	switch m := member.(type) {
	case nil:
		return value{}
	case string:
		return textValue(m)
	case json.Number:
		return textValue(m.String())
	case bool:
		return truth(m)
	}
	encoded, err := json.Marshal(member)
	if err != nil {
		return value{}
	}
	return textValue(string(encoded))
}

// size returns about how many bytes of memory a record takes while it is kept.
func (r *record) size() int {
	size := recordOverhead
	if r.event != nil {
		size += len(r.event.Message)
	}
	for name, v := range r.fields {
		size += len(name) + len(v.text) + fieldOverhead
	}
	return size
}

// forget drops what can be found again. It makes a record that is kept as large as size says.
func (r *record) forget() { r.document, r.parsed = nil, false }

// maxDiscovered is how many fields of a message are discovered (Amazon CloudWatch Logs User Guide, "Supported logs
// and discovered fields").
const maxDiscovered = 200

// Fields returns the fields of an event, with those that are discovered in its message.
func (e Event) Fields() map[string]string {
	r := record{event: &e}
	all := map[string]string{}
	for _, name := range []string{"@timestamp", "@ingestionTime", "@message", "@logStream", "@log", "@ptr"} {
		all[name] = r.field(name).String()
	}
	all["@timestamp"] = strconv.FormatInt(e.Time, 10)
	all["@ingestionTime"] = strconv.FormatInt(e.Ingested, 10)
	found := map[string]string{}
	flatten(documentOf(e.Message), "", found)
	maps.Copy(all, found)
	return all
}

// flatten adds the scalars of a document by their paths.
func flatten(document any, path string, into map[string]string) {
	if len(into) >= maxDiscovered {
		return
	}
	prefix := path
	if path != "" {
		prefix += "."
	}
	switch d := document.(type) {
	case map[string]any:
		for name, member := range d {
			flatten(member, prefix+name, into)
		}
	case []any:
		for i, member := range d {
			flatten(member, prefix+strconv.Itoa(i), into)
		}
	case nil:
	default:
		into[path] = scalar(d).String()
	}
}
