package spec

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
)

// undigested are the keys that Digests leaves out: variables are not settings, and those of a
// stage are in the other keys.
var undigested = map[string]bool{"env": true, "env_file": true, "secrets": true, "stages": true}

// Digests returns a digest of each key of aloft.yaml with a value, by its name: what differs
// between two specs can be told without keeping either.
func (s *Spec) Digests() (map[string]string, error) {
	all := map[string]string{}
	v := reflect.ValueOf(*s)
	for i := range v.NumField() {
		key := v.Type().Field(i).Tag.Get("yaml")
		if key == "-" || undigested[key] {
			continue
		}
		text, err := canonical(v.Field(i).Interface())
		if err != nil {
			return nil, fmt.Errorf("digest %s: %w", key, err)
		}
		if text != "null" {
			sum := sha256.Sum256([]byte(text))
			all[key] = hex.EncodeToString(sum[:4])
		}
	}
	return all, nil
}

// canonical returns a value as JSON without what is empty, so that a field that a later version
// adds does not differ. It returns "null" for a value that is empty.
func canonical(value any) (string, error) {
	data, err := json.Marshal(value)
	if err != nil {
		return "", err
	}
	var generic any
	d := json.NewDecoder(strings.NewReader(string(data)))
	d.UseNumber()
	if err := d.Decode(&generic); err != nil {
		return "", err
	}
	data, err = json.Marshal(withoutEmpty(generic))
	return string(data), err
}

// withoutEmpty returns a value of JSON without what is empty, or nil.
func withoutEmpty(value any) any {
	switch v := value.(type) {
	case map[string]any:
		for key, item := range v {
			if v[key] = withoutEmpty(item); v[key] == nil {
				delete(v, key)
			}
		}
		if len(v) == 0 {
			return nil
		}
	case []any:
		for i, item := range v {
			v[i] = withoutEmpty(item) // its place says something
		}
		if len(v) == 0 {
			return nil
		}
	case string:
		if v == "" {
			return nil
		}
	case bool:
		if !v {
			return nil
		}
	case json.Number:
		if v == "0" {
			return nil
		}
	}
	return value
}
