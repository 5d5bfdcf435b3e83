package spec

import (
	"reflect"
	"strconv"

	"github.com/goccy/go-yaml/ast"
)

// describe returns a node in words, for messages.
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

// plainText returns a plain value as it is written.
func plainText(node ast.Node) (string, bool) {
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

// mappingPairs returns the keys and values of a mapping.
func mappingPairs(node ast.Node) ([]*ast.MappingValueNode, bool) {
	switch n := node.(type) {
	case *ast.MappingNode:
		return n.Values, true
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}, true
	}
	return nil, false
}

// join appends a key to the path of a mapping.
func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// keys returns the YAML keys of a struct in the order of its fields.
func keys(of reflect.Type) []string {
	var out []string
	for i := range of.NumField() {
		if key := of.Field(i).Tag.Get("yaml"); key != "-" {
			out = append(out, key)
		}
	}
	return out
}

// fieldByKey returns the field of a struct with a YAML key, or the zero Value.
func fieldByKey(of reflect.Value, key string) reflect.Value {
	for i := range of.NumField() {
		if of.Type().Field(i).Tag.Get("yaml") == key && key != "-" {
			return of.Field(i)
		}
	}
	return reflect.Value{}
}
