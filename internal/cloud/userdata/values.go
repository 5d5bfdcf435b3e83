package userdata

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// entries calls read for each entry of a list of mappings.
func entries(value any, read func(map[string]any) error) error {
	list, ok := value.([]any)
	if !ok {
		return fmt.Errorf("expected a list, got %T", value)
	}
	for n, entry := range list {
		values, ok := entry.(map[string]any)
		if !ok {
			return fmt.Errorf("entry %d: expected a mapping, got %T", n+1, entry)
		}
		if err := read(values); err != nil {
			return fmt.Errorf("entry %d: %w", n+1, err)
		}
	}
	return nil
}

// fields reads the keys of a mapping and refuses those that are not known.
func fields(values map[string]any, known map[string]func(any) error) error {
	for _, key := range slices.Sorted(maps.Keys(values)) {
		read, ok := known[key]
		if !ok {
			return fmt.Errorf("the key %q is not supported", key)
		}
		if err := read(values[key]); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
	}
	return nil
}

// text reads a scalar as text.
func text(field *string, value any) error {
	switch value := value.(type) {
	case string:
		*field = value
	case bool, int, int64, uint64, float64:
		*field = fmt.Sprint(value)
	default:
		return fmt.Errorf("expected a text, got %T", value)
	}
	if strings.ContainsRune(*field, 0) {
		return errors.New("a text contains the character NUL")
	}
	return nil
}

// texts reads a list of texts, or one text with commas between its parts.
func texts(field *[]string, value any) error {
	*field = nil
	list, ok := value.([]any)
	if !ok {
		var all string
		if err := text(&all, value); err != nil {
			return err
		}
		for part := range strings.SplitSeq(all, ",") {
			*field = append(*field, strings.TrimSpace(part))
		}
		return nil
	}
	for _, entry := range list {
		var one string
		if err := text(&one, entry); err != nil {
			return err
		}
		*field = append(*field, one)
	}
	return nil
}

// keys reads public keys: a list, or one. A key may contain commas.
func keys(field *[]string, value any) error {
	if _, ok := value.([]any); !ok {
		value = []any{value}
	}
	return texts(field, value)
}

// boolean reads a Boolean, also in the spellings of YAML 1.1.
func boolean(field *bool, value any) error {
	switch value := value.(type) {
	case bool:
		*field = value
		return nil
	case string:
		switch strings.ToLower(value) {
		case "yes", "on", "true":
			*field = true
			return nil
		case "no", "off", "false":
			*field = false
			return nil
		}
	}
	return fmt.Errorf("%v: expected true or false", value)
}

// permissions reads a file mode: octal digits in a text, or a number, which YAML has read
// as octal if it begins with 0.
func permissions(field *string, value any) error {
	switch value := value.(type) {
	case string:
		*field = strings.TrimPrefix(value, "0o")
	case int, int64, uint64:
		*field = fmt.Sprintf("%o", value)
	default:
		return fmt.Errorf("%v: expected octal digits in quotes, such as '0644'", value)
	}
	if mode, err := strconv.ParseUint(*field, 8, 32); err != nil || mode > 0o7777 {
		return fmt.Errorf("%v: expected octal digits in quotes, such as '0644'", value)
	}
	return nil
}

// sudoRules reads rules of sudo: a text, a list, or false for none.
func sudoRules(field *[]string, value any) error {
	*field = nil
	list, ok := value.([]any)
	if !ok {
		list = []any{value}
	}
	for _, entry := range list {
		if entry == nil || entry == false {
			continue
		}
		var rule string
		if err := text(&rule, entry); err != nil {
			return err
		}
		*field = append(*field, rule)
	}
	return nil
}

// commands reads runcmd and bootcmd: a text is a line for the shell, a list is one command
// with its arguments.
func commands(field *[]string, value any) error {
	*field = nil
	list, ok := value.([]any)
	if !ok {
		return fmt.Errorf("expected a list, got %T", value)
	}
	for n, entry := range list {
		switch entry := entry.(type) {
		case nil: // as cloud-init: an empty entry is no command
		case []any:
			var words, quoted []string
			if err := texts(&words, entry); err != nil {
				return fmt.Errorf("entry %d: %w", n+1, err)
			}
			for _, word := range words {
				quoted = append(quoted, quote(word))
			}
			*field = append(*field, strings.Join(quoted, " "))
		default:
			var line string
			if err := text(&line, entry); err != nil {
				return fmt.Errorf("entry %d: expected a text or a list, got %T", n+1, entry)
			}
			*field = append(*field, line)
		}
	}
	return nil
}
