package spec

import (
	"encoding/json"
	"fmt"
	"reflect"
)

// Schema returns the JSON Schema (draft 2020-12) of aloft.yaml, generated from the
// types of a Spec. Editors use it to complete and check the file.
func Schema() ([]byte, error) {
	root := schemaOf(reflect.TypeFor[Spec](), "")
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"] = FileName
	root["$defs"] = map[string]any{"stage": stageSchema()}
	data, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write the schema: %w", err)
	}
	return append(data, '\n'), nil
}

// schemaOf returns the schema of the type at a path.
func schemaOf(t reflect.Type, path string) map[string]any {
	switch {
	case t == prefixType:
		return map[string]any{"type": "string", "pattern": `^\d+(\.\d+){3}/\d+$`}
	case t == subnetsType:
		list := map[string]any{"type": "array", "items": schemaOf(t.Elem(), path+"[]")}
		return map[string]any{"anyOf": []any{list, objectSchema(reflect.TypeFor[existingSubnets](), path)}}
	case t == stagesType:
		return map[string]any{"type": "object", "additionalProperties": map[string]any{"$ref": "#/$defs/stage"}}
	case t == durationType:
		return map[string]any{"type": "string", "pattern": `^(\d+(\.\d+)?(ms|s|m|h))+$`}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return schemaOf(t.Elem(), path)
	case reflect.Struct:
		return objectSchema(t, path)
	case reflect.Slice:
		item := schemaOf(t.Elem(), path+"[]")
		list := map[string]any{"type": "array", "items": item}
		if _, ok := reflect.New(t).Interface().(plainList); ok {
			return map[string]any{"anyOf": []any{item, list}}
		}
		return list
	case reflect.Map:
		return map[string]any{
			"type":                 "object",
			"additionalProperties": map[string]any{"type": []string{"string", "number", "boolean"}},
		}
	case reflect.Int:
		return map[string]any{"type": "integer"}
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	default:
		return map[string]any{"type": "string"}
	}
}

// stageSchema returns the schema of a stage: all keys but its own, each of which may be
// null.
func stageSchema() map[string]any {
	schema := orNull(schemaOf(reflect.TypeFor[Spec](), "")).(map[string]any)
	object := schema["anyOf"].([]any)[0].(map[string]any)
	delete(object["properties"].(map[string]any), "stages")
	return schema
}

// orNull returns a schema in which every value may be null. Items of lists may not.
func orNull(schema any) any {
	s, ok := schema.(map[string]any)
	if !ok {
		return schema
	}
	if properties, ok := s["properties"].(map[string]any); ok {
		for key, property := range properties {
			properties[key] = orNull(property)
		}
	}
	if values, ok := s["additionalProperties"].(map[string]any); ok {
		s["additionalProperties"] = orNull(values)
	}
	description, described := s["description"]
	delete(s, "description")
	nullable := map[string]any{"anyOf": []any{s, map[string]any{"type": "null"}}}
	if described {
		nullable["description"] = description
	}
	return nullable
}

// description returns the meaning of a key and its allowed values.
func (d keyDoc) description() string {
	if d.limits == "" {
		return d.meaning
	}
	return d.meaning + " (" + d.limits + ")"
}

func objectSchema(t reflect.Type, path string) map[string]any {
	properties := map[string]any{}
	for i := range t.NumField() {
		field := t.Field(i)
		key := field.Tag.Get("yaml")
		if key == "-" {
			continue
		}
		property := schemaOf(field.Type, join(path, key))
		property["description"] = keyDocs[join(path, key)].description()
		properties[key] = property
	}
	object := map[string]any{"type": "object", "properties": properties, "additionalProperties": false}
	if short, ok := reflect.New(t).Interface().(shorthand); ok {
		var forms []any
		for _, key := range short.shorthandKeys() {
			forms = append(forms, properties[key])
		}
		return map[string]any{"anyOf": append(forms, object)}
	}
	return object
}
