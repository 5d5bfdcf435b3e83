package wire

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"reflect"
	"strings"

	"aloft.dev/aloft/internal/cloud/wire/names"
)

// xmlDecoder decodes the document in a REST request's body into a Go value.
type xmlDecoder struct {
	tokens  *xml.Decoder
	depth   int
	seen    []string // top-level elements
	unknown []string // elements at any depth that no field corresponds to
}

// read decodes a document, whose root has the given name and stands for the input as a
// whole, into v, a structure.
func (d *xmlDecoder) read(body []byte, root string, sh *shape, v reflect.Value) error {
	d.tokens = xml.NewDecoder(bytes.NewReader(body))
	for {
		token, err := d.tokens.Token()
		if err != nil {
			return invalidXML(err)
		}
		if start, ok := token.(xml.StartElement); ok {
			if start.Name.Local != root {
				return Errorf("MalformedInput", "%s is not valid, expected %s", start.Name.Local, root)
			}
			break
		}
	}
	if err := d.structure("", sh, v); err != nil {
		return err
	}
	for {
		token, err := d.tokens.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return invalidXML(err)
		}
		if _, ok := token.(xml.StartElement); ok {
			return invalidXML(errors.New("the document has two roots"))
		}
	}
}

// elements calls do for each element up to the end of the one that contains them.
func (d *xmlDecoder) elements(do func(name string) error) error {
	if d.depth++; d.depth > maxDepth {
		return invalidXML(errors.New("the elements are nested too deeply"))
	}
	defer func() { d.depth-- }()
	for {
		token, err := d.tokens.Token()
		if err != nil {
			return invalidXML(err)
		}
		switch token := token.(type) {
		case xml.EndElement:
			return nil
		case xml.StartElement:
			if err := do(token.Name.Local); err != nil {
				return err
			}
		}
	}
}

func (d *xmlDecoder) structure(path string, sh *shape, v reflect.Value) error {
	return d.elements(func(name string) error {
		if path == "" {
			d.seen = append(d.seen, name)
		}
		i, ok := sh.byName[name]
		if !ok || sh.fields[i].at.Place != names.InBody {
			return d.skip(path + name)
		}
		m := sh.fields[i]
		if m.shape.kind == union {
			return unionNotImplemented(path + name)
		}
		if m.wire.Item == names.Flattened {
			return d.item(path+name, m, m.shape, v.Field(m.index))
		}
		return d.value(path+name, m, m.shape, settableField(m, v))
	})
}

func (d *xmlDecoder) value(path string, m member, sh *shape, v reflect.Value) error {
	switch sh.kind {
	case structure:
		return d.structure(path+".", sh, v)
	case list:
		v.Set(reflect.MakeSlice(sh.typ, 0, 0))
		return d.elements(func(name string) error {
			if name != m.wire.Item {
				return d.skip(path + "." + name)
			}
			return d.item(path+"."+name, m, sh, v)
		})
	case mapping: // no operation of a REST service here has one
		return d.skip(path)
	}
	text, err := d.text(path)
	if err != nil {
		return err
	}
	return setScalar(path, text, sh, v)
}

// item decodes an element of a list.
func (d *xmlDecoder) item(path string, m member, sh *shape, list reflect.Value) error {
	element := reflect.New(sh.elem.typ).Elem()
	if err := d.value(path, m, sh.elem, element); err != nil {
		return err
	}
	list.Set(reflect.Append(list, element))
	return nil
}

// text returns the text of an element that contains nothing else.
func (d *xmlDecoder) text(path string) (string, error) {
	var b strings.Builder
	for {
		token, err := d.tokens.Token()
		if err != nil {
			return "", invalidXML(err)
		}
		switch token := token.(type) {
		case xml.CharData:
			b.Write(token)
		case xml.StartElement:
			return "", invalidXML(errors.New("the element " + path + " is a text"))
		case xml.EndElement:
			return b.String(), nil
		}
	}
}

// skip records an unknown element and ignores what it contains.
func (d *xmlDecoder) skip(path string) error {
	d.unknown = append(d.unknown, path)
	if err := d.tokens.Skip(); err != nil {
		return invalidXML(err)
	}
	return nil
}

// invalidXML is the response to a body that is no document, in the words of Amazon
// Route 53.
func invalidXML(err error) *Error { return Errorf("InvalidInput", "Invalid XML ; %v", err) }
