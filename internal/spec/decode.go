package spec

import (
	"fmt"
	"net/netip"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"aloft.dev/aloft/internal/diag"
)

// decoder fills a Spec from a YAML tree. It goes on after a mistake, so that
// one run reports all of them, and remembers where each value stands, so that
// validation can point at it.
type decoder struct {
	file     string
	problems diag.List
	places   map[string]string // "network.subnets[1].cidr" → "aloft.yaml:7:11"
	rejected map[string]bool   // paths whose value is reported already
}

func newDecoder(file string) *decoder {
	return &decoder{file: file, places: map[string]string{}, rejected: map[string]bool{}}
}

// reject reports the value at path once: validation has no more to say of it.
func (d *decoder) reject(node ast.Node, path, hint, format string, args ...any) {
	d.rejected[path] = true
	if path != "" {
		format = path + ": " + format
	}
	d.problems.Add(d.where(node), hint, format, args...)
}

var (
	prefixType   = reflect.TypeFor[netip.Prefix]()
	durationType = reflect.TypeFor[time.Duration]()
)

// shorthand is a mapping that may also be written as one plain value.
type shorthand interface{ shorthandField() string }

func (*Source) shorthandField() string { return "path" }
func (*Subnet) shorthandField() string { return "cidr" }

func (d *decoder) where(node ast.Node) string {
	position := node.GetToken().Position
	return fmt.Sprintf("%s:%d:%d", d.file, position.Line, position.Column)
}

func (d *decoder) decode(node ast.Node, into reflect.Value, path string) {
	d.places[path] = d.where(node)
	switch {
	case into.Type() == prefixType:
		d.prefix(node, into, path)
	case into.Type() == durationType:
		d.duration(node, into, path)
	case into.Kind() == reflect.Pointer: // a part that may be left out as a whole
		into.Set(reflect.New(into.Type().Elem()))
		d.decode(node, into.Elem(), path)
	case into.Kind() == reflect.Struct:
		d.structure(node, into, path)
	case into.Kind() == reflect.Slice:
		d.list(node, into, path)
	case into.Kind() == reflect.Map:
		d.strings(node, into, path)
	default:
		d.scalar(node, into, path)
	}
}

func (d *decoder) structure(node ast.Node, into reflect.Value, path string) {
	if short, ok := into.Addr().Interface().(shorthand); ok {
		if _, isText := text(node); isText {
			name := short.shorthandField()
			d.decode(node, fieldByKey(into, name), join(path, name))
			return
		}
	}
	pairs, ok := mapping(node)
	if !ok {
		d.expected(node, path, "a mapping with the keys "+strings.Join(keys(into.Type()), ", "))
		return
	}
	for _, pair := range pairs {
		key := pair.Key.GetToken().Value
		field := fieldByKey(into, key)
		if !field.IsValid() {
			d.unknown(pair.Key, key, path, into.Type())
			continue
		}
		d.decode(pair.Value, field, join(path, key))
	}
}

func (d *decoder) unknown(at ast.Node, key, path string, of reflect.Type) {
	valid := keys(of)
	hint := "the keys valid here: " + strings.Join(valid, ", ")
	if near := Nearest(key, valid); near != "" {
		hint = fmt.Sprintf("did you mean %q? %s", near, hint)
	}
	under := ""
	if path != "" {
		under = " under " + path
	}
	d.problems.Add(d.where(at), hint, "unknown key %q%s", key, under)
}

func (d *decoder) list(node ast.Node, into reflect.Value, path string) {
	seq, ok := node.(*ast.SequenceNode)
	if !ok {
		d.expected(node, path, "a list")
		return
	}
	items := reflect.MakeSlice(into.Type(), len(seq.Values), len(seq.Values))
	for i, value := range seq.Values {
		d.decode(value, items.Index(i), fmt.Sprintf("%s[%d]", path, i))
	}
	into.Set(items)
}

func (d *decoder) strings(node ast.Node, into reflect.Value, path string) {
	pairs, ok := mapping(node)
	if !ok {
		d.expected(node, path, "a mapping of names to values")
		return
	}
	out := reflect.MakeMap(into.Type())
	for _, pair := range pairs {
		value, ok := text(pair.Value)
		if !ok {
			d.expected(pair.Value, join(path, pair.Key.GetToken().Value), "a plain value")
			continue
		}
		d.places[join(path, pair.Key.GetToken().Value)] = d.where(pair.Key)
		out.SetMapIndex(reflect.ValueOf(pair.Key.GetToken().Value), reflect.ValueOf(value))
	}
	into.Set(out)
}

func (d *decoder) scalar(node ast.Node, into reflect.Value, path string) {
	value, ok := text(node)
	switch into.Kind() {
	case reflect.String:
		if !ok {
			d.expected(node, path, "text")
			return
		}
		into.SetString(value)
	case reflect.Int:
		n, err := strconv.Atoi(value)
		if _, quoted := node.(*ast.StringNode); !ok || err != nil || quoted {
			d.expected(node, path, "a whole number")
			return
		}
		into.SetInt(int64(n))
	case reflect.Bool:
		b, ok := node.(*ast.BoolNode)
		if !ok {
			d.expected(node, path, "true or false")
			return
		}
		into.SetBool(b.Value)
	default:
		panic("spec: no decoding for " + into.Type().String())
	}
}

func (d *decoder) prefix(node ast.Node, into reflect.Value, path string) {
	value, ok := text(node)
	prefix, err := netip.ParsePrefix(value)
	switch {
	case !ok, err != nil && !isAddress(value):
		d.expected(node, path, `a CIDR block like "10.0.1.0/24"`)
	case err != nil:
		d.reject(
			node,
			path,
			fmt.Sprintf("write %s/32 for this one address", value),
			"%q is an address, not a CIDR block",
			value,
		)
	case prefix != prefix.Masked():
		d.reject(node, path, fmt.Sprintf("write %s", prefix.Masked()), "%s has host bits set", prefix)
	case !prefix.Addr().Is4():
		d.reject(node, path, "use an IPv4 block", "%s is IPv6, which Aloft does not deploy", prefix)
	default:
		into.Set(reflect.ValueOf(prefix))
	}
}

func (d *decoder) duration(node ast.Node, into reflect.Value, path string) {
	value, ok := text(node)
	duration, err := time.ParseDuration(value)
	if !ok || err != nil {
		d.expected(node, path, `a duration like "5s"`)
		return
	}
	into.SetInt(int64(duration))
}

func (d *decoder) expected(node ast.Node, path, what string) {
	d.reject(node, path, "", "expected %s, got %s", what, describe(node))
}

func isAddress(value string) bool {
	_, err := netip.ParseAddr(value)
	return err == nil
}

func describe(node ast.Node) string {
	switch node.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return "a mapping"
	case *ast.SequenceNode:
		return "a list"
	case *ast.NullNode:
		return "nothing"
	}
	return strconv.Quote(node.GetToken().Value)
}

// text gives a plain value as it is written.
func text(node ast.Node) (string, bool) {
	switch n := node.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return node.GetToken().Value, true
	}
	return "", false
}

func mapping(node ast.Node) ([]*ast.MappingValueNode, bool) {
	switch n := node.(type) {
	case *ast.MappingNode:
		return n.Values, true
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}, true
	}
	return nil, false
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// keys lists the YAML keys of a struct in the order of its fields.
func keys(of reflect.Type) []string {
	var out []string
	for i := range of.NumField() {
		if key := of.Field(i).Tag.Get("yaml"); key != "-" {
			out = append(out, key)
		}
	}
	return out
}

func fieldByKey(of reflect.Value, key string) reflect.Value {
	for i := range of.NumField() {
		if of.Type().Field(i).Tag.Get("yaml") == key && key != "-" {
			return of.Field(i)
		}
	}
	return reflect.Value{}
}
