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

// decoder decodes a YAML tree into a Spec. It continues after a mistake, so that
// one run reports all of them, and records the place of each value, so that
// validation can report it.
type decoder struct {
	file     string
	problems diag.List
	places   map[string]string // "network.subnets[1].cidr" → "aloft.yaml:7:11"
	rejected map[string]bool   // paths whose value was reported
	overlay  bool              // a stage's overlay is decoded onto the rest of the file
}

func newDecoder(file string) *decoder {
	return &decoder{file: file, places: map[string]string{}, rejected: map[string]bool{}}
}

// written reports whether the file has a value at path.
func (d *decoder) written(path string) bool {
	_, ok := d.places[path]
	return ok
}

// reject reports the value at path. Validation does not report it again.
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

// shorthand is a mapping that may also be written as one plain value: that of one of the
// fields that shorthandKeys names. shorthandKey chooses it by the value.
type shorthand interface {
	shorthandKeys() []string
	shorthandKey(value string) string
}

func (*Source) shorthandKeys() []string    { return []string{"path"} }
func (*Source) shorthandKey(string) string { return "path" }

func (*Subnet) shorthandKeys() []string { return []string{"cidr", "id"} }
func (*Subnet) shorthandKey(value string) string {
	if strings.HasPrefix(value, subnetPrefix) {
		return "id"
	}
	return "cidr"
}

func (*AccessLogs) shorthandKeys() []string { return []string{"enabled", "retention"} }
func (*AccessLogs) shorthandKey(value string) string {
	if value == "true" || value == "false" {
		return "enabled"
	}
	return "retention"
}

// plainList is a list that may also be written as its only item.
type plainList interface{ plainItem() }

func (*InstanceTypes) plainItem() {}
func (*Domains) plainItem()       {}

// where returns the place of a node, such as "aloft.yaml:7:11".
func (d *decoder) where(node ast.Node) string {
	position := node.GetToken().Position
	return fmt.Sprintf("%s:%d:%d", d.file, position.Line, position.Column)
}

func (d *decoder) decode(node ast.Node, into reflect.Value, path string) {
	if _, isNull := node.(*ast.NullNode); isNull && d.overlay {
		if path != "" { // a stage without differences
			d.remove(into, path)
		}
		return
	}
	d.places[path] = d.where(node)
	switch {
	case into.Type() == stagesType && d.overlay:
		d.reject(node, path, "a stage has every other key", "a stage has no stages of its own")
	case into.Type() == stagesType:
		d.decodeStages(node, into, path)
	case into.Type() == prefixType:
		d.decodePrefix(node, into, path)
	case into.Type() == durationType:
		d.decodeDuration(node, into, path)
	case into.Kind() == reflect.Pointer: // an optional section
		section := reflect.New(into.Type().Elem())
		if d.overlay && !into.IsNil() {
			section.Elem().Set(into.Elem())
		}
		into.Set(section)
		d.decode(node, section.Elem(), path)
	case into.Kind() == reflect.Struct:
		d.decodeStruct(node, into, path)
	case into.Kind() == reflect.Slice:
		d.decodeList(node, into, path)
	case into.Kind() == reflect.Map:
		d.decodeMap(node, into, path)
	default:
		d.decodeScalar(node, into, path)
	}
}

func (d *decoder) decodeStruct(node ast.Node, into reflect.Value, path string) {
	if short, ok := into.Addr().Interface().(shorthand); ok {
		if value, isPlain := plainText(node); isPlain {
			key := short.shorthandKey(value)
			d.decode(node, fieldByKey(into, key), join(path, key))
			return
		}
	}
	pairs, ok := mappingPairs(node)
	if !ok {
		d.expected(node, path, "a mapping with the keys "+strings.Join(keys(into.Type()), ", "))
		return
	}
	for _, pair := range pairs {
		key := pair.Key.GetToken().Value
		field := fieldByKey(into, key)
		if !field.IsValid() {
			d.unknownKey(pair.Key, key, path, into.Type())
			continue
		}
		d.decode(pair.Value, field, join(path, key))
	}
}

func (d *decoder) unknownKey(at ast.Node, key, path string, of reflect.Type) {
	valid := keys(of)
	hint := "the valid keys: " + strings.Join(valid, ", ")
	if near := Nearest(key, valid); near != "" {
		hint = fmt.Sprintf("did you mean %q? %s", near, hint)
	}
	under := ""
	if path != "" {
		under = " under " + path
	}
	d.problems.Add(d.where(at), hint, "unknown key %q%s", key, under)
}

func (d *decoder) decodeList(node ast.Node, into reflect.Value, path string) {
	if _, isMapping := mappingPairs(node); isMapping && into.Type() == subnetsType {
		d.decodeExisting(node, into, path)
		return
	}
	seq, ok := node.(*ast.SequenceNode)
	_, isPlain := plainText(node)
	switch _, mayBePlain := into.Addr().Interface().(plainList); {
	case ok:
	case mayBePlain && isPlain:
		items := reflect.MakeSlice(into.Type(), 1, 1)
		d.decode(node, items.Index(0), path)
		into.Set(items)
		return
	case mayBePlain:
		d.expected(node, path, "a text or a list")
		return
	default:
		d.expected(node, path, "a list")
		return
	}
	if d.overlay {
		d.remove(into, path)
		d.places[path] = d.where(node)
	}
	items := reflect.MakeSlice(into.Type(), len(seq.Values), len(seq.Values))
	for i, value := range seq.Values {
		d.decode(value, items.Index(i), fmt.Sprintf("%s[%d]", path, i))
	}
	into.Set(items)
}

func (d *decoder) decodeMap(node ast.Node, into reflect.Value, path string) {
	pairs, ok := mappingPairs(node)
	if !ok {
		d.expected(node, path, "a mapping of names to values")
		return
	}
	out := reflect.MakeMap(into.Type())
	if d.overlay {
		for _, key := range into.MapKeys() {
			out.SetMapIndex(key, into.MapIndex(key))
		}
	}
	for _, pair := range pairs {
		key := pair.Key.GetToken().Value
		if _, isNull := pair.Value.(*ast.NullNode); isNull && d.overlay {
			out.SetMapIndex(reflect.ValueOf(key), reflect.Value{})
			continue
		}
		value, ok := plainText(pair.Value)
		if !ok {
			d.expected(pair.Value, join(path, key), "a plain value")
			continue
		}
		d.places[join(path, key)] = d.where(pair.Key)
		out.SetMapIndex(reflect.ValueOf(key), reflect.ValueOf(value))
	}
	into.Set(out)
}

func (d *decoder) decodeScalar(node ast.Node, into reflect.Value, path string) {
	value, ok := plainText(node)
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
		d.expected(node, path, "a value that this version of Aloft can decode")
	}
}

func (d *decoder) decodePrefix(node ast.Node, into reflect.Value, path string) {
	value, ok := plainText(node)
	prefix, err := netip.ParsePrefix(value)
	_, notAddress := netip.ParseAddr(value)
	switch {
	case !ok, err != nil && notAddress != nil:
		d.expected(node, path, `a CIDR block like "10.0.1.0/24"`)
	case err != nil:
		d.reject(node, path, fmt.Sprintf("write %s/32 for this one address", value),
			"%q is an address, not a CIDR block", value)
	case prefix != prefix.Masked():
		d.reject(node, path, fmt.Sprintf("write %s", prefix.Masked()), "%s has host bits set", prefix)
	case !prefix.Addr().Is4():
		d.reject(node, path, "use an IPv4 block", "%s is IPv6, which Aloft does not deploy", prefix)
	default:
		into.Set(reflect.ValueOf(prefix))
	}
}

func (d *decoder) decodeDuration(node ast.Node, into reflect.Value, path string) {
	value, ok := plainText(node)
	duration, err := time.ParseDuration(value)
	if !ok || err != nil {
		d.expected(node, path, `a duration like "5s"`)
		return
	}
	into.SetInt(int64(duration))
}

// expected reports a node that is not of the type of its key.
func (d *decoder) expected(node ast.Node, path, what string) {
	hint := "write " + what
	if path != "" {
		hint += " after " + path[strings.LastIndexByte(path, '.')+1:] + ":"
	}
	d.reject(node, path, hint, "expected %s, got %s", what, describe(node))
}
