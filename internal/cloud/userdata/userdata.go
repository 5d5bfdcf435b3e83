// Package userdata turns an instance's user data into a shell program that its machine runs
// as root when it boots. It reads the formats of cloud-init (cloud-init documentation, "User
// data formats" and "Module reference"): scripts, cloud-config, MIME archives of both, and
// each of them compressed with gzip. It refuses whatever it does not know, by name, so that
// a machine is never configured in part.
package userdata

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Bounds of user data that is unpacked. EC2 limits what is sent to 16 KiB.
const (
	maxUnpacked = 1 << 20   // bytes, of everything together
	maxConfig   = 128 << 10 // bytes of a cloud-config; the parser uses hundreds of bytes for each
	maxParts    = 100
	maxNesting  = 50 // of collections in a cloud-config
)

// Types of parts.
const (
	typeScript = "text/x-shellscript"
	typeConfig = "text/cloud-config"
)

// formats are the first characters by which cloud-init knows what a text is. An empty type
// stands for a format that is refused.
var formats = []struct{ prefix, kind string }{
	{"#!", typeScript},
	{"#cloud-config-archive", ""},
	{"#cloud-config-jsonp", ""},
	{"#cloud-config", typeConfig},
	{"#cloud-boothook", ""},
	{"#include", ""},
	{"#part-handler", ""},
	{"#upstart-job", ""},
	{"## template: jinja", ""},
}

// plan holds what user data asks for.
type plan struct {
	scripts  []script
	config   config
	unpacked int
	unknown  bool // the whole is neither a script nor anything else that is known
}

// script is a program to run once.
type script struct {
	name    string // "part-001"
	content []byte
}

// parse reads user data.
func parse(data []byte) (*plan, error) {
	p := &plan{}
	data, err := p.unpack(data)
	if err != nil {
		return nil, err
	}
	if isMultipart(data) {
		return p, p.addMessage(data)
	}
	kind, known, err := kindOf(data)
	if err != nil {
		return nil, err
	}
	if !known {
		p.unknown = true
		return p, nil
	}
	return p, p.add(kind, data)
}

// unpack returns data, decompressed if it is compressed with gzip.
func (p *plan) unpack(data []byte) ([]byte, error) {
	if bytes.HasPrefix(data, []byte{0x1f, 0x8b}) {
		reader, err := gzip.NewReader(bytes.NewReader(data))
		if err != nil {
			return nil, fmt.Errorf("decompress: %w", err)
		}
		if data, err = io.ReadAll(io.LimitReader(reader, maxUnpacked+1)); err != nil {
			return nil, fmt.Errorf("decompress: %w", err)
		}
	}
	if p.unpacked += len(data); p.unpacked > maxUnpacked {
		return nil, fmt.Errorf("it unpacks to more than %d bytes", maxUnpacked)
	}
	return data, nil
}

// kindOf returns the type of a text that has no header. known is false if it is none of
// cloud-init's formats.
func kindOf(data []byte) (kind string, known bool, err error) {
	for _, f := range formats {
		if !bytes.HasPrefix(data, []byte(f.prefix)) {
			continue
		}
		if f.kind == "" {
			return "", false, fmt.Errorf("the format %s is not supported", f.prefix)
		}
		return f.kind, true, nil
	}
	return "", false, nil
}

// add adds a part.
func (p *plan) add(kind string, data []byte) error {
	switch kind {
	case typeScript:
		if !bytes.HasPrefix(data, []byte("#!")) {
			return errors.New("a script needs #! as its first characters")
		}
		p.scripts = append(p.scripts, script{fmt.Sprintf("part-%03d", len(p.scripts)+1), data})
		return nil
	case typeConfig:
		return p.config.read(data)
	}
	return fmt.Errorf("parts of the type %s are not supported", kind)
}

// Script returns the shell program for user data. Running it at every boot runs the user
// data once in the life of an instance, and bootcmd at every boot. If the user data cannot
// be read, the program says why on the console and does nothing else.
func Script(data []byte) string {
	p, err := parse(data)
	switch {
	case err != nil:
		return refusal("the user data was not run: " + oneLine(err.Error()))
	case p.unknown:
		return refusal("the user data is no script and no cloud-config " +
			"(it begins with neither #! nor #cloud-config): left alone")
	}
	return p.script()
}

// oneLine joins the lines of a text.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
